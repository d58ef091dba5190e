"""The folder that backups go to.

    uploads/ID.tar.gpg      a sealed file that is over: it never changes again
    unfinished/ID.tar.gpg   one that still grows, or whose copy is not whole yet
    SHA256SUMS              of what lies in uploads/, as `sha256sum -c` reads it
    snapshots/DAY.NN/       one backup: `files`, `state.tar.gpg`, tails/ID.tail

A line of `files` is SHA-256, length and place of one file; its last line is the SHA-256 of those before. A file in `unfinished/` may have grown, or
have become one of `uploads/`, since: its first `length` octets are what the line speaks of.
"""

import datetime as dt
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.backup.durable import sync_folder, write_durably
from deploy.errors import DeployError

SEALED: Final = ".tar.gpg"
TAIL: Final = ".tail"
STATE: Final = "state.tar.gpg"

_UPLOADS, _UNFINISHED = "uploads", "unfinished"
_NAME = re.compile(r"(\d{4}-\d\d-\d\d)\.\d\d+")
_SUM = re.compile(r"([0-9a-f]{64})  uploads/([0-9a-z]{1,64})\.tar\.gpg")
_LINE = re.compile(
    r"([0-9a-f]{64}) (\d{1,19}) "
    r"((?:uploads|unfinished|tails)/[0-9a-z]{1,64}\.(?:tar\.gpg|tail)|state\.tar\.gpg)"
)
_BUSY = "{folder}: another backup is being made there just now. This one has changed nothing."
_NO_PLACE = "{folder}: cannot be used for backups: {reason}. Nothing was changed."
_UNREADABLE = "{path}: is not as it was written, so this backup cannot be relied on."
_UNLISTED = (
    "the list of this backup could not be read again, so there is no new backup; what is copied stays. "
    "Tell whoever maintains this program."
)


@dataclass(frozen=True, slots=True)
class Line:
    """What a snapshot says of one file."""

    digest: str
    length: int
    place: str

    def __str__(self) -> str:
        """Give it as it is written."""
        return f"{self.digest} {self.length} {self.place}"

    @property
    def upload(self) -> str | None:
        """The upload whose sealed file this is, None if it is something else."""
        if not self.place.endswith(SEALED) or self.place == STATE:
            return None
        return Path(self.place).name.removesuffix(SEALED)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One backup: the service as it was at one moment."""

    name: str
    lines: tuple[Line, ...]

    @property
    def uploads(self) -> dict[str, Line]:
        """The sealed files, by upload."""
        return {line.upload: line for line in self.lines if line.upload is not None}


class Place:
    """A folder of backups."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, an absolute path."""
        self.folder = folder
        self.snapshots = folder / "snapshots"

    @property
    def is_begun(self) -> bool:
        """Tell whether there is a place of backups: a disk that is not mounted has none."""
        return self.snapshots.is_dir()

    def make(self) -> None:
        """Make what is missing; nobody else may look into it. Raises DeployError."""
        try:
            for path in (self.folder, self.snapshots, *self._of_uploads()):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DeployError(_NO_PLACE.format(folder=self.folder, reason=error.strerror)) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one who makes a backup here. Raises DeployError."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise DeployError(_BUSY.format(folder=self.folder)) from None
        finally:
            os.close(descriptor)

    def kept(self, upload: str) -> Path:
        """Where a sealed file lies that is over."""
        return self.folder / _UPLOADS / (upload + SEALED)

    def growing(self, upload: str) -> Path:
        """Where a sealed file lies that is not over, or not yet copied whole."""
        return self.folder / _UNFINISHED / (upload + SEALED)

    def keep(self, upload: str, digest: str) -> None:
        """Give a copy that is whole and durable its final name."""
        with (self.folder / "SHA256SUMS").open("a", encoding="ascii") as sums:
            sums.write(f"{digest}  {_UPLOADS}/{upload}{SEALED}\n")
        if self.growing(upload).exists():
            self.growing(upload).rename(self.kept(upload))

    def digests(self) -> dict[str, str]:
        """Give the digest of each copy that is whole. One that a crash took is found out anew."""
        try:
            lines = (self.folder / "SHA256SUMS").read_text("ascii", "replace").splitlines()
        except FileNotFoundError:
            return {}
        found = filter(None, map(_SUM.fullmatch, lines))
        return {match[2]: match[1] for match in found if self.kept(match[2]).exists()}

    def names(self) -> list[str]:
        """Give the snapshots' names, the oldest first."""
        if not self.snapshots.is_dir():
            return []
        found = (path.name for path in self.snapshots.iterdir())
        return sorted(name for name in found if _NAME.fullmatch(name))

    def next_name(self, today: dt.date) -> str:
        """Name a new snapshot: the day, and which of the day it is."""
        number = sum(name.startswith(f"{today}.") for name in self.names()) + 1
        while (name := f"{today}.{number:02}") in self.names():
            number += 1
        return name

    def read(self, name: str) -> Snapshot:
        """Read what a snapshot holds. Raises DeployError."""
        path = self.snapshots / name / "files"
        try:
            return Snapshot(name, read_list(path.read_text("ascii", "replace")))
        except OSError as error:
            raise DeployError(f"{path}: cannot be read: {error.strerror}.") from None
        except ValueError:
            raise DeployError(_UNREADABLE.format(path=path)) from None

    def find(self, snapshot: Snapshot, line: Line) -> Path | None:
        """Give where the file that a line speaks of lies now; None if it is gone."""
        candidates = [self.snapshots / snapshot.name / line.place]
        if line.upload is not None:
            candidates = [self.kept(line.upload), self.growing(line.upload)]
        return next((path for path in candidates if path.is_file()), None)

    def copies(self) -> dict[str, Path]:
        """Give every copy of a sealed file, by upload."""
        return {
            path.name.removesuffix(SEALED): path
            for folder in reversed(self._of_uploads())
            if folder.is_dir()
            for path in sorted(folder.iterdir())
            if path.name.endswith(SEALED)
        }

    def forget(self, uploads: set[str]) -> None:
        """Remove the copies of some uploads."""
        left = {key: value for key, value in self.digests().items() if key not in uploads}
        for upload in uploads:
            self.kept(upload).unlink(missing_ok=True)
            self.growing(upload).unlink(missing_ok=True)
        lines = [f"{value}  {_UPLOADS}/{key}{SEALED}\n" for key, value in left.items()]
        write_durably(self.folder / "SHA256SUMS", "".join(lines).encode())
        self.sync()

    def sync(self) -> None:
        """Make the names in it durable."""
        for folder in (*self._of_uploads(), self.snapshots, self.folder):
            sync_folder(folder)

    def _of_uploads(self) -> list[Path]:
        return [self.folder / _UPLOADS, self.folder / _UNFINISHED]


def latest(folder: Path) -> dt.date | None:
    """Give the day (UTC) of the newest backup in a folder, None if there is none."""
    names = Place(folder).names()
    return dt.date.fromisoformat(names[-1].partition(".")[0]) if names else None


def write_list(lines: Sequence[Line]) -> bytes:
    """Give the list of a snapshot as it is written. DeployError if it could not be read again."""
    listed = _summed(lines)
    try:
        read_list(listed.decode())
    except ValueError:
        raise DeployError(_UNLISTED) from None
    return listed


def read_list(text: str) -> tuple[Line, ...]:
    """Undo `write_list`; ValueError for anything else."""
    lines = tuple(map(_read_line, text.splitlines()[:-1]))
    if _summed(lines) != text.encode():
        raise ValueError
    return lines


def _summed(lines: Sequence[Line]) -> bytes:
    listed = "".join(f"{line}\n" for line in lines).encode()
    return listed + hashlib.sha256(listed).hexdigest().encode() + b"\n"


def _read_line(text: str) -> Line:
    match = _LINE.fullmatch(text)
    if match is None:
        raise ValueError
    return Line(match[1], int(match[2]), match[3])
