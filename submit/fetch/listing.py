"""What the desk says, read strictly: what does not match is not used, least of all as a path."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from submit.fetch.errors import FetchError

KINDS = ("file", "message", "certificate")
STATES = ("complete", "open", "expired")
LONGEST = 1 << 48  # octets: longer than any sealed file

_UPLOAD = re.compile(r"[a-z2-7]{26}")
_SOURCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DESIGNATION = re.compile(r"[a-z]{1,40}( [a-z]{1,40}){1,3}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Digest:
    """Length in octets and SHA-256, hexadecimal, of a sealed file."""

    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Item:
    """A sealed file at the desk. `length`: of it now; `tail`: one lies beside it."""

    id: str
    kind: str
    state: str
    day: str
    length: int
    tail: bool
    fetched: bool

    @property
    def is_final(self) -> bool:
        """Tell whether it will never change."""
        return self.state != "open"


@dataclass(frozen=True, slots=True)
class Source:
    """A source at the desk."""

    id: str
    designation: str
    items: tuple[Item, ...]

    @property
    def folder(self) -> str:
        """The name of its folder on the stick."""
        return self.designation.replace(" ", "-")


class _OddError(Exception):
    """It does not read as it should."""


def not_understood() -> FetchError:
    """Give the error for an answer that no desk of this version gives."""
    return FetchError(
        "the desk said something that this program does not understand. What has come is kept. "
        "Is this the address of the desk, and is this program as new as the desk?"
    )


def parse_sources(said: object) -> list[tuple[str, str]]:
    """Read `GET /`: the id and designation of each source. Raises FetchError."""
    try:
        return [
            (_text(source, "id", _SOURCE), _text(source, "designation", _DESIGNATION))
            for source in _list(said, "sources")
        ]
    except _OddError:
        raise not_understood() from None


def parse_source(identifier: str, said: object) -> Source:
    """Read `GET /sources/<id>`. Raises FetchError."""
    try:
        return Source(
            identifier,
            _text(said, "designation", _DESIGNATION),
            tuple(parse_item(item) for item in _list(said, "items")),
        )
    except _OddError:
        raise not_understood() from None


def parse_item(said: object) -> Item:
    """Read one item, of the desk's or of the index on the stick."""
    return Item(
        id=_text(said, "id", _UPLOAD),
        kind=_one_of(said, "kind", KINDS),
        state=_one_of(said, "state", STATES),
        day=_text(said, "day", _DAY),
        length=_length(said),
        tail=_get(said, "tail") is True,
        fetched=isinstance(said, dict) and said.get("fetched") is True,
    )


def parse_digest(said: object) -> Digest:
    """Read `GET /sealed/<id>/digest`. Raises FetchError."""
    try:
        return Digest(_length(said), _text(said, "sha256", _SHA256))
    except _OddError:
        raise not_understood() from None


def parse_entries(said: object) -> Iterable[tuple[str, str, Item, Digest]]:
    """Read the index on a stick: source id, designation, item and digest; nothing if it is odd."""
    try:
        return [
            (
                _text(source, "id", _SOURCE),
                _text(source, "designation", _DESIGNATION),
                parse_item(item),
                Digest(_length(item), _text(item, "sha256", _SHA256)),
            )
            for source in _list(said, "sources")
            for item in _list(source, "items")
        ]
    except _OddError:
        return []


def _get(said: object, name: str) -> object:
    if not isinstance(said, dict) or name not in said:
        raise _OddError
    value: object = said[name]
    return value


def _list(said: object, name: str) -> list[object]:
    value = _get(said, name)
    if not isinstance(value, list):
        raise _OddError
    return value


def _text(said: object, name: str, pattern: re.Pattern[str]) -> str:
    value = _get(said, name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _OddError
    return value


def _one_of(said: object, name: str, choices: tuple[str, ...]) -> str:
    value = _get(said, name)
    if not isinstance(value, str) or value not in choices:
        raise _OddError
    return value


def _length(said: object) -> int:
    value = _get(said, "length")
    if type(value) is not int or not 0 <= value < LONGEST:
        raise _OddError
    return value
