"""Knows again the files of a form that a browser sends a second time by itself.

When a connection breaks in the middle of a form, Firefox and Chromium send the whole form again,
unasked, and every file that had arrived would arrive twice (docs/decisions/0011). The repetition
has the same boundary, which a browser draws at random for every form that a person sends. Some
programs always use the same one, so a file is known only if its form's boundary, its place in the
form, its name and every octet are the same.

What is kept are keyed values in memory that all workers share, and the key is there only: nothing
of it is on disk, and it ends with the server. Then a repetition is kept as one more file.
"""

import hmac
import mmap
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_BUCKETS = 1 << 14
_VALUES = 4  # of one bucket, the newest first
_VALUE = 16  # octets
_BUCKET = _VALUES * _VALUE


@dataclass(frozen=True, slots=True)
class FormPlace:
    """Where a file stands: the boundary of its form, and its number in it."""

    boundary: bytes
    number: int


class RepeatedFileError(Exception):
    """This very file of this very form is kept already."""


class Repeats:
    """The files of forms that arrived lately. Make it before the workers are forked."""

    def __init__(self) -> None:
        """Begin with none. A page of memory is taken only when something is in it."""
        self._key = secrets.token_bytes(32)
        self._map = mmap.mmap(-1, _BUCKETS * _BUCKET)

    def watch(self, source: bytes, place: FormPlace, name: str) -> "WatchedFile":
        """Begin a file."""
        fields = (source, place.boundary, name.encode("utf-8", "backslashreplace"))
        mark = hmac.new(self._key, b"%d " % place.number, "sha256")
        for field in fields:
            mark.update(b"%d:%s" % (len(field), field))
        return WatchedFile(self, mark)

    def knows(self, value: bytes) -> bool:
        """Tell whether a file with this value was kept."""
        bucket = self._bucket(value)
        return any(bucket[at : at + _VALUE] == value for at in range(0, _BUCKET, _VALUE))

    def note(self, value: bytes) -> None:
        """Note that a file is kept; the oldest of its bucket is forgotten."""
        # Two workers at once can lose a value. That costs one more copy of one file.
        at = self._place(value)
        self._map[at : at + _BUCKET] = (value + self._bucket(value))[:_BUCKET]

    def _bucket(self, value: bytes) -> bytes:
        at = self._place(value)
        return self._map[at : at + _BUCKET]

    def _place(self, value: bytes) -> int:
        return int.from_bytes(value[:4]) % _BUCKETS * _BUCKET


class WatchedFile:
    """One file of a form, while it arrives."""

    def __init__(self, repeats: Repeats, mark: hmac.HMAC) -> None:
        """Continue the keyed value that has begun with the file's place."""
        self._repeats, self._mark = repeats, mark

    def through(self, content: Iterable[bytes]) -> Iterator[bytes]:
        """Give the octets on; RepeatedFileError after the last of a file that is kept already."""
        for octets in content:
            self._mark.update(octets)
            yield octets
        if self._repeats.knows(self._value()):
            raise RepeatedFileError

    def note(self) -> None:
        """Note that the file is durable."""
        self._repeats.note(self._value())

    def _value(self) -> bytes:
        return self._mark.digest()[:_VALUE]
