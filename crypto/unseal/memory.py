"""A folder in memory, for a text that no disk may have seen."""

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from crypto.unseal.content import disk_errors
from crypto.unseal.troubles import NoMemoryFolderError

_PRIVATE_FOLDER = 0o700
_IN_MEMORY = {"tmpfs", "ramfs"}
_MOUNTS = Path("/proc/self/mountinfo")


@contextlib.contextmanager
def folder_in_memory() -> Iterator[Path]:
    """Give a new folder, 0700, and remove it with all that lies in it. Raises NoMemoryFolderError.

    A folder and not a file, so that what an editor puts beside its file goes with it.
    """
    folder = _place() / f"unseal-{secrets.token_hex(8)}"
    with disk_errors(folder):
        folder.mkdir(mode=_PRIVATE_FOLDER)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place() -> Path:
    given = os.environ.get("XDG_RUNTIME_DIR")
    for place in [Path(given)] if given else [], [Path("/dev/shm")]:  # noqa: S108  a new 0700 folder
        if place and _is_usable(place[0]) and _file_system(place[0].resolve()) in _IN_MEMORY:
            return place[0].resolve()
    raise NoMemoryFolderError


def _is_usable(place: Path) -> bool:
    with contextlib.suppress(OSError):
        found = place.stat()
        ours = found.st_uid == os.getuid() or bool(found.st_mode & stat.S_ISVTX)
        return stat.S_ISDIR(found.st_mode) and ours and os.access(place, os.W_OK | os.X_OK)
    return False


def _file_system(place: Path) -> str:
    """Tell what kind of file system holds a place (proc(5), mountinfo): the last, longest mount."""
    best, kind = -1, ""
    for line in _MOUNTS.read_text(errors="replace").splitlines():
        before, _dash, behind = line.partition(" - ")
        point = Path(before.split(" ")[4].replace("\\040", " "))
        if place.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), behind.split(" ")[0]
    return kind
