"""What a backup is made of: one service's settings, and where its things lie."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from config.settings import Settings, load
from deploy.backup import state
from deploy.backup.database import sqlite_path, take
from deploy.backup.place import SEALED, TAIL
from deploy.errors import DeployError
from deploy.places import HOST_SETTINGS
from submit.app import Places

_Content = TypeVar("_Content")

_UNREADABLE = (
    "{path}: cannot be read: {reason}. The backup was not made; what is copied stays. Are you root?"
)


@dataclass(frozen=True, slots=True)
class Growing:
    """A sealed file at one moment: how long it was, and its tail then."""

    length: int
    tail: bytes | None


@dataclass(frozen=True, slots=True)
class Service:
    """One service on this machine. `onion` is the folder of its two onion services."""

    config: Path
    settings: Settings
    onion: Path

    @property
    def places(self) -> Places:
        """Where its data lie."""
        return Places(self.settings.data)

    @property
    def database(self) -> Path:
        """Its database's file. Raises DeployError if it is none of SQLite's."""
        return sqlite_path(self.settings.database)

    def uploads(self) -> list[str]:
        """Give all uploads of which there is a sealed file."""
        names = _reading(self.places.uploads, os.listdir)
        return sorted(name.removesuffix(SEALED) for name in names if name.endswith(SEALED))

    def sealed(self, upload: str) -> Path:
        """Where an upload's sealed file lies."""
        return self.places.uploads / (upload + SEALED)

    def moment(self, file: int, upload: str) -> Growing:
        """Look at file and tail together; nobody appends meanwhile, and nobody waits long."""
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            return Growing(os.fstat(file).st_size, _optional(self._tail(upload)))
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def state(self) -> dict[str, bytes]:
        """Take everything that is not a sealed file, the database as it is now. Raises DeployError."""
        found = {
            state.DATABASE: take(self.database, self.settings.data),
            state.SALT: _reading(self.places.salt, Path.read_bytes),
            state.SETTINGS: _reading(self.config, Path.read_bytes),
        }
        host = _optional(self.config.with_name(HOST_SETTINGS.name))
        if host is not None:
            found[state.HOST_SETTINGS] = host
        for number, path in enumerate(self.settings.recipients):
            found[f"{state.RECIPIENTS}{number}.asc"] = _reading(path, Path.read_bytes)
        return found | dict(self._onion_files())

    def _onion_files(self) -> Iterator[tuple[str, bytes]]:
        if not self.onion.exists():
            return
        for path in sorted(self.onion.rglob("*")):
            name = state.ONION + str(path.relative_to(self.onion))
            if state.is_of_onion(name):
                yield name, _reading(path, Path.read_bytes)

    def _tail(self, upload: str) -> Path:
        return self.places.uploads / (upload + TAIL)


def find_service(config: Path, onion: Path) -> Service:
    """Read a service's settings. Raises a `SettingsError`."""
    return Service(config.absolute(), load(config), onion)


@contextmanager
def opened(path: Path) -> Iterator[int | None]:
    """Open a file to read; None if it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _optional(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _reading(path: Path, read: Callable[[Path], _Content]) -> _Content:
    try:
        return read(path)
    except OSError as error:
        raise DeployError(_UNREADABLE.format(path=path, reason=error.strerror)) from None
