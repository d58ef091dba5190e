"""Speaking to a server octet by octet, as broken and hostile clients do."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.tus.houses import OCTETS, TUS, LiveHouse, offset_of

MEBIBYTE = 1 << 20
CHUNKED = ("Transfer-Encoding", "chunked")


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


def sends_until_refused(raw: socket.socket, mebibytes: int) -> None:
    """Send a great body, until it is over or the other side will not have it."""
    try:
        for _ in range(mebibytes):
            raw.sendall(b"b" * MEBIBYTE)
    except OSError:
        return


def sends_head(raw: socket.socket, head: bytes) -> None:
    """Send a head that the server may refuse before it is over."""
    try:
        raw.sendall(head)
        raw.shutdown(socket.SHUT_WR)
    except OSError:
        return
