"""An intake on a lossy disk, with a clock that is moved by hand and real gpg and SQLite."""

import shutil
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path

from config.settings import Settings
from crypto.codename import CHEAPEST
from crypto.session_key import NewMessageKeys, SessionKey
from submit.app import World, build_intake, make_database
from submit.intake.door import Intake
from submit.intake.opening import KeyMaker
from submit.intake.sessions import Session
from submit.store.database import Database
from submit.store.records import UploadRow, Uploads, Work, WorkRow
from tests.intake.lossy_disk import LossyDisk

DAY = 86400
PIECE = 86_000  # octets: three are nearly four chunks


class IntakeWorld:
    """Everything around one intake that survives its death: disk, database, clock."""

    def __init__(
        self,
        folder: Path,
        certificate: Path,
        template: Path | None = None,
        sync_interval: int = 64 << 20,
    ) -> None:
        self.settings = Settings(
            data=folder,
            database=f"sqlite:///{folder}/nightferry.db",
            recipients=(certificate,),
            hosts=("127.0.0.1",),
            listen="127.0.0.1:1",
        )
        self.disk = LossyDisk()
        self._sync_interval = sync_interval
        self.now = 20_000.5 * DAY
        if template is None:
            make_database(self.settings)
        else:
            shutil.copytree(template, folder)
        self.last_key = SessionKey(b"")
        self._database: Database | None = None
        self.intake = self.start(clean=True)

    @property
    def database(self) -> Database:
        assert self._database is not None
        return self._database

    def start(self, *, clean: bool) -> Intake:
        """Start the service anew on what is there."""
        self.close()
        self._database = Database(self.settings.database, 2)
        world = World(lambda: self.now, CHEAPEST, lambda _path: self.disk)
        self.intake = build_intake(self.settings, world, self._database)
        uploads = self.intake.uploads
        rules = replace(uploads._filling.rules, sync_interval=self._sync_interval)
        uploads._filling = replace(uploads._filling, rules=rules)
        # A copy: the same opening also makes the key of the file that introduces a source.
        opening = uploads._opening = copy(uploads._opening)
        opening._keys = RememberingKeys(opening._keys, self)
        self.intake.housekeeping.start(clean=clean)
        return self.intake

    def do_daily_work(self) -> None:
        """Do it on a host that has done it every day until now."""
        today = int(self.now) // DAY
        Work(self.database).note(WorkRow(today - 1))
        self.intake.housekeeping.daily()

    def close(self) -> None:
        """Close the database."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def row(self, session: Session, upload: str) -> UploadRow | None:
        """Give an upload's row."""
        return Uploads(self.database).find(upload, session.source)

    def sealed(self, upload: str) -> bytes:
        """Give the sealed file as it is seen now."""
        file = self.disk.open(f"{upload}.tar.gpg")
        return file.read(0, file.length())

    def tail(self, upload: str) -> bytes:
        """Give the tail as it is seen now; empty if there is none."""
        if f"{upload}.tail" not in self.disk.names_seen:
            return b""
        file = self.disk.open(f"{upload}.tail")
        return file.read(0, file.length())


class RememberingKeys:
    """Makes real keys, and keeps the last session key for the recipient of a test."""

    def __init__(self, maker: KeyMaker, world: IntakeWorld) -> None:
        self._maker, self._world = maker, world

    def make(self) -> NewMessageKeys:
        made = self._maker.make()
        self._world.last_key = made.session_key
        return made


class ScriptedBody:
    """A body that comes in pieces, ends where it is told to, and lets something happen between.

    What happens, happens after some pieces: then chunks are in the file and another is begun.
    """

    def __init__(
        self, octets: bytes, between: Callable[[], None] | None = None, pieces: int = 1
    ) -> None:
        self._rest, self._between, self._pieces = octets, between, pieces
        self._interrupted: Callable[[], bool] = lambda: False

    def read(self, octets: int) -> bytes:
        if self._pieces == 0 and self._between is not None:
            self._between()
        self._pieces -= 1
        if self._interrupted():
            return b""
        octets = min(octets, PIECE)
        taken, self._rest = self._rest[:octets], self._rest[octets:]
        return taken

    def stop_when(self, interrupted: Callable[[], bool]) -> None:
        self._interrupted = interrupted


class DeafBody(ScriptedBody):
    """A body on a half-open connection: what was in flight still comes after the take-over."""

    def stop_when(self, interrupted: Callable[[], bool]) -> None:
        del interrupted
