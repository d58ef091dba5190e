"""Bodies that are too long, too short, in pieces, unread or malformed, at a running server."""

import socket
import threading
import time
from pathlib import Path

import pytest
import requests

from tests.live import Live
from tests.tus.houses import (
    NOT_FOR_MUTANTS,
    OCTETS,
    TUS,
    LiveHouse,
    appends,
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
    sends_until_refused,
    settles,
    spoken,
    status_of,
)

pytestmark = NOT_FOR_MUTANTS


@pytest.fixture(scope="module")
def house(server: Live) -> LiveHouse:
    """The running server, asked as one source."""
    return LiveHouse(server.base, server.new_source())


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
    assert b"\r\nlocation:" not in words.lower()


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


@pytest.mark.parametrize("sent", [b"6\r\nabcdef\r\n", b"6\r\nabcdef\r\n4\r\n", b"a\r\nabcdef"])
def test_chunked_body_that_breaks_off_is_kept(house: LiveHouse, sent: bytes) -> None:
    """Between chunks, after a length, or within a chunk: what came counts."""
    path = new_upload(house, 10)
    with spoken(house, "PATCH", path, *at(0), CHUNKED) as raw:
        raw.sendall(sent)
        raw.shutdown(socket.SHUT_WR)
        words = heard(raw)
    assert words == b"" or status_of(words) in (204, 400, 503)
    settles(house, path, 6)


@pytest.mark.parametrize("garbage", [b"zz\r\nab\r\n0\r\n\r\n", b"-2\r\nab\r\n", b"2\r\nabcd\r\n"])
def test_malformed_chunks_are_refused_and_the_upload_lives(
    house: LiveHouse, garbage: bytes
) -> None:
    """What a smuggler writes is no fault of ours, and only what it framed can count."""
    path = new_upload(house, 10)
    with spoken(house, "PATCH", path, *at(0), CHUNKED) as raw:
        raw.sendall(garbage)
        raw.shutdown(socket.SHUT_WR)
        words = heard(raw)
    assert words == b"" or status_of(words) in (204, 400, 503)
    offset = offset_of(house, path)
    assert offset <= 2
    assert appends(house, path, offset, b"x" * (10 - offset)).status == 204


def test_body_shorter_than_it_promised_is_kept(house: LiveHouse) -> None:
    """A client that stops sending but still listens is told to go on, and what came counts."""
    path = new_upload(house, 10)
    with spoken(house, "PATCH", path, *at(0), ("Content-Length", "10")) as raw:
        raw.sendall(b"abcd")
        raw.shutdown(socket.SHUT_WR)
        words = heard(raw)
    assert words == b"" or status_of(words) == 503
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
