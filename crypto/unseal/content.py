"""The stream that GnuPG gives, and the file that it becomes: read, hashed and written in one pass.

A file is written under a name of our own, and gets the source's only by rename (`workplace`).
"""

import contextlib
import errno
import hashlib
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crypto.unseal.errors import DiskError, DiskFullError

_WAITING_BLOCKS = 8
_SMALL = 4 << 20  # octets: below it, a thread costs more than it brings
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PRIVATE = 0o600
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class StreamEndedError(Exception):
    """GnuPG gave less than was asked for: why, its status lines tell."""


class Stream:
    """Blocks of octets, to be taken in other amounts than they come in."""

    def __init__(self, blocks: Iterable[memoryview]) -> None:
        self._blocks = iter(blocks)
        self._left = memoryview(b"")

    def up_to(self, length: int) -> Iterator[memoryview]:
        """Give the next octets, at most `length`, until there are no more."""
        while length:
            while not self._left:
                block = next(self._blocks, None)
                if block is None:
                    return
                self._left = block
            piece, self._left = self._left[:length], self._left[length:]
            length -= len(piece)
            yield piece

    def put_back(self, octets: bytes) -> None:
        """Put octets in front again."""
        self._left = memoryview(octets + bytes(self._left))

    def read(self, length: int) -> bytes:
        """Give the next `length` octets, fewer if there are no more."""
        return b"".join(self.up_to(length))

    def at_end(self) -> bool:
        """Tell whether nothing follows."""
        first = self.read(1)
        self.put_back(first)
        return not first


@dataclass(frozen=True, slots=True)
class Digests:
    """The hashes of a file's content, hexadecimal."""

    sha256: str
    sha512: str


class Worker:
    """Does one thing with each block, in a thread of its own."""

    def __init__(self, work: Callable[[memoryview], object]) -> None:
        self._queue: queue.Queue[memoryview | None] = queue.Queue(_WAITING_BLOCKS)
        self._work = work
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __call__(self, block: memoryview) -> None:
        """Hand over a block; wait if there are too many."""
        self._queue.put(block)

    def end(self) -> None:
        """Wait until all blocks are done."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (block := self._queue.get()) is not None:
            self._work(block)


class NewFile:
    """A file that is being written, private, under a name of ours; both hashes of it are taken."""

    def __init__(self, path: Path, expected: int) -> None:
        """Begin the file; `expected` octets only decide how the work is shared out."""
        self.path, self.length = path, 0
        self._sha256, self._sha512 = hashlib.sha256(), hashlib.sha512()
        with disk_errors(path.parent):
            path.unlink(missing_ok=True)
            self._file = os.open(path, _CREATE, _PRIVATE)
        self._workers: list[Worker] = []
        if expected >= _SMALL:
            self._workers = [Worker(self._sha256.update), Worker(self._sha512.update)]

    def add(self, octets: memoryview | bytes) -> None:
        """Write and hash octets. Raises DiskFullError, DiskError."""
        view = memoryview(octets)
        for worker in self._workers:
            worker(view)
        if not self._workers:
            self._sha256.update(view)
            self._sha512.update(view)
        self.length += len(view)
        with disk_errors(self.path.parent):
            while view:
                view = view[os.write(self._file, view) :]

    def finish(self, modified: int, day: int) -> Digests:
        """Set its time (milliseconds; `day` if no disk can have that) and give the hashes."""
        with disk_errors(self.path.parent):
            set_time(self._file, modified, day)
        self.close()
        return Digests(self._sha256.hexdigest(), self._sha512.hexdigest())

    def close(self) -> None:
        """Close the file as it is."""
        for worker in self._workers:
            worker.end()
        self._workers = []
        if self._file >= 0:
            file, self._file = self._file, -1
            with disk_errors(self.path.parent):
                os.close(file)

    def discard(self) -> None:
        """Leave nothing."""
        with contextlib.suppress(DiskFullError, DiskError):
            self.close()
        self.path.unlink(missing_ok=True)


def set_time(file: int, modified: int, day: int) -> None:
    """Give an open file its time."""
    for milliseconds in (modified, day):
        with contextlib.suppress(OverflowError, OSError):
            os.utime(file, ns=(milliseconds * 1_000_000, milliseconds * 1_000_000))
            return


@contextlib.contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """Say in words what the disk refuses."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFullError(where=where) from None
        raise DiskError(where=where, why=error.strerror) from None
