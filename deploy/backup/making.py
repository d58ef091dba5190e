"""Making one backup while the service runs.

The order is what makes it consistent: first the database, in memory, at one moment; then the files.
A file is then never behind what its row says: it may only have more, which a restore goes through
again. What began later has no row in this backup, and is in the next one.
"""

import datetime as dt
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from crypto.errors import CryptoError
from crypto.session_key import NewMessageKeys, SessionKeyMaker
from deploy.backup import state
from deploy.backup.copying import Copied, catch_up, digests_at
from deploy.backup.database import upload_states
from deploy.backup.durable import sync_folder, write_durably
from deploy.backup.foreign import OddError
from deploy.backup.place import SEALED, STATE, TAIL, Line, Place, write_list
from deploy.backup.service import Service
from deploy.errors import DeployError
from submit.store.records import State

_OVER: Final = {State.COMPLETE, State.EXPIRED}
_A_WORD_EVERY: Final = 8 << 30  # octets

_NO_ROOM = (
    "{folder}: lies on the disk of the uploads, and what is still to be copied would go into the "
    "reserve that keeps the service alive. What is copied stays. Choose another disk, with --to or "
    "backup_to in host.toml."
)
_NOT_SEALED = (
    "the sealed files are copied and stay. The rest, the database above all, could not be sealed to "
    "the recipients, so there is no new backup: {reason}. See: nightferry recipients"
)


@dataclass
class Made:
    """What came of it."""

    name: str
    files: int = 0
    octets: int = 0
    written: int = 0
    unfinished: int = 0
    without_row: list[str] = field(default_factory=list)
    without_file: list[str] = field(default_factory=list)
    removed_meanwhile: int = 0
    differing: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    onions: bool = False


class Making:
    """One backup that is being made."""

    def __init__(
        self, service: Service, place: Place, today: dt.date, say: Callable[[str], None]
    ) -> None:
        """Back a service up into a place, which is locked."""
        self._service, self._place, self._say = service, place, say
        self._today = today
        self._lines: list[Line] = []
        self._digests = place.digests()
        self._said = 0

    def run(self, keep: int) -> Made:
        """Make it, then let go of all but the newest `keep`. Raises DeployError, OSError."""
        made = Made(self._place.next_name(self._today))
        folder = self._begin(made.name)
        files = self._service.state(made.odd)
        made.onions = any(map(state.is_of_onion, files))
        self._copy_all(
            made, folder, upload_states(files[state.DATABASE], self._service.settings.data)
        )
        self._put(folder, STATE, state.seal(files, self._new_keys()))
        self._publish(folder, made.name)
        made.forgotten = self._let_go(keep)
        return made

    def _new_keys(self) -> NewMessageKeys:
        service = self._service
        try:
            return SessionKeyMaker("gpg", service.places.gnupg, service.settings.recipients).make()
        except CryptoError as error:
            raise DeployError(_NOT_SEALED.format(reason=error)) from None

    def _begin(self, name: str) -> Path:
        for left in self._place.snapshots.glob("*.new"):
            shutil.rmtree(left)
        folder = self._place.snapshots / f"{name}.new"
        (folder / "tails").mkdir(parents=True, mode=0o700)
        return folder

    def _copy_all(self, made: Made, folder: Path, states: dict[str, str]) -> None:
        uploads, odd = self._service.names()
        made.odd += odd
        over = {upload for upload, known in states.items() if known in _OVER}
        made.without_file = sorted(over.difference(uploads))
        for upload in uploads:
            if states.get(upload) != State.GONE:
                self._copy_one(made, folder, upload, states.get(upload))
                self._tell(made)

    def _copy_one(self, made: Made, folder: Path, upload: str, known: str | None) -> None:
        try:
            with self._service.sealed(upload) as file:
                if file is None:
                    made.removed_meanwhile += 1
                    return
                self._copy(made, folder, file, upload, known)
        except OddError:
            made.odd.append(upload + SEALED)
            return
        if known is None:
            made.without_row.append(upload)

    def _copy(self, made: Made, folder: Path, file: int, upload: str, known: str | None) -> None:
        now = self._service.moment(file, upload)
        if now.tail is not None and known != State.COMPLETE:
            self._put(folder, f"tails/{upload}{TAIL}", now.tail)
        if known in _OVER:
            line = self._keep(made, file, upload, now.length)
        else:
            copied = self._catch_up(file, now.length, self._place.growing(upload))
            line = Line(copied.digest, copied.length, f"unfinished/{upload}{SEALED}")
            made.written += copied.written
            made.unfinished += known is not None
        self._lines.append(line)
        made.files += 1
        made.octets += line.length

    def _keep(self, made: Made, file: int, upload: str, length: int) -> Line:
        kept, place = self._place.kept(upload), f"uploads/{upload}{SEALED}"
        if upload in self._digests:
            copy = kept.stat().st_size
            if copy != length:
                made.differing.append(upload)
            return Line(self._digests[upload], copy, place)
        # It is there without its digest if the last run was interrupted just then.
        path = kept if kept.exists() else self._place.growing(upload)
        copied = self._catch_up(file, length, path)
        os.truncate(path, copied.length)
        status = os.fstat(file)
        os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
        self._place.keep(upload, copied.digest)
        made.written += copied.written
        return Line(copied.digest, copied.length, place)

    def _catch_up(self, file: int, length: int, copy: Path) -> Copied:
        self._require_room(length - (copy.stat().st_size if copy.exists() else 0))
        return catch_up(file, length, copy)

    def _require_room(self, octets: int) -> None:
        """On the disk of the uploads, the service's reserve is not ours."""
        data, folder = self._service.settings.data, self._place.folder
        if data.stat().st_dev != folder.stat().st_dev:
            return
        room = os.statvfs(folder)
        if room.f_bavail * room.f_frsize - octets < self._service.settings.disk_reserve:
            raise DeployError(_NO_ROOM.format(folder=folder))

    def _put(self, folder: Path, name: str, content: bytes) -> None:
        path = folder / name
        write_durably(path, content)
        [digest] = digests_at(path, {len(content)}).values()
        self._lines.append(Line(digest, len(content), name))

    def _publish(self, folder: Path, name: str) -> None:
        self._place.sync()
        write_durably(folder / "files", write_list(self._lines))
        sync_folder(folder / "tails")
        folder.rename(self._place.snapshots / name)
        sync_folder(self._place.snapshots)

    def _let_go(self, keep: int) -> list[str]:
        """Remove the oldest snapshots, and the copies that no other one speaks of."""
        names = self._place.names()
        for name in names[:-keep]:
            # Not a snapshot any more before the first of its files goes.
            left = self._place.snapshots / f"{name}.new"
            (self._place.snapshots / name).rename(left)
            shutil.rmtree(left)
        spoken_of = {upload for name in names[-keep:] for upload in self._place.read(name).uploads}
        unknown = sorted(self._place.copies().keys() - spoken_of)
        if unknown:
            self._place.forget(set(unknown))
        return unknown

    def _tell(self, made: Made) -> None:
        if made.written - self._said >= _A_WORD_EVERY:
            self._said = made.written
            self._say(f"  {made.files} files so far, {made.written / 1e9:.1f} GB copied")
