"""What a broken, careless or hostile client does at the socket of a running server."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.live import Live
from tests.tus.core_statements import ABSENT
from tests.tus.extension_statements import checksum
from tests.tus.houses import (
    NOT_FOR_MUTANTS,
    OCTETS,
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

MEBIBYTE = 1 << 20
CHUNKED = ("Transfer-Encoding", "chunked")


@pytest.fixture(scope="module")
def house(server: Live) -> LiveHouse:
    """The running server, asked as one source."""
    return LiveHouse(server.base, server.new_source())


def at(offset: int) -> tuple[tuple[str, str], ...]:
    """Give the headers of a PATCH at an offset."""
    return TUS, OCTETS, ("Upload-Offset", str(offset))


def chunked(*pieces: bytes) -> bytes:
    """Write a chunked body, with its end."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


@contextmanager
def spoken(
    house: LiveHouse, method: str, path: str, *fields: tuple[str, str]
) -> Iterator[socket.socket]:
    """Send the head of a request, and give the socket."""
    connection = house.opens(method, path, fields)
    assert connection.sock is not None
    with connection.sock as raw:
        raw.settimeout(20)
        yield raw


def heard(raw: socket.socket) -> bytes:
    """Hear the connection out; a reset after the answer is an end too."""
    words = b""
    while True:
        try:
            octets = raw.recv(65_536)
        except ConnectionResetError:
            return words
        if not octets:
            return words
        words += octets


def status_of(words: bytes) -> int:
    """Read the status of the first final answer in what was heard."""
    final = words
    while final.startswith(b"HTTP/1.1 100"):
        final = final.partition(b"\r\n\r\n")[2]
    return int(final.split(b" ", 2)[1])


def settles(house: LiveHouse, path: str, offset: int) -> None:
    """Wait until the upload stands at an offset."""
    deadline = time.monotonic() + 20
    while offset_of(house, path) != offset:
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- who asks


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


# --- bodies


@pytest.mark.parametrize("excess", [1, 10 * MEBIBYTE])
def test_body_longer_than_the_upload_is_refused_before_it_is_read(
    house: LiveHouse, excess: int
) -> None:
    """Its Content-Length says enough."""
    path = new_upload(house, 10)
    length = ("Content-Length", str(10 + excess))
    with spoken(house, "PATCH", path, *at(0), length) as raw:
        assert status_of(heard(raw)) == 413
    assert offset_of(house, path) == 0
    length = ("Content-Length", str(10 + excess))
    with spoken(house, "POST", "/uploads", TUS, OCTETS, ("Upload-Length", "10"), length) as raw:
        words = heard(raw)
    assert status_of(words) == 413
    assert b"location" not in words.lower()


def test_chunked_body_is_taken(house: LiveHouse) -> None:
    """Pieces of any length count, and a part of the upload may come so."""
    path = new_upload(house, 200_010)
    body = chunked(b"a", b"b" * 70_000, b"c" * 9)
    reply = house.ask("PATCH", path, *at(0), CHUNKED, body=body)
    assert (reply.status, reply.headers["upload-offset"]) == (204, "70010")
    reply = house.ask("PATCH", path, *at(70_010), CHUNKED, body=chunked(b"d" * 130_000))
    assert (reply.status, reply.headers["upload-offset"]) == (204, "200010")


def test_chunked_creation_is_taken(house: LiveHouse) -> None:
    """Creation with upload may come in pieces too."""
    fields = (TUS, OCTETS, CHUNKED, ("Upload-Length", "10"))
    reply = house.ask("POST", "/uploads", *fields, body=chunked(b"abc", b"d"))
    assert (reply.status, reply.headers["upload-offset"]) == (201, "4")


def test_chunked_body_longer_than_the_upload_never_outgrows_it(house: LiveHouse) -> None:
    """It is refused when it is found out, and the upload is not longer than it said."""
    path = new_upload(house, 10)
    reply = house.ask("PATCH", path, *at(0), CHUNKED, body=chunked(b"a" * 8, b"b" * 8))
    assert reply.status == 413
    assert int(looks(house, path).headers["upload-offset"]) <= 10
    assert looks(house, path).headers["upload-length"] == "10"


@pytest.mark.parametrize("garbage", [b"zz\r\nab\r\n0\r\n\r\n", b"-2\r\nab\r\n", b"2\r\nabcd\r\n"])
def test_malformed_chunks_are_refused_and_the_upload_lives(
    house: LiveHouse, garbage: bytes
) -> None:
    """What a smuggler writes is not taken for octets beyond what it framed."""
    path = new_upload(house, 10)
    with spoken(house, "PATCH", path, *at(0), CHUNKED) as raw:
        raw.sendall(garbage)
        raw.shutdown(socket.SHUT_WR)
        words = heard(raw)
    assert words == b"" or 400 <= status_of(words) < 500
    offset = offset_of(house, path)
    assert offset <= 2
    assert appends(house, path, offset, b"x" * (10 - offset)).status == 204


def test_body_shorter_than_it_promised_is_kept(house: LiveHouse) -> None:
    """A client that stops sending but still listens is told, and what came counts."""
    path = new_upload(house, 10)
    with spoken(house, "PATCH", path, *at(0), ("Content-Length", "10")) as raw:
        raw.sendall(b"abcd")
        raw.shutdown(socket.SHUT_WR)
        words = heard(raw)
    assert words == b"" or status_of(words) == 400
    settles(house, path, 4)


def test_creation_that_breaks_off_keeps_what_came(server: Live) -> None:
    """Its URL was never told, but the source finds the upload on its page and goes on."""
    session = server.new_source()
    house = LiveHouse(server.base, session)
    length = ("Content-Length", "100")
    with spoken(house, "POST", "/uploads", TUS, OCTETS, ("Upload-Length", "100"), length) as raw:
        raw.sendall(b"a" * 60)
        raw.shutdown(socket.SHUT_WR)
        heard(raw)
    deadline = time.monotonic() + 20
    while not (found := unfinished(server, session)) or found[0]["offset"] != 60:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    path = str(found[0]["url"])
    assert appends(house, path, 60, b"a" * 40).headers["upload-offset"] == "100"


def unfinished(server: Live, session: requests.Session) -> list[dict[str, object]]:
    """Ask for the source's unfinished uploads."""
    answer = session.get(f"{server.base}/drop", timeout=20)
    return list(answer.json()["unfinished"])


@pytest.mark.parametrize("offset", [0, 5, 11, 9_999_999_999_999_999])
def test_wrong_offset_is_refused_before_the_body_is_read(house: LiveHouse, offset: int) -> None:
    """The answer comes although not one octet of a great body was sent."""
    path = new_upload(house, 1 << 30)
    appends(house, path, 0, b"a" * 10)
    length = ("Content-Length", str(1 << 29))
    with spoken(house, "PATCH", path, *at(offset), length) as raw:
        assert status_of(heard(raw)) == 409
    assert offset_of(house, path) == 10
    house.ask("DELETE", path, TUS)


def test_unread_body_is_not_taken_for_a_request(house: LiveHouse) -> None:
    """A refused body that looks like a DELETE deletes nothing, on this connection or another."""
    path = new_upload(house, 1000)
    cookies = "; ".join(f"{name}={value}" for name, value in house.cookies.items())
    smuggled = (
        f"DELETE {path} HTTP/1.1\r\nHost: {house.host}\r\nCookie: {cookies}\r\n"
        "Tus-Resumable: 1.0.0\r\nContent-Length: 0\r\n\r\n"
    ).encode()
    with spoken(house, "PATCH", path, *at(7), ("Content-Length", str(len(smuggled)))) as raw:
        raw.sendall(smuggled)
        words = heard(raw)
    assert status_of(words) == 409
    assert words.count(b"HTTP/1.1 ") == 1
    assert offset_of(house, path) == 0


def test_wrong_offset_with_a_great_body_ends_the_connection_cleanly(house: LiveHouse) -> None:
    """A client that sends all the same gets the answer, or the end, but never waits for ever."""
    path = new_upload(house, 1 << 30)
    appends(house, path, 0, b"a")
    with spoken(house, "PATCH", path, *at(0), ("Content-Length", str(64 * MEBIBYTE))) as raw:
        sender = threading.Thread(target=sends_until_refused, args=(raw, 64))
        sender.start()
        words = heard(raw)
        sender.join(20)
        assert not sender.is_alive()
    assert words == b"" or status_of(words) == 409
    assert offset_of(house, path) == 1
    house.ask("DELETE", path, TUS)


def sends_until_refused(raw: socket.socket, mebibytes: int) -> None:
    """Send a great body, until it is over or the other side will not have it."""
    try:
        for _ in range(mebibytes):
            raw.sendall(b"b" * MEBIBYTE)
    except OSError:
        return


def test_requests_on_one_connection_follow_each_other(server: Live) -> None:
    """A session that keeps its connection gets every answer to its own request."""
    session = server.new_source()
    url = server.create(session, 6)
    for offset in range(6):
        assert server.append(session, url, 0, b"x" * 7).status_code in (409, 413)
        assert server.append(session, url, offset, b"a").status_code == 204
        assert server.offset(session, url) == offset + 1


def test_expecting_client_is_refused_without_sending(house: LiveHouse) -> None:
    """`Expect: 100-continue` with a wrong offset: the refusal needs no octet of the body."""
    path = new_upload(house, 100)
    fields = (*at(7), ("Expect", "100-continue"), ("Content-Length", "100"))
    with spoken(house, "PATCH", path, *fields) as raw:
        assert status_of(heard(raw)) == 409


def test_expecting_client_is_told_to_go_on(house: LiveHouse) -> None:
    """It waits for 100, sends, and is answered."""
    path = new_upload(house, 4)
    fields = (*at(0), ("Expect", "100-continue"), ("Content-Length", "4"), ("Connection", "close"))
    with spoken(house, "PATCH", path, *fields) as raw:
        assert raw.recv(65_536).startswith(b"HTTP/1.1 100")
        raw.sendall(b"abcd")
        assert status_of(heard(raw)) == 204
    assert offset_of(house, path) == 4


# --- headers


@pytest.mark.parametrize(
    "extra",
    [
        ("Tus-Resumable", "1.0.0"),
        ("Upload-Offset", "0"),
        ("Upload-Offset", "2"),
        ("Content-Length", "2"),
        ("Content-Length", "3"),
        ("Transfer-Encoding", "chunked"),
    ],
)
def test_header_that_comes_twice_is_refused(house: LiveHouse, extra: tuple[str, str]) -> None:
    """Also when both say the same, and a length beside a chunked body."""
    path = new_upload(house, 4)
    fields = (*at(0), ("Content-Length", "2"), extra)
    assert 400 <= house.ask("PATCH", path, *fields, body=b"ab").status < 500
    assert offset_of(house, path) == 0


def test_length_that_comes_twice_makes_no_upload(house: LiveHouse) -> None:
    """No choice is made between the two."""
    reply = creates(house, 4, ("Upload-Length", "5"))
    assert reply.status == 400
    assert "location" not in reply.headers


def test_metadata_that_comes_twice_must_have_different_keys(house: LiveHouse) -> None:
    """Two headers are one list (RFC 9110, section 5.3), and a list has each key once."""
    name = ("Upload-Metadata", "filename YQ==")
    assert creates(house, 4, name, name).status == 400
    reply = creates(house, 4, name, ("Upload-Metadata", "mine"))
    head = looks(house, reply.headers["location"])
    assert head.headers["upload-metadata"] == "filename YQ==,mine"


def test_underscore_is_no_hyphen(house: LiveHouse) -> None:
    """A header that only WSGI would mistake for ours counts for nothing."""
    path = new_upload(house, 4)
    reply = house.ask("PATCH", path, TUS, OCTETS, ("Upload_Offset", "0"), body=b"ab")
    assert reply.status == 400
    assert offset_of(house, path) == 0


@pytest.mark.parametrize("length", ["-1", "+1", "1_0", "0x1", "", "9" * 30, "9" * 5000])
def test_absurd_content_length_is_refused(house: LiveHouse, length: str) -> None:
    """Whoever reads it first, no octet is taken."""
    path = new_upload(house, 4)
    reply = house.ask("PATCH", path, *at(0), ("Content-Length", length), body=b"ab")
    assert 400 <= reply.status < 500
    assert offset_of(house, path) == 0


def test_metadata_as_long_as_its_limit_fits_through_the_server(house: LiveHouse) -> None:
    """8000 octets pass and come back; one more is refused in the protocol's words."""
    value = "mine " + "QUFB" * 1998 + ",xy"
    assert len(value) == 8000
    reply = creates(house, 4, ("Upload-Metadata", value))
    assert looks(house, reply.headers["location"]).headers["upload-metadata"] == value
    assert creates(house, 4, ("Upload-Metadata", value + "z")).status == 431


@pytest.mark.parametrize(
    "value", ["filename " + "QUFB" * 5000, "\x01" * 10, "filename YQ==\x00", "a" * 100_000]
)
def test_monstrous_metadata_is_refused(house: LiveHouse, value: str) -> None:
    """By the server or by the protocol, and the next request is served."""
    with socket.create_connection(("127.0.0.1", int(house.host.rpartition(":")[2])), 20) as raw:
        cookies = "; ".join(f"{name}={cookie}" for name, cookie in house.cookies.items())
        head = f"POST /uploads HTTP/1.1\r\nHost: {house.host}\r\nCookie: {cookies}\r\n"
        fields = f"Tus-Resumable: 1.0.0\r\nUpload-Length: 4\r\nUpload-Metadata: {value}\r\n\r\n"
        sends_head(raw, (head + fields).encode())
        words = heard(raw)
    assert words == b"" or 400 <= status_of(words) < 500
    assert creates(house, 4).status == 201


def sends_head(raw: socket.socket, head: bytes) -> None:
    """Send a head that the server may refuse before it is over."""
    try:
        raw.sendall(head)
        raw.shutdown(socket.SHUT_WR)
    except OSError:
        return


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


# --- checksums


def test_checksummed_body_above_16_mib_is_refused_in_words(house: LiveHouse) -> None:
    """Before it is read: it would have to wait in memory."""
    path = new_upload(house, 64 * MEBIBYTE)
    fields = (*at(0), checksum(b"x"), ("Content-Length", str(16 * MEBIBYTE + 1)))
    with spoken(house, "PATCH", path, *fields) as raw:
        words = heard(raw)
    assert status_of(words) == 413
    assert b"16 MiB" in words
    assert offset_of(house, path) == 0


def test_checksummed_body_of_16_mib_is_taken(house: LiveHouse) -> None:
    """The limit itself, verified, and once wrong before."""
    path = new_upload(house, 16 * MEBIBYTE)
    body = bytes(16 * MEBIBYTE)
    assert appends(house, path, 0, body, checksum(b"other")).status == 460
    assert offset_of(house, path) == 0
    assert appends(house, path, 0, body, checksum(body, "sha256")).status == 204
    assert offset_of(house, path) == 16 * MEBIBYTE


def test_checksummed_body_that_breaks_off_leaves_nothing(house: LiveHouse) -> None:
    """It cannot be verified, so the offset stays."""
    path = new_upload(house, 10)
    fields = (*at(0), checksum(b"abcdefghij"), ("Content-Length", "10"))
    with spoken(house, "PATCH", path, *fields) as raw:
        raw.sendall(b"abcde")
        raw.shutdown(socket.SHUT_WR)
        heard(raw)
    assert offset_of(house, path) == 0
    assert appends(house, path, 0, b"abcdefghij", checksum(b"abcdefghij")).status == 204


def test_checksum_of_a_chunked_body_is_refused_in_words(house: LiveHouse) -> None:
    """Its length is not known before it is over."""
    path = new_upload(house, 4)
    reply = house.ask("PATCH", path, *at(0), CHUNKED, checksum(b"abcd"), body=chunked(b"abcd"))
    assert reply.status == 411
    assert b"Content-Length" in reply.body
    assert offset_of(house, path) == 0


# --- what arrived


def test_replayed_and_overlapping_patches_change_nothing(
    server: Live, house: LiveHouse, tmp_path: Path
) -> None:
    """LESSONS 4: every piece sent twice, late and with other octets; the recipient reads the first."""
    path = new_upload(house, 100_000, ("Upload-Metadata", "filename cmVwbGF5ZWQ="))
    for offset in range(0, 100_000, 25_000):
        assert appends(house, path, offset, b"%d" % (offset // 25_000) * 25_000).status == 204
        assert appends(house, path, offset, b"x" * 25_000).status == 409
        assert appends(house, path, max(0, offset - 1), b"y" * 10).status == 409
    upload = path.rpartition("/")[2]
    opened = server.open(server.uploads / f"{upload}.tar.gpg", tmp_path)
    assert opened.name == "replayed"
    assert opened.content == b"".join(b"%d" % piece * 25_000 for piece in range(4))
