"""Files that root puts into folders that another user may write to.

Rule 1: a file is made in a folder that nobody else may enter. It gets owner and mode by its
        descriptor, and its name by a rename, which goes through no link.
Rule 2: what was interrupted is gone on with in that folder; it is removed when it is empty.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from deploy.backup.foreign import FOLDER, Foreign, open_folder
from deploy.errors import DeployError

BEFORE: Final = ".before-restore"
_STAGE: Final = ".restoring"
_OTHERS: Final = 0o077
_ODD = "{path}: is not as this command left it. Nothing more was changed."

Give = Callable[[int], None]


class Landing(Foreign):
    """A folder of the host, for files to be put into."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take an open descriptor over."""
        super().__init__(path, descriptor)
        self._stage: int | None = None

    def close(self) -> None:
        """Close it; what was being made and is not in place stays."""
        if self._stage is not None:
            os.close(self._stage)
            with suppress(OSError):
                os.rmdir(_STAGE, dir_fd=self.descriptor)
        os.close(self.descriptor)

    def folder(self, name: str, give: Give) -> "Landing":
        """Open a folder in it, making it if it is missing; `give` sets owner and mode. Raises DeployError."""
        made = False
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=self.descriptor)
            made = True
        inner = Landing(self.path / name, open_folder(self.path / name, name, self.descriptor))
        if made and _is_own(inner.descriptor):
            give(inner.descriptor)
        return inner

    def has(self, name: str) -> bool:
        """Tell whether there is anything of that name."""
        return self._status(name) is not None

    def has_file(self, name: str) -> bool:
        """Tell whether there is a regular file of that name."""
        found = self._status(name)
        return found is not None and stat.S_ISREG(found.st_mode)

    @contextmanager
    def making(self, name: str) -> Iterator[int]:
        """Open a file that is being made, as far as an earlier run came with it. Raises DeployError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(name, flags, 0o600, dir_fd=self._staged())
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                raise DeployError(_ODD.format(path=self.path / _STAGE / name))
            yield descriptor
        finally:
            os.close(descriptor)

    def land(self, name: str) -> None:
        """Give a file that was made, and is durable, its place."""
        os.rename(name, name, src_dir_fd=self._staged(), dst_dir_fd=self.descriptor)

    def put(self, name: str, content: bytes, give: Give) -> None:
        """Put a small file in place of what was there, durable. Raises DeployError, OSError."""
        with self.making(name) as descriptor:
            os.ftruncate(descriptor, 0)
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(content)
            give(descriptor)
            os.fsync(descriptor)
        self.land(name)
        self.sync()

    def set_aside(self, name: str) -> Path | None:
        """Give what is in the way another name, and say which; None if nothing is."""
        if not self.has(name):
            return None
        aside, number = name + BEFORE, 1
        while self.has(aside):
            number += 1
            aside = f"{name}{BEFORE}-{number}"
        os.rename(name, aside, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        return self.path / aside

    def sync(self) -> None:
        """Make the names in it durable."""
        os.fsync(self.descriptor)

    def _status(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _staged(self) -> int:
        if self._stage is None:
            self._stage = self._open_stage()
        return self._stage

    def _open_stage(self) -> int:
        for _ in range(2):
            with suppress(FileExistsError):
                os.mkdir(_STAGE, 0o700, dir_fd=self.descriptor)
            # A link there cannot be opened so, and what somebody else has made is not used.
            with suppress(NotADirectoryError):
                stage = os.open(_STAGE, FOLDER, dir_fd=self.descriptor)
                if _is_own(stage):
                    return stage
                os.close(stage)
            self.set_aside(_STAGE)
        raise DeployError(_ODD.format(path=self.path / _STAGE))


def _is_own(descriptor: int) -> bool:
    """Tell whether nobody else can have put anything into a folder."""
    found = os.fstat(descriptor)
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS
