"""Who may ask what of a running server: another source, nobody, a foreign page."""

import pytest

from tests.live import Live
from tests.tus.core_statements import ABSENT
from tests.tus.extension_statements import checksum
from tests.tus.houses import (
    NOT_FOR_MUTANTS,
    TUS,
    LiveHouse,
    Reply,
    appends,
    creates,
    looks,
    new_upload,
    offset_of,
)

pytestmark = NOT_FOR_MUTANTS


@pytest.fixture(scope="module")
def house(server: Live) -> LiveHouse:
    """The running server, asked as one source."""
    return LiveHouse(server.base, server.new_source())


def everything(house: LiveHouse, path: str) -> list[Reply]:
    """Ask an upload everything that can be asked of one."""
    return [
        looks(house, path),
        appends(house, path, 0, b"ab"),
        appends(house, path, 7, b"ab"),
        appends(house, path, 0, b"ab", checksum(b"xy")),
        house.ask("DELETE", path, TUS),
        house.ask("POST", path, TUS, ("X-HTTP-Method-Override", "HEAD")),
    ]


def test_another_sources_upload_is_as_unknown_as_any(server: Live, house: LiveHouse) -> None:
    """Every answer to a stranger is, octet by octet, the one for an id that never was."""
    path = new_upload(house, 4)
    stranger = LiveHouse(server.base, server.new_source())
    assert everything(stranger, path) == everything(stranger, ABSENT)
    assert {reply.status for reply in everything(stranger, path)} == {404}
    assert offset_of(house, path) == 0


def test_without_a_session_every_upload_is_unknown(server: Live, house: LiveHouse) -> None:
    """Nobody learns from a URL alone whether an upload exists."""
    path = new_upload(house, 4)
    nobody = LiveHouse(server.base, None)
    assert everything(nobody, path) == everything(nobody, ABSENT)
    forger = LiveHouse(server.base, None)
    forger.cookies = {name: "A" * len(value) for name, value in house.cookies.items()}
    assert everything(forger, path) == everything(nobody, ABSENT)
    assert offset_of(house, path) == 0


def test_without_a_session_no_upload_is_made(server: Live) -> None:
    """The refusal comes before any octet is read, and says what to do."""
    nobody = LiveHouse(server.base, None)
    reply = creates(nobody, 4)
    assert reply.status in (401, 403)
    assert b"codename" in reply.body
    assert "location" not in reply.headers


def test_complete_upload_of_another_source_is_unknown_too(server: Live, house: LiveHouse) -> None:
    """Neither HEAD nor DELETE tells a stranger that something arrived."""
    path = new_upload(house, 2)
    appends(house, path, 0, b"ab")
    stranger = LiveHouse(server.base, server.new_source())
    assert everything(stranger, path) == everything(stranger, ABSENT)


@pytest.mark.parametrize(
    "path",
    [
        "/uploads/..%2f..%2fetc%2fpasswd",
        "/uploads/" + "a" * 5000,
        "/uploads/%00",
        "/uploads/" + "a" * 26 + "/x",
        "/uploads/" + "a" * 26 + "%0a",
        "/uploads/" + "%D0%B0" * 26,
    ],
)
def test_path_that_is_no_upload_harms_nothing(house: LiveHouse, path: str) -> None:
    """It is not found, or not even read."""
    assert looks(house, path).status in (400, 404, 414)


@pytest.mark.parametrize("method", ["GET", "PUT", "TRACE", "CONNECT", "BREW"])
def test_nothing_can_be_read_back(house: LiveHouse, method: str) -> None:
    """LESSONS 14: there is no way to get an upload's octets, whatever one asks."""
    path = new_upload(house, 30)
    appends(house, path, 0, b"a secret that was sent")
    reply = house.ask(method, path, TUS)
    assert reply.status in (400, 405, 501)
    assert b"secret" not in reply.body


def test_foreign_page_cannot_send_without_asking_first(house: LiveHouse) -> None:
    """What a form of another site can send (no header of its own) changes nothing.

    And the question a browser would ask before more (OPTIONS) is not answered with leave.
    """
    path = new_upload(house, 4)
    form = ("Content-Type", "application/x-www-form-urlencoded")
    assert house.ask("POST", "/uploads", form, body=b"a=b").status in (400, 403, 412)
    assert house.ask("POST", path, form, body=b"_method=DELETE").status in (403, 405, 412)
    asked = house.ask(
        "OPTIONS",
        path,
        ("Origin", "http://evil.onion"),
        ("Access-Control-Request-Method", "DELETE"),
        ("Access-Control-Request-Headers", "tus-resumable"),
    )
    assert not [name for name in asked.headers if name.startswith("access-control-")]
    assert offset_of(house, path) == 0
