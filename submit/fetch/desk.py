"""The desk's routes, once each: what is asked, and what an answer means."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import quote

from submit.fetch.errors import (
    BrokenError,
    FetchError,
    RefusedError,
    SessionEndedError,
)
from submit.fetch.listing import (
    Digest,
    Item,
    Source,
    not_understood,
    parse_digest,
    parse_source,
    parse_sources,
)
from submit.fetch.terminal import plain
from submit.fetch.wire import Answer, Wire

_LOGIN = "/session"
_COOKIE = re.compile(r"nightferry_desk=[A-Za-z0-9_-]{16,256}(?=;|$)")
_LONGEST_TAIL = 1 << 20  # octets
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


class Desk:
    """Asks the desk on one wire. `cookie`: the session, which is in memory alone.

    Every method raises BrokenError, SessionEndedError, RefusedError; FetchError for an answer that
    no desk gives.
    """

    def __init__(self, wire: Wire, cookie: str = "") -> None:
        self.wire = wire
        self.cookie = cookie

    def enter(self, name: str, passphrase: str, code: str) -> str:
        """Log in; give the session's cookie."""
        said = {"name": name, "passphrase": passphrase, "code": code}
        with self._ask("POST", _LOGIN, said) as answer:
            cookies = [found[0] for given in answer.cookies if (found := _COOKIE.match(given))]
            answer.json()
        if len(cookies) != 1:
            raise not_understood()
        return cookies[0]

    def leave(self) -> None:
        """End the session."""
        self._post("/session/end", {})

    def sources(self) -> list[tuple[str, str]]:
        """Give each source's id and designation."""
        return parse_sources(self._get("/"))

    def source(self, identifier: str) -> Source:
        """Give what a source has sent."""
        return parse_source(identifier, self._get(f"/sources/{identifier}"))

    def digest(self, item: Item) -> Digest:
        """Ask for length and SHA-256 of a sealed file as it is now."""
        return parse_digest(self._get(f"/sealed/{item.id}/digest"))

    def sealed(self, item: Item, first: int, end: int) -> Iterator[bytes]:
        """Give the octets of a sealed file from `first` to before `end`."""
        wanted = {"Range": f"bytes={first}-{end - 1}"}
        with self._ask("GET", f"/sealed/{item.id}.tar.gpg", headers=wanted) as answer:
            _require_range(answer, first, end)
            left = end - first
            for block in answer.blocks():
                left -= len(block)
                if left < 0:
                    raise not_understood()
                yield block
        if left:
            raise not_understood()

    def tail(self, item: Item) -> bytes | None:
        """Give the tail of an upload that is not complete; None if there is none."""
        try:
            with self._ask("GET", f"/sealed/{item.id}.tail") as answer:
                return b"".join(_limited(answer.blocks()))
        except RefusedError as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def mark_fetched(self, item: Item) -> None:
        """Tell the desk that a final file is verified on a stick."""
        self._post(f"/sealed/{item.id}/fetched", {})

    def delete(self, item: Item) -> None:
        """Delete a final file that is marked as fetched."""
        self._post(f"/sealed/{item.id}/delete", {})

    def reply(self, source: str, message: str) -> None:
        """Give a source an OpenPGP message, armored."""
        self._post(f"/sources/{source}/replies", {"message": message})

    def _get(self, path: str) -> object:
        with self._ask("GET", path) as answer:
            return answer.json()

    def _post(self, path: str, said: Mapping[str, str]) -> None:
        with self._ask("POST", path, said) as answer:
            answer.json()

    @contextmanager
    def _ask(
        self,
        method: str,
        path: str,
        said: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Answer]:
        sent = {"Accept": "application/json", **(headers or {})}
        if self.cookie:
            sent["Cookie"] = self.cookie
        body = None
        if said is not None:
            body = json.dumps(said).encode()
            sent["Content-Type"] = "application/json"
        with self.wire.ask(method, quote(path), sent, body) as answer:
            if answer.status == HTTPStatus.UNAUTHORIZED and path != _LOGIN:
                raise SessionEndedError
            if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                raise _no(answer)
            yield answer


def _no(answer: Answer) -> Exception:
    """Give what an answer that is no "yes" means."""
    said = answer.json()
    words = plain(str(said["error"])) if isinstance(said, dict) and "error" in said else ""
    if answer.status in _PASSING or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return BrokenError(words or f"the desk has a trouble of its own ({answer.status}).")
    if answer.status < HTTPStatus.BAD_REQUEST or not words:
        return FetchError(
            f"what answers there is no desk (status {answer.status}). What has come is kept. "
            "Is the address right?"
        )
    return RefusedError(answer.status, words)


def _require_range(answer: Answer, first: int, end: int) -> None:
    begin = f"bytes {first}-{end - 1}/"
    if answer.status != HTTPStatus.PARTIAL_CONTENT or not answer.header("Content-Range").startswith(
        begin
    ):
        raise not_understood()
    if answer.header("Content-Encoding"):
        raise not_understood()


def _limited(blocks: Iterator[bytes]) -> Iterator[bytes]:
    left = _LONGEST_TAIL
    for block in blocks:
        left -= len(block)
        if left < 0:
            raise not_understood()
        yield block
