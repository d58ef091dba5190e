"""Two houses that answer the same requests: the judge alone, and a running server.

`MemoryHouse` is the smallest clerk that does what submit.tus decides; it keeps octets in a dict.
`LiveHouse` speaks to a server over a socket. A test that takes a `House` runs against both.
"""

import http.client
import itertools
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol, Self
from urllib.parse import urlsplit

import pytest
import requests

from submit.errors import Refusal
from submit.tus.answers import (
    Answer,
    answer_append,
    answer_creation,
    answer_head,
    answer_options,
    answer_refusal,
    answer_termination,
)
from submit.tus.grammar import UploadId, parse_upload_id
from submit.tus.headers import Headers, collect_headers
from submit.tus.limits import Limits
from submit.tus.refusals import BodyCutShortError, LengthExceededError, UploadNotFoundError
from submit.tus.requests import (
    Append,
    Creation,
    Method,
    decide_append,
    decide_creation,
    decide_head,
    decide_offset,
    decide_same_creation,
    decide_termination,
    effective_method,
)
from submit.tus.state import Event, State, move

TUS = ("Tus-Resumable", "1.0.0")
OCTETS = ("Content-Type", "application/offset+octet-stream")

Fields = Iterable[tuple[str, str]]

# A mutant lives in the process of its tests: a server beside it would run something else.
NOT_FOR_MUTANTS = pytest.mark.skipif("MUTANT_UNDER_TEST" in os.environ, reason="mutants")


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def collect(cls, status: int, headers: Fields, body: bytes) -> Self:
        return cls(status, dict(collect_headers(headers)), body)


class House(Protocol):
    def ask(self, method: str, path: str, *fields: tuple[str, str], body: bytes = b"") -> Reply:
        """Send the fields and the body; Content-Length is added unless the body is chunked."""

    def breaks_off(self, path: str, offset: int, promised: int, body: bytes) -> None:
        """PATCH with a Content-Length of `promised`, but send only `body` and then be gone."""


def framed(fields: Fields, body: bytes) -> list[tuple[str, str]]:
    """Add the Content-Length of the body, unless the fields frame it themselves."""
    given = {name.lower() for name, _ in fields}
    if given & {"content-length", "transfer-encoding"}:
        return list(fields)
    return [*fields, ("Content-Length", str(len(body)))]


def creates(house: House, length: int, *fields: tuple[str, str], body: bytes = b"") -> Reply:
    """Ask for a new upload."""
    return house.ask("POST", "/uploads", TUS, ("Upload-Length", str(length)), *fields, body=body)


def new_upload(house: House, length: int, *fields: tuple[str, str]) -> str:
    """Make an upload and return its path."""
    reply = creates(house, length, *fields)
    assert reply.status == 201
    return reply.headers["location"]


def appends(house: House, path: str, offset: int, body: bytes, *fields: tuple[str, str]) -> Reply:
    """Send octets at an offset, as a correct client does."""
    return house.ask("PATCH", path, TUS, OCTETS, ("Upload-Offset", str(offset)), *fields, body=body)


def looks(house: House, path: str) -> Reply:
    """Ask how far an upload is."""
    return house.ask("HEAD", path, TUS)


def offset_of(house: House, path: str) -> int:
    """Return the offset that HEAD tells."""
    return int(looks(house, path).headers["upload-offset"])


@dataclass
class Kept:
    length: int
    metadata: str
    octets: bytearray = field(default_factory=bytearray)
    state: State = State.OPEN


class MemoryHouse:
    """The judge, and a clerk that writes nothing down. Uploads expire on `expiry`, a day number."""

    def __init__(self, limits: Limits, expiry: int = 20_000) -> None:
        self.limits = limits
        self.expiry = expiry
        self.uploads: dict[UploadId, Kept] = {}
        self.keyed: dict[str, UploadId] = {}
        self._numbers = itertools.count()

    def ask(self, method: str, path: str, *fields: tuple[str, str], body: bytes = b"") -> Reply:
        headers = collect_headers(framed(fields, body))
        try:
            answer = self._decide(method, path, headers, body)
        except Refusal as refusal:
            kept = self.uploads.get(UploadId(path.rpartition("/")[2]))
            alive = kept is not None and kept.state is State.OPEN
            answer = answer_refusal(refusal, self.expiry if alive else None)
        return Reply.collect(answer.status, answer.headers, answer.body.encode())

    def breaks_off(self, path: str, offset: int, promised: int, body: bytes) -> None:
        fields = (TUS, OCTETS, ("Upload-Offset", str(offset)), ("Content-Length", str(promised)))
        assert self.ask("PATCH", path, *fields, body=body).status == BodyCutShortError.status

    def expire(self, path: str) -> None:
        self._happen(self._find(path), Event.EXPIRE)

    def _decide(self, method: str, path: str, headers: Headers, body: bytes) -> Answer:
        match effective_method(method, headers):
            case Method.OPTIONS:
                return answer_options(self.limits)
            case Method.POST:
                return self._create(headers, body)
            case Method.HEAD:
                decide_head(headers)
                kept = self._happen(self._find(path), Event.LOOK)
                return answer_head(
                    len(kept.octets), kept.length, kept.metadata, self._expires(kept)
                )
            case Method.PATCH:
                append = decide_append(headers, self.limits)
                kept = self._happen(self._find(path), Event.APPEND)
                self._append(kept, append, body)
                return answer_append(len(kept.octets), self._expires(kept))
            case Method.DELETE:
                decide_termination(headers)
                self._happen(self._find(path), Event.TERMINATE)
                return answer_termination()

    def _create(self, headers: Headers, body: bytes) -> Answer:
        creation = decide_creation(headers, self.limits)
        upload_id = self.keyed.get(creation.key or "")
        if upload_id and self.uploads[upload_id].state is not State.GONE:
            return self._create_again(creation, upload_id)
        kept = Kept(creation.length, creation.metadata)
        if creation.body is not None:
            self._append(kept, creation.body, body)
        elif kept.length == 0:
            self._happen(kept, Event.FILL)
        upload_id = UploadId(f"{next(self._numbers):026}".translate(str.maketrans("0189", "abcd")))
        self.uploads[upload_id] = kept
        if creation.key is not None:
            self.keyed[creation.key] = upload_id
        unsaid = creation.body is None and creation.key is None
        offset = None if unsaid else len(kept.octets)
        return answer_creation(upload_id, offset, self._expires(kept))

    def _create_again(self, creation: Creation, upload_id: UploadId) -> Answer:
        kept = self._happen(self.uploads[upload_id], Event.LOOK)
        metadata = kept.metadata if kept.state is State.OPEN else None
        decide_same_creation(kept.length, metadata, creation)
        unread = creation.body is not None
        return answer_creation(upload_id, len(kept.octets), self._expires(kept), unread=unread)

    def _append(self, kept: Kept, append: Append, body: bytes) -> None:
        remaining = decide_offset(len(kept.octets), kept.length, append)
        if append.checksum is not None:
            append.checksum.verify(body)
        kept.octets += body[:remaining]
        if kept.state is State.OPEN and len(kept.octets) == kept.length:
            self._happen(kept, Event.FILL)
        if len(body) > remaining:
            raise LengthExceededError
        if append.content_length not in (None, len(body)):
            raise BodyCutShortError

    def _find(self, path: str) -> Kept:
        upload_id = parse_upload_id(path.removeprefix("/uploads/"))
        if upload_id not in self.uploads:
            raise UploadNotFoundError
        return self.uploads[upload_id]

    def _happen(self, kept: Kept, event: Event) -> Kept:
        kept.state = move(kept.state, event)
        return kept

    def _expires(self, kept: Kept) -> int | None:
        return self.expiry if kept.state is State.OPEN else None


class LiveHouse:
    """A running server, asked as one source. Every request has a connection of its own."""

    def __init__(self, base: str, session: requests.Session | None) -> None:
        self.host = urlsplit(base).netloc
        self.cookies = dict(session.cookies.items()) if session else {}

    def ask(self, method: str, path: str, *fields: tuple[str, str], body: bytes = b"") -> Reply:
        connection = self.opens(method, path, framed(fields, body))
        connection.send(body)
        response = connection.getresponse()
        reply = Reply.collect(response.status, response.getheaders(), response.read())
        connection.close()
        self._keep_cookies(response.headers.get_all("Set-Cookie", []))
        return reply

    def breaks_off(self, path: str, offset: int, promised: int, body: bytes) -> None:
        fields = (TUS, OCTETS, ("Upload-Offset", str(offset)), ("Content-Length", str(promised)))
        connection = self.opens("PATCH", path, fields)
        connection.send(body)
        # Half closed, to know when the server has noticed: a HEAD that overtakes the octets
        # would rightly answer the offset without them.
        assert connection.sock is not None
        connection.sock.shutdown(socket.SHUT_WR)
        connection.sock.recv(1)
        connection.close()

    def opens(self, method: str, path: str, fields: Fields) -> http.client.HTTPConnection:
        """Send only the head of a request, and give the connection to whoever sends the rest."""
        connection = http.client.HTTPConnection(self.host, timeout=20)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in fields:
            connection.putheader(name, value)
        if self.cookies:
            cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            connection.putheader("Cookie", cookies)
        connection.endheaders()
        return connection

    def _keep_cookies(self, given: list[str]) -> None:
        for cookie in given:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
