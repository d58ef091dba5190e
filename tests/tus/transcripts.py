"""Reads the conversations in docs/protocol.md and plays them against a house.

A conversation is a fenced block: the request, a line `HTTP/1.1 ...`, the answer. Only the headers
that the page shows are compared. `…` stands for anything; an id of the page stands for the one that
the house gave; a date must be a date.
"""

import re
from dataclasses import dataclass, field

from tests.tus.houses import House

_BLOCK = re.compile(r"^```http\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ANSWER = re.compile(r"\n\n?HTTP/1\.1 ([0-9]{3}) [^\n]*\n")
_UPLOAD = re.compile(r"/uploads/([a-z2-7]{26})")
_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} 00:00:00 GMT")

# The client's own, or put in by the house: not compared and not sent.
_NOT_SENT = {"host", "cookie"}


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    fields: tuple[tuple[str, str], ...]
    body: bytes
    status: int
    answered: tuple[tuple[str, str], ...]
    words: bytes


def read_exchanges(page: str) -> list[Exchange]:
    """Read every conversation of a page, in order."""
    return [_read_exchange(block) for block in _BLOCK.findall(page)]


def _read_exchange(block: str) -> Exchange:
    request, status, answer = _ANSWER.split(block, maxsplit=1)
    first, _, rest = request.partition("\n")
    method, path, _ = first.split(" ")
    fields, body = _read_message(rest)
    answered, words = _read_message(answer)
    sent = tuple(one for one in fields if one[0].lower() not in _NOT_SENT)
    return Exchange(method, path, sent, body.encode(), int(status), answered, words.encode())


def _read_message(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    head, _, body = text.partition("\n\n")
    pairs = [line.partition(": ")[::2] for line in head.splitlines()]
    return tuple((name, value) for name, value in pairs), body


@dataclass
class Scene:
    """One run through conversations. `names`: the page's id of an upload -> the house's."""

    names: dict[str, str] = field(default_factory=dict)

    def play(self, house: House, exchange: Exchange) -> None:
        """Ask what the page asks, and compare what it shows with what came."""
        path = self._real(exchange.path)
        reply = house.ask(exchange.method, path, *exchange.fields, body=exchange.body)
        assert reply.status == exchange.status
        for name, value in exchange.answered:
            assert name.lower() in reply.headers
            self._compare(value, reply.headers[name.lower()])
        if exchange.method != "HEAD":
            self._compare(exchange.words.decode(), reply.body.decode())

    def _real(self, path: str) -> str:
        upload = _UPLOAD.fullmatch(path)
        return f"/uploads/{self.names[upload[1]]}" if upload else path

    def _compare(self, shown: str, came: str) -> None:
        upload, given = _UPLOAD.fullmatch(shown), _UPLOAD.fullmatch(came)
        if upload and given:
            self.names[upload[1]] = given[1]
        elif _DATE.fullmatch(shown):
            assert _DATE.fullmatch(came)
        else:
            pattern = ".+".join(re.escape(piece) for piece in _plain(shown).split("…"))
            assert re.fullmatch(pattern, _plain(came))


def _plain(text: str) -> str:
    # JSON may be written with or without spaces and in any order of lines' ends.
    return re.sub(r"\s", "", text)
