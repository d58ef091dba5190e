"""As much of HTTP/1.1 as it takes to see where messages on a connection begin and end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPMethod, HTTPStatus

_END_OF_HEAD = b"\r\n\r\n"
UNTIL_CLOSED = 1 << 62  # octets


@dataclass(frozen=True, slots=True)
class Piece:
    """A whole head, or some octets of a body; `ends`: the message is over after it."""

    octets: bytes
    is_head: bool
    ends: bool


class Messages:
    """Splits the octets of one direction into heads and pieces of bodies."""

    def __init__(self, body_length: Callable[[bytes], int]) -> None:
        """Ask `body_length` how long the body after a head is."""
        self._body_length = body_length
        self._buffer = b""
        self._left = 0

    def split(self, octets: bytes) -> Iterator[Piece]:
        """Give the pieces that these octets complete."""
        self._buffer += octets
        while self._buffer:
            if self._left:
                size = min(self._left, len(self._buffer))
                self._left -= size
            elif (size := self._buffer.find(_END_OF_HEAD)) < 0:
                return
            else:
                size += len(_END_OF_HEAD)
                self._left = self._body_length(self._buffer[:size])
                yield Piece(self._take(size), is_head=True, ends=not self._left)
                continue
            yield Piece(self._take(size), is_head=False, ends=not self._left)

    def _take(self, size: int) -> bytes:
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken


def method_of(head: bytes) -> str:
    """Read a request's method."""
    return head.partition(b" ")[0].decode("ascii")


def status_of(head: bytes) -> int:
    """Read an answer's status."""
    return int(head.split(b" ", 2)[1])


def body_of_request(head: bytes) -> int:
    """Read how many octets of body follow a request's head. ValueError if they are chunked."""
    return _content_length(head) or 0


def body_of_answer(head: bytes, method: str) -> int:
    """Read how many octets of body follow an answer to a request of some method."""
    bodiless = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
    if method == HTTPMethod.HEAD or status_of(head) in bodiless:
        return 0
    length = _content_length(head)
    return UNTIL_CLOSED if length is None else length


def _content_length(head: bytes) -> int | None:
    lines = [line.lower().partition(b":") for line in head.split(b"\r\n")[1:]]
    fields = {name: value.strip() for name, _, value in lines}
    if b"transfer-encoding" in fields:
        raise ValueError("none of our clients sends chunks, and so does our server")
    return int(fields[b"content-length"]) if b"content-length" in fields else None
