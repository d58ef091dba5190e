"""Which request may append to an upload: the newest, in whatever process it runs.

Over Tor the old connection is often half-open when the source comes back. So no request
owns an upload for its whole life: a newer one puts its own token into the upload's slot of
a small file that all workers map, and the older one finds that it is there no longer.
"""

import fcntl
import hashlib
import mmap
import os
import secrets
import struct
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from submit.store.errors import TakenError
from submit.store.sharing import open_for_all

_SLOTS = 1 << 18
_TOKEN = 8  # octets
_LOCK = struct.Struct("hhqqi4x")  # Linux: struct flock


class Owners(Protocol):
    """Who was the last to claim an upload."""

    def claim(self, upload: str) -> bytes:
        """Take the upload over from whoever had it; give the token that proves it."""

    def holds(self, upload: str, token: bytes) -> bool:
        """Tell whether nobody has claimed the upload since."""

    def making(self, upload: str) -> AbstractContextManager[None]:
        """Be the only one, in any process, who makes this upload; TakenError if somebody is."""


class SharedOwners:
    """A file mapped by every worker process. Its content means nothing after a restart."""

    def __init__(self, path: Path) -> None:
        """Map the file, making it if it is missing."""
        self._path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = open_for_all(path)
        try:
            os.ftruncate(descriptor, _SLOTS * _TOKEN)
            # Into a hole of a mapped file the kernel lets nobody write on a full disk: SIGBUS.
            with suppress(OSError):
                os.posix_fallocate(descriptor, 0, _SLOTS * _TOKEN)
            self._map = mmap.mmap(descriptor, _SLOTS * _TOKEN)
        finally:
            os.close(descriptor)

    def claim(self, upload: str) -> bytes:
        """See `Owners`."""
        token, slot = secrets.token_bytes(_TOKEN), _slot(upload)
        self._map[slot : slot + _TOKEN] = token
        return token

    def holds(self, upload: str, token: bytes) -> bool:
        """See `Owners`."""
        slot = _slot(upload)
        return self._map[slot : slot + _TOKEN] == token

    @contextmanager
    def making(self, upload: str) -> Iterator[None]:
        """See `Owners`."""
        descriptor = open_for_all(self._path)
        try:
            # A lock of the open file: it holds between threads, too, and the kernel lets go of it
            # when a process dies.
            lock = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, _slot(upload), _TOKEN, 0)
            try:
                fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, lock)
            except BlockingIOError:
                raise TakenError from None
            yield
        finally:
            os.close(descriptor)


def _slot(upload: str) -> int:
    # Two uploads in one slot only cost a client one reconnection.
    digest = hashlib.blake2b(upload.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % _SLOTS * _TOKEN
