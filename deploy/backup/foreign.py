"""Folders that another user may write to, as root walks into them.

Whoever took a service over can leave a link, a pipe or a folder where root expects a file.

Rule 1: a folder is entered through no link, and from then on known by its descriptor alone.
Rule 2: what is read is a regular file, opened through no link and without waiting for anybody.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from deploy.errors import DeployError

FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_IN_THE_WAY: Final = {errno.ELOOP, errno.ENOTDIR, errno.ENXIO}

_NO_FOLDER = (
    "{path}: is a link or no folder, and this command goes through none there. Look who made it; put "
    "what it points to in its place, then run the command again."
)
_ODD = "{path}: is no regular file."


class OddError(DeployError):
    """There is something of that name, but it is no regular file."""


class Foreign:
    """An open folder. `path` is for words: what is in it is found by the descriptor."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take an open descriptor over."""
        self.path, self.descriptor = path, descriptor

    @classmethod
    @contextmanager
    def opened(cls, path: Path, *below: str) -> Iterator[Self]:
        """Open a folder, or one below it. Whatever is above `path` is root's. Raises DeployError."""
        folder = cls(path, open_folder(path))
        try:
            for name in below:
                folder._go(name)
            yield folder
        finally:
            os.close(folder.descriptor)

    def _go(self, name: str) -> None:
        path = self.path / name
        inner = open_folder(path, name, self.descriptor)
        os.close(self.descriptor)
        self.path, self.descriptor = path, inner

    def names(self) -> list[str]:
        """Give all names in it, in order."""
        return sorted(os.listdir(self.descriptor))  # noqa: PTH208 # pathlib knows no descriptors

    @contextmanager
    def file(self, name: str) -> Iterator[int | None]:
        """Open a file to read; None if there is none. Raises OddError."""
        descriptor = self._open(name)
        try:
            if descriptor is not None and not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OddError(_ODD.format(path=self.path / name))
            yield descriptor
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def read(self, name: str) -> bytes | None:
        """Give what a file holds; None if there is none. Raises OddError."""
        with self.file(name) as descriptor:
            if descriptor is None:
                return None
            with os.fdopen(os.dup(descriptor), "rb") as file:
                return file.read()

    def _open(self, name: str) -> int | None:
        try:
            return os.open(name, _FILE, dir_fd=self.descriptor)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in _IN_THE_WAY:
                raise OddError(_ODD.format(path=self.path / name)) from None
            raise


def open_folder(path: Path, name: str | None = None, above: int | None = None) -> int:
    """Open a folder by its path, or by its name in an open one. Raises DeployError, OSError."""
    try:
        return os.open(path if name is None else name, FOLDER, dir_fd=above)
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise DeployError(_NO_FOLDER.format(path=path)) from None
        # By its descriptor it would have no path in the words.
        raise OSError(error.errno, error.strerror, str(path)) from None
