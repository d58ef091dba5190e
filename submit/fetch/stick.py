"""The stick: what lies where, for one run at a time; nothing half is ever under a final name.

A stick is FAT or exFAT: it has no owners, modes or links, and FAT32 no file of 4 GiB. Names are
made of what `submit.fetch.listing` let through. Order: write, fsync, read back, rename, fsync.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from submit.fetch.errors import FetchError, StickError
from submit.fetch.listing import Digest

NIGHTFERRY = "nightferry"
LARGEST_ON_FAT = (1 << 32) - 1  # octets
_FAT = {"vfat", "msdos", "fat"}
_BLOCK = 1 << 20  # octets
_MOUNTS = Path("/proc/self/mounts")
_ESCAPED = re.compile(r"\\([0-7]{3})")
_WORDS = {
    errno.ENOSPC: "the stick is full.",
    errno.EROFS: "the stick can only be read: its switch, or its file system needs a repair.",
    errno.EFBIG: "the stick takes no file as large as this: format one as exFAT.",
    errno.EACCES: "this stick (or folder) is not yours to write to.",
    errno.EPERM: "this stick (or folder) is not yours to write to.",
    errno.EIO: "the stick does not answer: pulled out, or broken?",
    errno.ENODEV: "the stick does not answer: pulled out, or broken?",
    errno.ENXIO: "the stick does not answer: pulled out, or broken?",
    errno.ENOENT: "the stick is gone: pulled out?",
    errno.ELOOP: "there is a link on the stick where a file should be: do not trust this stick.",
}
_GO_ON = "What has come is kept; put it right and run it again."


@contextlib.contextmanager
def stick_errors() -> Iterator[None]:
    """Say in words what a stick does not do."""
    try:
        yield
    except OSError as error:
        words = _WORDS.get(error.errno or 0, f"the stick has a trouble: {error.strerror}.")
        raise StickError(f"{words} {_GO_ON}") from None


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one upload on the stick."""

    folder: Path
    upload: str

    @property
    def sealed(self) -> Path:
        """The verified sealed file."""
        return self.folder / f"{self.upload}.tar.gpg"

    @property
    def part(self) -> Path:
        """The sealed file while it comes in."""
        return self.folder / f"{self.upload}.tar.gpg.part"

    @property
    def tail(self) -> Path:
        """The tail of an upload that is not complete."""
        return self.folder / f"{self.upload}.tail"


class Stick:
    """A stick, or any folder."""

    def __init__(self, root: Path, largest: int | None = None) -> None:
        """`largest`: octets of a file that it can hold; None: none is too large."""
        self.home = root / NIGHTFERRY
        self.largest = largest
        self.replies = self.home / "replies"
        self._root = root

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the stick for this run alone. Raises FetchError."""
        with stick_errors():
            make_folder(self.home)
            for folder in (self.home / "sources", self.replies, self.replies / "sent"):
                require_no_link(folder)
            lock = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise FetchError(
                "another fetch is at work on this stick. Nothing was changed. Let it end, or stop it."
            ) from None
        finally:
            os.close(lock)

    def place(self, folder: str, upload: str) -> Place:
        """Give the place of an upload in the folder of its source."""
        return Place(self.home / "sources" / folder, upload)

    def room(self) -> int:
        """Give the octets that are free."""
        with stick_errors():
            return shutil.disk_usage(self._root).free


def open_stick(root: Path) -> Stick:
    """Take a folder as the stick. Raises FetchError."""
    if not root.is_dir():
        raise FetchError(f"{root}: there is no such folder. Is the stick in, and opened (mounted)?")
    try:
        mounts = _MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        mounts = ""
    is_fat = filesystem_of(root.resolve(), mounts) in _FAT
    return Stick(root, LARGEST_ON_FAT if is_fat else None)


def filesystem_of(path: Path, mounts: str) -> str:
    """Find the kind of file system at an absolute path in the text of /proc/self/mounts."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) > 2:  # noqa: PLR2004 # device, place, kind
            place = Path(_ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[1]))
            # The later of two at one place hides the earlier.
            if path.is_relative_to(place) and len(place.parts) >= best:
                best, kind = len(place.parts), fields[2]
    return kind


def size_of(path: Path) -> int | None:
    """Give a file's length; None if it is not there, or is no file."""
    with stick_errors():
        try:
            state = path.lstat()
        except FileNotFoundError:
            return None
    return state.st_size if path.is_file() and not path.is_symlink() else None


def make_folder(folder: Path) -> None:
    """Make a folder that is no link. Raises OSError."""
    require_no_link(folder)
    folder.mkdir(parents=True, exist_ok=True)


def require_no_link(path: Path) -> None:
    """Raise OSError if a path is a link: who had the stick does not choose where files go."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, "a link")


def append(path: Path, blocks: Iterator[bytes], count: Callable[[int], None]) -> None:
    """Write blocks at the end of a file; what came is durable, whatever ends them.

    Raises StickError, and what `blocks` raises.
    """
    with stick_errors():
        make_folder(path.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        file = os.open(path, flags, 0o600)
    with _made_durable(file):
        for block in blocks:
            with stick_errors():
                _write(file, block)
            count(len(block))


def replace(path: Path, octets: bytes) -> None:
    """Write a small file anew, by rename. Raises StickError."""
    unfinished = path.with_name(f"{path.name}.new")
    remove(unfinished)
    append(unfinished, iter([octets]), lambda _: None)
    publish(unfinished, path)


def publish(unfinished: Path, path: Path) -> None:
    """Give a durable file its final name. Raises StickError."""
    with stick_errors():
        unfinished.replace(path)
        sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file, if it is there. Raises StickError."""
    with stick_errors():
        path.unlink(missing_ok=True)


def blocks_of(path: Path, first: int = 0) -> Iterator[bytes]:
    """Read a file from an octet on, from the stick and not from memory. Raises StickError."""
    with stick_errors():
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        with stick_errors():
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.lseek(file, first, os.SEEK_SET)
        while True:
            with stick_errors():
                block = os.read(file, _BLOCK)
            if not block:
                return
            yield block
    finally:
        os.close(file)


def octets_of(path: Path) -> bytes | None:
    """Give a small file's octets, None if it is not there. Raises StickError."""
    return None if size_of(path) is None else b"".join(blocks_of(path))


def read_back(path: Path, stopped: threading.Event) -> Digest:
    """Hash a file as it lies on the stick. Raises StickError; ends early if the run has to."""
    sha256, length = hashlib.sha256(), 0
    for block in blocks_of(path):
        if stopped.is_set():
            break
        sha256.update(block)
        length += len(block)
    return Digest(length, sha256.hexdigest())


def sync_folder(folder: Path) -> None:
    """Make names durable, where the file system knows how. Raises OSError."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(file)


@contextlib.contextmanager
def _made_durable(file: int) -> Iterator[None]:
    """Close a file at the end; what was written is durable before, unless it is the stick that ends it."""
    try:
        yield
    except StickError:
        raise
    except BaseException:
        with stick_errors():
            os.fsync(file)
        raise
    else:
        with stick_errors():
            os.fsync(file)
    finally:
        os.close(file)


def _write(file: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(file, view) :]
