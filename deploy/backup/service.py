"""What a backup is made of: one service's settings, and where its things lie."""

import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.settings import Settings, load
from deploy.backup import state
from deploy.backup.database import sqlite_path, take
from deploy.backup.foreign import Foreign, OddError
from deploy.backup.place import SEALED, TAIL
from deploy.errors import DeployError
from deploy.places import HOST_SETTINGS
from submit.app import Places

_CLIENTS = "authorized_clients"
_OF_ONION: Final = (("source",), ("source", _CLIENTS), ("desk",), ("desk", _CLIENTS))
_ID: Final = re.compile("[a-z2-7]{26}")

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

    def names(self) -> tuple[list[str], list[str]]:
        """Give all uploads of which there is a sealed file; and what else has such a file's ending."""
        with _in_words(self.places.uploads), self._folder() as folder:
            found = [name for name in folder.names() if name.endswith(SEALED)]
        uploads = [name.removesuffix(SEALED) for name in found]
        return list(filter(_ID.fullmatch, uploads)), [
            name for name in found if not _ID.fullmatch(name.removesuffix(SEALED))
        ]

    @contextmanager
    def sealed(self, upload: str) -> Iterator[int | None]:
        """Open an upload's sealed file; None if it is gone. Raises OddError, OSError."""
        with self._folder() as folder, folder.file(upload + SEALED) as file:
            yield file

    def moment(self, file: int, upload: str) -> Growing:
        """Look at file and tail together; nobody appends meanwhile, and nobody waits long.

        Raises OddError, OSError.
        """
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            with self._folder() as folder:
                return Growing(os.fstat(file).st_size, folder.read(upload + TAIL))
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def state(self, odd: list[str]) -> dict[str, bytes]:
        """Take everything that is not a sealed file, the database as it is now. Raises DeployError.

        What is to be tor's and cannot be read as such is put into `odd`.
        """
        found = {
            state.DATABASE: take(self.database, self.settings.data),
            state.SALT: self._salt(),
            state.SETTINGS: _reading(self.config),
        }
        host = _optional(self.config.with_name(HOST_SETTINGS.name))
        if host is not None:
            found[state.HOST_SETTINGS] = host
        for number, path in enumerate(self.settings.recipients):
            found[f"{state.RECIPIENTS}{number}.asc"] = _reading(path)
        return found | dict(self._onion_files(odd))

    def _salt(self) -> bytes:
        path = self.places.salt
        with _in_words(path), Foreign.opened(path.parent) as folder:
            salt = folder.read(path.name)
        if salt is None:
            raise DeployError(_UNREADABLE.format(path=path, reason=os.strerror(errno.ENOENT)))
        return salt

    def _onion_files(self, odd: list[str]) -> Iterator[tuple[str, bytes]]:
        for below in _OF_ONION:
            if not self.onion.joinpath(*below).exists():
                continue
            try:
                with Foreign.opened(self.onion, *below) as folder:
                    yield from _of_onion(folder, below, odd)
            except DeployError:
                odd.append(str(self.onion.joinpath(*below)))

    def _folder(self) -> AbstractContextManager[Foreign]:
        return Foreign.opened(self.settings.data, "uploads")


def find_service(config: Path, onion: Path) -> Service:
    """Read a service's settings. Raises a `SettingsError`."""
    return Service(config.absolute(), load(config), onion)


def _of_onion(
    folder: Foreign, below: tuple[str, ...], odd: list[str]
) -> Iterator[tuple[str, bytes]]:
    for file in folder.names():
        name = state.ONION + "/".join((*below, file))
        if state.is_of_onion(name):
            try:
                content = folder.read(file)
            except OddError:
                odd.append(str(folder.path / file))
                continue
            if content is not None:
                yield name, content


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DeployError(_UNREADABLE.format(path=path, reason=error.strerror)) from None


def _optional(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _reading(path: Path) -> bytes:
    with _in_words(path):
        return path.read_bytes()
