"""Putting a service back as a backup has it, on a host that has none.

Rule 1: the database comes last. Before it is there nothing can start, and the same command goes on
        where it was interrupted.
Rule 2: nothing that is there is removed. What is in the way gets another name, and that is said.
Rule 3: what does not fit together is restored as it is, and told: see `reconciling`.
Rule 4: root trusts no folder that a service can write: see `landing`.
"""

import os
import stat
import tomllib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from config.settings import Settings, read_settings
from config.table import Table
from deploy.backup import database, state
from deploy.backup.copying import catch_up_open
from deploy.backup.foreign import OddError, open_folder
from deploy.backup.landing import Landing
from deploy.backup.place import SEALED, TAIL, Line, Place, Snapshot
from deploy.backup.preparing import prepared
from deploy.backup.reconciling import Reconciled
from deploy.errors import DeployError
from deploy.host import Host
from deploy.places import (
    DESK_CLIENTS,
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

_IN_USE = (
    "{path}: a service with sources or staff lives here. Nothing was changed. Restore onto a host "
    "that has none, or look at the backup elsewhere with --into FOLDER. If this database is really "
    "to be replaced by an older one, move it away yourself, and run this again."
)


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
    found: Reconciled = field(default_factory=Reconciled)


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
        self._database = database.sqlite_path(settings.database)
        self._data = settings.data
        uploads = settings.data / "uploads"
        self.done = Restored(settings, host.path(self._database), host.path(uploads))
        self._open = ExitStack()
        self._landings: dict[Path, Landing] = {}

    def run(self, say: Callable[[str], None], *, with_onions: bool) -> Restored:
        """Do it. Raises DeployError, OSError; run again, it goes on.

        Without onions the host keeps its own addresses, and the settings that name them.
        """
        self._with_onions = with_onions
        self._require_unused()
        with self._open:
            self._make_folders()
            say("sealed files ...")
            self._bring_all()
            say("settings, certificates, onion keys ...")
            self._put_settings()
            self._put_onions()
            say("salt and database ...")
            salt = Places(self._data).salt
            self._put(salt, self._files[state.SALT], SOURCE_USER, GROUP, 0o600)
            self._put_database()
        return self.done

    def _require_unused(self) -> None:
        path, data = self.done.database, self._host.path(self._data)
        if os.path.lexists(path) and not database.is_unused(
            path, data if data.exists() else path.parent
        ):
            raise DeployError(_IN_USE.format(path=path))

    def _make_folders(self) -> None:
        for name in ("uploads", "run", "gnupg"):
            self._landing(self._data / name)
        if self._onions():
            for path in (SOURCE_ONION, DESK_CLIENTS):
                self._landing(path)

    # --- folders

    def _landing(self, absolute: Path) -> Landing:
        """Open a folder of the host, making what is missing; those of the services through no link."""
        if absolute not in self._landings:
            landing = self._enter(absolute)
            self._open.callback(landing.close)
            self._landings[absolute] = landing
        return self._landings[absolute]

    def _enter(self, absolute: Path) -> Landing:
        if any(outer in absolute.parents for outer in (self._data, TOR_DATA)):
            give = partial(self._give_folder, absolute)
            return self._landing(absolute.parent).folder(absolute.name, give)
        path = self._host.path(absolute)
        made = not path.exists()
        if made:
            mode = 0o755 if absolute not in (self._data, TOR_DATA) else 0o700
            path.mkdir(mode=mode, parents=True)
        landing = Landing(path, open_folder(path))
        if made:
            self._give_folder(absolute, landing.descriptor)
        return landing

    def _give_folder(self, absolute: Path, descriptor: int) -> None:
        known = next((folder for folder in FOLDERS if folder.path == absolute), None)
        if known is not None:
            self._give(known.user, known.group, known.mode, descriptor)

    # --- sealed files

    def _bring_all(self) -> None:
        for upload, line in self._snapshot.uploads.items():
            self._bring(upload, line)
        for line in self._snapshot.lines:
            if line.place.endswith(TAIL):
                self._bring_tail(line)
        self._uploads.sync()

    @property
    def _uploads(self) -> Landing:
        return self._landing(self._data / "uploads")

    def _bring(self, upload: str, line: Line) -> None:
        copy = self._place.find(self._snapshot, line)
        if copy is None:
            self.done.missing.append(upload)
            return
        if not self._uploads.has_file(upload + SEALED):
            self._bring_whole(upload, line, copy)
        self.done.files += 1
        self.done.octets += line.length

    def _bring_whole(self, upload: str, line: Line, copy: Path) -> None:
        name = upload + SEALED
        self._set_aside(self._uploads, name)
        with copy.open("rb") as file, self._uploads.making(name) as target:
            copied = catch_up_open(file.fileno(), line.length, target)
            times = os.fstat(file.fileno())
            os.utime(target, ns=(times.st_mtime_ns, times.st_mtime_ns))
            self._give(SOURCE_USER, GROUP, self._mode(), target)
        if (copied.digest, copied.length) != (line.digest, line.length):
            self.done.damaged.append(upload)
        self._uploads.land(name)

    def _bring_tail(self, line: Line) -> None:
        copy, name = self._place.find(self._snapshot, line), Path(line.place).name
        # One that is there belongs to a file that is there, which may be longer by now.
        if copy is not None and not self._uploads.has_file(name):
            self._set_aside(self._uploads, name)
            give = partial(self._give, SOURCE_USER, GROUP, self._mode())
            self._uploads.put(name, copy.read_bytes(), give)

    # --- everything else

    def _put_settings(self) -> None:
        settings, files = self._landing(SETTINGS.parent), self._files
        if self._with_onions or not settings.has(SETTINGS.name):
            self._put(SETTINGS, files[state.SETTINGS], "root", GROUP, 0o640)
        else:
            self.done.left.append(self._host.path(SETTINGS))
        for number, path in enumerate(self.done.settings.recipients):
            certificate = files.get(f"{state.RECIPIENTS}{number}.asc")
            if certificate is not None:
                self._put(path, certificate, "root", "root", 0o644)
        if state.HOST_SETTINGS in files:
            self._put_host_settings(files[state.HOST_SETTINGS])

    def _put_host_settings(self, content: bytes) -> None:
        """Those of another host could lock the sysadmin out: what is there stays."""
        there = self._read(HOST_SETTINGS)
        if there is None:
            self._put(HOST_SETTINGS, content, "root", "root", 0o644)
        elif there != content:
            self.done.left.append(self._host.path(HOST_SETTINGS))

    def _put_onions(self) -> None:
        for name in self._onions():
            path = TOR_DATA / name.removeprefix(state.ONION)
            self._put(path, self._files[name], TOR_USER, TOR_USER, 0o600)

    def _onions(self) -> list[str]:
        if not self._with_onions:
            return []
        # The secret key last: without it there is no service.
        return sorted(filter(state.is_of_onion, self._files), key=lambda name: "secret" in name)

    def _put_database(self) -> None:
        landing, name = self._landing(self._database.parent), self._database.name
        ready, self.done.found = prepared(self._files[state.DATABASE], self._sealed())
        # A journal that lies about would be taken for this database's own.
        for ending in ("", "-wal", "-shm", "-journal"):
            self._set_aside(landing, name + ending)
        landing.put(name, ready, partial(self._give, SOURCE_USER, GROUP, self._mode()))

    def _sealed(self) -> set[str]:
        """Give the uploads of which there is a sealed file."""
        names = self._uploads.names()
        return {name.removesuffix(SEALED) for name in names if name.endswith(SEALED)}

    def _put(self, absolute: Path, content: bytes, user: str, group: str, mode: int) -> None:
        landing = self._landing(absolute.parent)
        if self._read(absolute) != content:
            self._set_aside(landing, absolute.name)
            landing.put(absolute.name, content, partial(self._give, user, group, mode))

    def _read(self, absolute: Path) -> bytes | None:
        try:
            return self._landing(absolute.parent).read(absolute.name)
        except OddError:
            return None

    def _set_aside(self, landing: Landing, name: str) -> None:
        aside = landing.set_aside(name)
        if aside is not None:
            self.done.moved.append(aside)

    def _mode(self) -> int:
        """Let the group at a file only if it is let into the folder, as the service does."""
        data = os.fstat(self._landing(self._data).descriptor)
        return 0o660 if data.st_mode & stat.S_IRWXG else 0o600

    def _give(self, user: str, group: str, mode: int, descriptor: int) -> None:
        os.fchmod(descriptor, mode)
        owner, owners = self._host.user_id(user), self._host.group_id(group)
        if os.geteuid() == 0 and owner is not None and owners is not None:
            os.fchown(descriptor, owner, owners)
            os.fchmod(descriptor, mode)  # a change of owner takes the setgid bit away
