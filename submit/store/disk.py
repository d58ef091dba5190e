"""One folder on a real disk. The tests have another one that forgets what was not synced."""

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from submit.store.sharing import is_shared

# The desk, where it has a user of its own, reads and removes; it never writes into a sealed file.
_ALONE, _GROUP_READS = 0o600, 0o640
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class File(Protocol):
    """An open file. Every method may raise OSError."""

    def length(self) -> int:
        """Give the octets it has now."""

    def read(self, position: int, octets: int) -> bytes:
        """Read at most `octets`."""

    def write(self, position: int, pieces: Sequence[bytes]) -> None:
        """Write all pieces, one behind the other; not durable before `sync`."""

    def cut(self, length: int) -> None:
        """Drop what lies beyond `length`; not durable before `sync`."""

    def sync(self) -> None:
        """Make content and length durable."""

    def begin_sync(self, position: int, octets: int) -> None:
        """Let the disk begin to write a range, without waiting for it; nothing is promised."""

    def forget_cached(self) -> None:
        """Let the next read come from the disk itself."""

    def lock(self) -> None:
        """Wait until nobody else, in any process, holds this file's lock."""

    def unlock(self) -> None:
        """Give the lock back."""

    def close(self) -> None:
        """Close the file."""


class Disk(Protocol):
    """A flat folder of files. Every method may raise OSError."""

    def create(self, name: str) -> File:
        """Create a file that did not exist; its name is not durable before `sync_names`."""

    def open(self, name: str) -> File:
        """Open an existing file."""

    def open_to_read(self, name: str) -> File:
        """Open an existing file, of which nothing can be changed in this way."""

    def rename(self, name: str, new: str) -> None:
        """Give a file another name, replacing the one that had it."""

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""

    def names(self) -> Iterator[str]:
        """Give the names of all files."""

    def sync_names(self) -> None:
        """Make creations, renames and removals durable."""

    def set_day(self, name: str, day: int) -> None:
        """Set the file's times to the midnight of a UTC day number."""

    def free(self) -> int:
        """Give the octets that an ordinary user may still write."""


class FolderDisk:
    """A folder of the operating system's."""

    def __init__(self, folder: Path) -> None:
        """Make the folder if it is missing; then nobody else may look into it."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._mode = _GROUP_READS if is_shared(folder) else _ALONE

    def create(self, name: str) -> File:
        """See `Disk`."""
        return _OpenFile(
            os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_EXCL, self._mode)
        )

    def open(self, name: str) -> File:
        """See `Disk`."""
        return _OpenFile(os.open(self._folder / name, os.O_RDWR))

    def open_to_read(self, name: str) -> File:
        """See `Disk`."""
        return _OpenFile(os.open(self._folder / name, os.O_RDONLY))

    def rename(self, name: str, new: str) -> None:
        """See `Disk`."""
        (self._folder / name).rename(self._folder / new)

    def remove(self, name: str) -> None:
        """See `Disk`."""
        (self._folder / name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """See `Disk`."""
        with os.scandir(self._folder) as entries:
            yield from (entry.name for entry in entries)

    def sync_names(self) -> None:
        """See `Disk`."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def set_day(self, name: str, day: int) -> None:
        """See `Disk`."""
        os.utime(self._folder / name, (day * 86400, day * 86400))

    def free(self) -> int:
        """See `Disk`."""
        status = os.statvfs(self._folder)
        return status.f_bavail * status.f_frsize


class _OpenFile:
    """A file descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def length(self) -> int:
        return os.fstat(self._descriptor).st_size

    def read(self, position: int, octets: int) -> bytes:
        return os.pread(self._descriptor, octets, position)

    def write(self, position: int, pieces: Sequence[bytes]) -> None:
        written = os.pwritev(self._descriptor, pieces, position)
        rest = memoryview(b"".join(pieces) if written < sum(map(len, pieces)) else b"")[written:]
        while rest:
            position += written
            written = os.pwrite(self._descriptor, rest, position)
            rest = rest[written:]

    def cut(self, length: int) -> None:
        os.ftruncate(self._descriptor, length)

    def sync(self) -> None:
        os.fsync(self._descriptor)

    def begin_sync(self, position: int, octets: int) -> None:
        # Linux starts to write dirty pages that it is told will not be needed, and returns.
        os.posix_fadvise(self._descriptor, position, octets, os.POSIX_FADV_DONTNEED)

    def forget_cached(self) -> None:
        os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def lock(self) -> None:
        # flock belongs to the open file: it works between threads, each with its own, and
        # between processes, and the kernel lets go of it when a process dies.
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def unlock(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._descriptor)


@contextmanager
def locked(file: File) -> Iterator[None]:
    """Hold the file's lock; only ever for a moment, never while a client is waited for."""
    file.lock()
    try:
        yield
    finally:
        file.unlock()


def is_full(error: OSError) -> bool:
    """Tell whether the disk has no room, rather than a fault."""
    return error.errno in _FULL
