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
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_BUCKETS = 1 << 14
_ENTRIES = 4  # of one bucket, the newest first
_VALUE, _ENTRY = 15, 16  # octets: a value, and behind it what is known of its file
_BUCKET = _ENTRIES * _ENTRY
_ARRIVING, _KEPT = b"\1", b"\2"
# Both connections can be at the same file: what the first had sent before it broke waits in the
# kernel, and the second is there already. So long the second waits for the first: tries, seconds.
_TRIES, _PAUSE = 200, 0.05


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
        self._lock = threading.Lock()

    @contextmanager
    def watch(
        self, source: bytes, place: FormPlace, name: str, content: Iterable[bytes]
    ) -> Iterator[Iterator[bytes]]:
        """Give the file's octets on; RepeatedFileError after the last of one that is kept already.

        Inside, the file is made durable. If anything is raised there it counts as not kept.
        """
        fields = (source, place.boundary, name.encode("utf-8", "backslashreplace"))
        mark = hmac.new(self._key, b"%d " % place.number, "sha256")
        for field in fields:
            mark.update(b"%d:%s" % (len(field), field))
        claimed: list[bytes] = []
        try:
            yield self._through(mark, content, claimed)
        except BaseException:
            for value in claimed:
                self._put(value, bytes(1))
            raise
        for value in claimed:
            self._put(value, _KEPT)

    def _through(
        self, mark: hmac.HMAC, content: Iterable[bytes], claimed: list[bytes]
    ) -> Iterator[bytes]:
        for octets in content:
            mark.update(octets)
            yield octets
        value = mark.digest()[:_VALUE]
        if not self._claim(value):
            raise RepeatedFileError
        claimed.append(value)

    def _claim(self, value: bytes) -> bool:
        """Tell whether the file is to be kept; wait while another connection is keeping it."""
        for _ in range(_TRIES):
            with self._lock:
                known = self._known(value)
                if known is None:
                    self._put(value, _ARRIVING)
                    return True
            if known == _KEPT:
                return False
            threading.Event().wait(_PAUSE)
        return True  # Its worker may have been killed: better one copy too many.

    def _known(self, value: bytes) -> bytes | None:
        entries = self._entries(value)
        return next((entry[_VALUE:] for entry in entries if entry[:_VALUE] == value), None)

    def _put(self, value: bytes, known: bytes) -> None:
        """Note a file, `known` being 0 to forget it; the oldest of its bucket goes."""
        # Two processes at once can lose an entry. That costs one more copy of one file.
        others = [entry for entry in self._entries(value) if entry[:_VALUE] != value]
        newest = [value + known] if any(known) else []
        at = self._place(value)
        bucket = b"".join([*newest, *others]).ljust(_BUCKET, bytes(1))[:_BUCKET]
        self._map[at : at + _BUCKET] = bucket

    def _entries(self, value: bytes) -> list[bytes]:
        at = self._place(value)
        return [self._map[begin : begin + _ENTRY] for begin in range(at, at + _BUCKET, _ENTRY)]

    def _place(self, value: bytes) -> int:
        return int.from_bytes(value[:4]) % _BUCKETS * _BUCKET
