"""Copies of files that only ever grow, taken up again wherever they were interrupted."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 20  # octets
_WRITE_BEHIND = 8 << 20  # octets


@dataclass(frozen=True, slots=True)
class Copied:
    """The first `length` octets of a file, their SHA-256, and how many of them were new."""

    digest: str
    length: int
    written: int


def catch_up(source: int, length: int, copy: Path) -> Copied:
    """Let `copy` begin with the first `length` octets of an open file; durable on return.

    What the copy has already is compared, not trusted: after a power cut it may have holes. What it
    has beyond stays, if all before it was right: an earlier backup may speak of it. A source that is
    shorter by now gives a shorter copy. Raises OSError; what was copied stays.
    """
    with _opened(copy) as target:
        return catch_up_open(source, length, target)


def catch_up_open(source: int, length: int, target: int) -> Copied:
    """Do what `catch_up` does with a copy that is open."""
    digest, same = hashlib.sha256(), 0
    for block in _blocks(source, 0, min(length, os.fstat(target).st_size)):
        if os.pread(target, len(block), same) != block:
            break
        digest.update(block)
        same += len(block)
    end = same
    if end < length:
        os.ftruncate(target, end)
        for block in _blocks(source, end, length):
            digest.update(block)
            _write(target, end, block)
            end += len(block)
        os.fsync(target)
    return Copied(digest.hexdigest(), end, end - same)


def digests_at(path: Path, lengths: set[int]) -> dict[int, str]:
    """Give the SHA-256 of a file's first octets, for each length that it reaches. Raises OSError."""
    digest, end, found = hashlib.sha256(), 0, {}
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # what the disk has kept
        for length in sorted(lengths):
            for block in _blocks(file.fileno(), end, length):
                digest.update(block)
                end += len(block)
            if end < length:
                break
            found[length] = digest.hexdigest()
    return found


def _blocks(file: int, begin: int, end: int) -> Iterator[bytes]:
    while begin < end and (block := os.pread(file, min(_BLOCK, end - begin), begin)):
        yield block
        begin += len(block)


def _write(file: int, position: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        written = os.pwrite(file, view, position)
        view, position = view[written:], position + written
    if position % _WRITE_BEHIND < len(block):
        # The disk works while the next octets are read, so that the last sync has less to do.
        os.posix_fadvise(file, 0, position, os.POSIX_FADV_DONTNEED)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
