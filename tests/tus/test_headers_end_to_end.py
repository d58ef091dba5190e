"""Headers that are doubled, absurd or monstrous, and checksums, at a running server."""

import socket

import pytest

from tests.live import Live
from tests.tus.extension_statements import checksum
from tests.tus.houses import (
    NOT_FOR_MUTANTS,
    OCTETS,
    TUS,
    LiveHouse,
    appends,
    creates,
    looks,
    new_upload,
    offset_of,
)
from tests.tus.sockets import (
    CHUNKED,
    MEBIBYTE,
    at,
    chunked,
    heard,
    sends_head,
    spoken,
    status_of,
)

pytestmark = NOT_FOR_MUTANTS


@pytest.fixture(scope="module")
def house(server: Live) -> LiveHouse:
    """The running server, asked as one source."""
    return LiveHouse(server.base, server.new_source())


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
