"""An intake on a lossy disk, with a clock that is moved by hand and real gpg and SQLite."""

import shutil
from collections.abc import Callable
from pathlib import Path

from config.settings import Settings
from crypto.codename import CHEAPEST
from crypto.session_key import NewMessageKeys, SessionKey
from submit.app import World, build_intake, make_database
from submit.intake.door import Intake
from submit.intake.opening import KeyMaker
from submit.intake.sessions import Session
from submit.store.database import Database
from submit.store.records import UploadRow, Uploads
from tests.intake.lossy_disk import LossyDisk

DAY = 86400
_PIECE = 70_000  # octets


class IntakeWorld:
    """Everything around one intake that survives its death: disk, database, clock."""

    def __init__(self, folder: Path, certificate: Path, template: Path | None = None) -> None:
        self.settings = Settings(
            data=folder,
            database=f"sqlite:///{folder}/nightferry.db",
            recipients=(certificate,),
            hosts=("127.0.0.1",),
            listen="127.0.0.1:1",
        )
        self.disk = LossyDisk()
        self.now = 20_000.5 * DAY
        if template is None:
            make_database(self.settings)
        else:
            shutil.copytree(template, folder)
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
        opening = self.intake.uploads._opening
        self.keys = opening._keys = RememberingKeys(opening._keys)
        self.intake.housekeeping.start(clean=clean)
        return self.intake

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

    def __init__(self, maker: KeyMaker) -> None:
        self._maker = maker
        self.last = SessionKey(b"")

    def make(self) -> NewMessageKeys:
        made = self._maker.make()
        self.last = made.session_key
        return made


class ScriptedBody:
    """A body that comes in pieces, ends where it is told to, and lets something happen between.

    What happens, happens after the first piece: then a chunk is in the file and another begun.
    """

    def __init__(self, octets: bytes, between: Callable[[], None] | None = None) -> None:
        self._rest, self._between, self._reads = octets, between, 0
        self._interrupted: Callable[[], bool] = lambda: False

    def read(self, octets: int) -> bytes:
        self._reads += 1
        if self._reads == 2 and self._between is not None:
            self._between()
        if self._interrupted():
            return b""
        octets = min(octets, _PIECE)
        taken, self._rest = self._rest[:octets], self._rest[octets:]
        return taken

    def stop_when(self, interrupted: Callable[[], bool]) -> None:
        self._interrupted = interrupted


class DeafBody(ScriptedBody):
    """A body on a half-open connection: what was in flight still comes after the take-over."""

    def stop_when(self, interrupted: Callable[[], bool]) -> None:
        del interrupted
