"""One request that adds octets to one upload, from the judge's word to the durable offset."""

from contextlib import suppress
from dataclasses import dataclass

from submit.errors import Refusal
from submit.intake.admission import Admission
from submit.intake.arrivals import Arrivals
from submit.intake.ports import Body, Clock, Rules
from submit.intake.receive import MemoryBody, Progress, read_all
from submit.intake.refusals import DamagedUploadError
from submit.intake.sessions import Session, Sessions
from submit.intake.state import wrap_length
from submit.store.errors import DiskFullError, MovedOnError
from submit.store.files import SealedFiles
from submit.store.records import State, UploadRow
from submit.store.records import Uploads as UploadRows
from submit.tus.refusals import (
    BodyCutShortError,
    LengthExceededError,
    UploadNotFoundError,
)
from submit.tus.requests import Append, decide_offset

_CHECKSUMMED_AT_ONCE = 8  # bodies of up to 16 MiB that wait in memory
_BEATS_A_LOOK = 16  # appends between two looks at the disk's room
_NEXT_WRITE = 1 << 23  # octets that these, a tail and a row may take


@dataclass(frozen=True, slots=True)
class Filling:
    """What it takes to fill uploads."""

    rows: UploadRows
    files: SealedFiles
    sessions: Sessions
    clock: Clock
    rules: Rules
    arrivals: Arrivals
    checksummed: Admission
    sound: dict[str, int]  # upload -> chunks at its start that were read back since a crash

    @classmethod
    def build(
        cls,
        rows: UploadRows,
        files: SealedFiles,
        sessions: Sessions,
        clock: Clock,
        rules: Rules,
        arrivals: Arrivals,
    ) -> "Filling":
        """Fill uploads in `rows` and `files`."""
        checksummed = Admission(_CHECKSUMMED_AT_ONCE)
        return cls(rows, files, sessions, clock, rules, arrivals, checksummed, {})

    def fill(
        self, session: Session, row: UploadRow, progress: Progress, append: Append, body: Body
    ) -> None:
        """Take the octets of one append; durable on return, and complete if the upload is whole.

        Raises the refusals of the protocol and of the disk, and MovedOnError; what had arrived
        is kept.
        """
        room = decide_offset(progress.offset, progress.state.length, append)
        body.stop_when(lambda: not progress.file.is_owned())
        try:
            self._take(session, row, progress, append, body, room)
        except DiskFullError:
            # What was appended before stays; a full disk seldom fails to sync it.
            with suppress(Refusal, MovedOnError):
                progress.file.sync()
            raise

    def complete(self, session: Session, row: UploadRow, progress: Progress) -> None:
        """End an upload whose content is all there.

        DamagedUploadError if not all of it is sound; MovedOnError if a newer request came.
        """
        if row.suspect:
            self._read_back(row, progress)
        progress.finish()
        day = self.clock.day()
        self.files.blur(row.id, day)
        wrapped = wrap_length(session.key, row.id, progress.state.length)
        closed = self.rows.close(row.id, State.COMPLETE, day, wrapped)
        if not closed and not self._is_complete(row):
            raise UploadNotFoundError
        # From here on the session key is nowhere: only the recipients open this file.
        self.files.drop_tail(row.id)
        if closed:
            self.arrivals.note_upload(session, progress.state)

    def _read_back(self, row: UploadRow, progress: Progress) -> None:
        # Forty gigabytes take minutes, and a client may lose patience and ask again: what was
        # found sound stays known, so that each attempt gets further than the one before.
        sound = self.sound[row.id] = progress.read_back(self.sound.get(row.id, 0))
        if not progress.file.is_owned():
            raise MovedOnError
        if sound < progress.sealer.index:
            progress.cut_back(sound)
            raise DamagedUploadError
        self.sound.pop(row.id, None)

    def _is_complete(self, row: UploadRow) -> bool:
        # Another request found the upload whole at the same moment, and was quicker.
        now = self.rows.find(row.id, row.source)
        return now is not None and now.state is State.COMPLETE

    def _take(
        self,
        session: Session,
        row: UploadRow,
        progress: Progress,
        append: Append,
        body: Body,
        room: int,
    ) -> None:
        octets = room if append.content_length is None else append.content_length
        if append.checksum is not None:
            received = self._take_verified(progress, append, body, octets)
        else:
            beat = self._heartbeat(session)
            received = progress.receive(body, octets, beat, self.rules.sync_interval)
        # Staff see how far it is; no finer than a tenth, because the length is not theirs yet.
        moved = (self.clock.day(), progress.tenths)
        if received and moved != (row.day, row.tenths):
            self.rows.move(row.id, *moved)
        # A chunked body says its length only by ending: is there more than may be?
        overlong = append.content_length is None and received == room and body.read(1)
        if progress.is_whole and not overlong:
            self.complete(session, row, progress)
        else:
            progress.keep()
        if overlong:
            raise LengthExceededError
        if append.content_length is not None and received < append.content_length:
            raise BodyCutShortError

    def _take_verified(self, progress: Progress, append: Append, body: Body, octets: int) -> int:
        with self.checksummed.admit():
            content = read_all(body, octets)
            if len(content) < octets:
                raise BodyCutShortError
            if append.checksum is not None:
                append.checksum.verify(content)
            return progress.receive(
                MemoryBody(content), octets, lambda: None, self.rules.sync_interval
            )

    def _heartbeat(self, session: Session) -> "_Heartbeat":
        return _Heartbeat(session, self.sessions, self.files, self.clock)


class _Heartbeat:
    """Looks up from receiving, at every append: for room, and for the life of the session."""

    def __init__(
        self, session: Session, sessions: Sessions, files: SealedFiles, clock: Clock
    ) -> None:
        self._session, self._sessions = session, sessions
        self._files, self._clock = files, clock
        self._quarter = clock.quarter()
        self._beats = 0

    def __call__(self) -> None:
        if self._beats % _BEATS_A_LOOK == 0:
            self._files.require_room(_NEXT_WRITE)
        self._beats += 1
        if self._quarter != self._clock.quarter():
            self._quarter = self._clock.quarter()
            self._sessions.keep_alive(self._session)
