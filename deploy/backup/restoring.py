"""Putting a service back as a backup has it, on a host that has none.

Rule 1: the database comes last. Before it is there nothing can start, and the same command goes on
        where it was interrupted.
Rule 2: nothing that is there is removed. What is in the way gets another name, and that is said.
Rule 3: what does not fit together is restored as it is, and told: see `reconciling`.
"""

import os
import stat
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from alembic.util.exc import CommandError
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings, read_settings
from config.table import Table
from deploy.backup import database, state
from deploy.backup.copying import catch_up
from deploy.backup.durable import sync_folder, write_durably
from deploy.backup.place import SEALED, TAIL, Line, Place, Snapshot
from deploy.errors import DeployError
from deploy.host import Host
from deploy.places import (
    DESK_CLIENTS,
    DESK_ONION,
    FOLDERS,
    GROUP,
    HOST_SETTINGS,
    SETTINGS,
    SOURCE_ONION,
    SOURCE_USER,
    TOR_DATA,
    TOR_USER,
)
from submit.app import Places
from submit.store.database import migrate

_IN_USE = (
    "{path}: a service with sources or staff lives here. Nothing was changed. Restore onto a host "
    "that has none, or look at the backup elsewhere with --into FOLDER. If this database is really "
    "to be replaced by an older one, move it away yourself, and run this again."
)
_NEWER = (
    "the backup is of a newer version than this program, or its database is damaged. The sealed "
    "files are in place, the service is not. Install that version, then run the command again."
)
_BEFORE = ".before-restore"
_RESTORING = ".restoring"


@dataclass
class Restored:
    """What came of it."""

    settings: Settings
    database: Path
    uploads: Path
    files: int = 0
    octets: int = 0
    damaged: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    moved: list[Path] = field(default_factory=list)
    left: list[Path] = field(default_factory=list)


class Restoring:
    """One snapshot on its way to one host."""

    def __init__(
        self, host: Host, place: Place, snapshot: Snapshot, files: dict[str, bytes]
    ) -> None:
        """Take a snapshot and its state, opened. Raises a `SettingsError`, DeployError."""
        self._host, self._place, self._snapshot, self._files = host, place, snapshot, files
        self._with_onions = True
        parsed = tomllib.loads(files[state.SETTINGS].decode())
        settings = read_settings(Table(parsed))
        own = database.sqlite_path(settings.database)
        self.done = Restored(settings, host.path(own), host.path(settings.data / "uploads"))
        self._data = host.path(settings.data)

    def run(self, say: Callable[[str], None], *, with_onions: bool) -> Restored:
        """Do it. Raises DeployError, OSError; run again, it goes on.

        Without onions the host keeps its own addresses, and the settings that name them.
        """
        self._with_onions = with_onions
        self._require_unused()
        self._make_folders()
        say("sealed files ...")
        for upload, line in self._snapshot.uploads.items():
            self._bring(upload, line)
        for line in self._snapshot.lines:
            if line.place.endswith(TAIL):
                self._bring_tail(line)
        sync_folder(self.done.uploads)
        say("settings, certificates, onion keys ...")
        self._put_settings()
        self._put_onions()
        say("salt and database ...")
        self._put(Places(self._data).salt, self._files[state.SALT], SOURCE_USER, GROUP, 0o600)
        self._put_database()
        return self.done

    def _require_unused(self) -> None:
        if self.done.database.exists() and not database.is_unused(self.done.database):
            raise DeployError(_IN_USE.format(path=self.done.database))

    def _make_folders(self) -> None:
        settings = self.done.settings.data
        for path in (settings, settings / "uploads", settings / "run", settings / "gnupg"):
            self._make_folder(path)
        if self._onions():
            for path in (TOR_DATA, SOURCE_ONION, DESK_ONION, DESK_CLIENTS):
                self._make_folder(path)

    def _make_folder(self, absolute: Path) -> None:
        path = self._host.path(absolute)
        if path.exists():
            return
        path.mkdir(mode=0o700, parents=True)
        known = next((folder for folder in FOLDERS if folder.path == absolute), None)
        if known is not None:
            self._give(path, known.user, known.group, known.mode)

    # --- sealed files

    def _bring(self, upload: str, line: Line) -> None:
        target = self.done.uploads / (upload + SEALED)
        copy = self._place.find(self._snapshot, line)
        if copy is None:
            self.done.missing.append(upload)
            return
        if not target.exists():
            self._bring_whole(upload, line, copy, target)
        self.done.files += 1
        self.done.octets += line.length

    def _bring_whole(self, upload: str, line: Line, copy: Path, target: Path) -> None:
        new = target.with_name(target.name + _RESTORING)
        with copy.open("rb") as file:
            copied = catch_up(file.fileno(), line.length, new)
        if (copied.digest, copied.length) != (line.digest, line.length):
            self.done.damaged.append(upload)
        times = copy.stat()
        os.utime(new, ns=(times.st_mtime_ns, times.st_mtime_ns))
        self._give(new, SOURCE_USER, GROUP, self._mode())
        new.rename(target)

    def _bring_tail(self, line: Line) -> None:
        copy = self._place.find(self._snapshot, line)
        target = self.done.uploads / Path(line.place).name
        # One that is there belongs to a file that is there, which may be longer by now.
        if copy is not None and not target.exists():
            self._write(target, copy.read_bytes(), SOURCE_USER, GROUP, self._mode())

    # --- everything else

    def _put_settings(self) -> None:
        host, files = self._host, self._files
        for path in (SETTINGS, *self.done.settings.recipients):
            host.path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if self._with_onions or not host.path(SETTINGS).exists():
            self._put(host.path(SETTINGS), files[state.SETTINGS], "root", GROUP, 0o640)
        else:
            self.done.left.append(host.path(SETTINGS))
        for number, path in enumerate(self.done.settings.recipients):
            certificate = files.get(f"{state.RECIPIENTS}{number}.asc")
            if certificate is not None:
                self._put(host.path(path), certificate, "root", "root", 0o644)
        if state.HOST_SETTINGS in files:
            self._put_host_settings(host.path(HOST_SETTINGS), files[state.HOST_SETTINGS])

    def _put_host_settings(self, path: Path, content: bytes) -> None:
        """Those of another host could lock the sysadmin out: what is there stays."""
        if not path.exists():
            self._write(path, content, "root", "root", 0o644)
        elif path.read_bytes() != content:
            self.done.left.append(path)

    def _put_onions(self) -> None:
        for name in self._onions():
            path = self._host.path(TOR_DATA) / name.removeprefix(state.ONION)
            self._put(path, self._files[name], TOR_USER, TOR_USER, 0o600)

    def _onions(self) -> list[str]:
        if not self._with_onions:
            return []
        # The secret key last: without it there is no service.
        return sorted(filter(state.is_of_onion, self._files), key=lambda name: "secret" in name)

    def _put_database(self) -> None:
        path = self.done.database
        new = path.with_name(path.name + _RESTORING)
        self._write(new, self._files[state.DATABASE], SOURCE_USER, GROUP, self._mode())
        _prepare(new)
        self._give(new, SOURCE_USER, GROUP, self._mode())
        for ending in ("", "-wal", "-shm"):
            self._set_aside(path.with_name(path.name + ending))
        new.rename(path)
        sync_folder(path.parent)

    def _put(self, path: Path, content: bytes, user: str, group: str, mode: int) -> None:
        if path.exists() and path.read_bytes() == content:
            return
        self._set_aside(path)
        self._write(path, content, user, group, mode)

    def _set_aside(self, path: Path) -> None:
        if path.exists():
            aside, number = path.with_name(path.name + _BEFORE), 1
            while aside.exists():
                number += 1
                aside = path.with_name(f"{path.name}{_BEFORE}-{number}")
            path.rename(aside)
            self.done.moved.append(aside)

    def _write(self, path: Path, content: bytes, user: str, group: str, mode: int) -> None:
        write_durably(path, content)
        self._give(path, user, group, mode)

    def _mode(self) -> int:
        """Let the group at a file only if it is let into the folder, as the service does."""
        shared = stat.S_IMODE(self._data.stat().st_mode) & stat.S_IRWXG
        return 0o660 if shared else 0o600

    def _give(self, path: Path, user: str, group: str, mode: int) -> None:
        path.chmod(mode)
        owner, owners = self._host.user_id(user), self._host.group_id(group)
        if os.geteuid() == 0 and owner is not None and owners is not None:
            os.chown(path, owner, owners)
            path.chmod(mode)  # after the owner: a change of owner takes the setgid bit away


def _prepare(path: Path) -> None:
    """Bring a database to this version's form, and let nothing unfinished be taken on trust."""
    url = f"sqlite:///{path}"
    try:
        migrate(url)
        engine = create_engine(url)
        with engine.begin() as connection:
            # It may have been sent on after the backup: all is read back before it is complete.
            connection.execute(text("UPDATE uploads SET suspect = 1 WHERE state = 'open'"))
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
        engine.dispose()
    except (CommandError, SQLAlchemyError):
        raise DeployError(_NEWER) from None
    if not database.is_sound(path):
        raise DeployError(_NEWER)
