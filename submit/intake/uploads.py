"""Uploads as their source sees them: created, asked about, appended to, taken back.

The thin clerk of submit.tus: it looks up, asks the judge, and does as it is told.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace

from crypto.archive import encode_head
from crypto.layout import MAX_CONTENT
from crypto.seal import IV_LENGTH, data_header
from crypto.session_key import NewMessageKeys
from submit.intake.filling import Filling
from submit.intake.identifiers import keyed_upload_id, new_upload_id
from submit.intake.introductions import Introductions
from submit.intake.opening import Opening
from submit.intake.ports import Body
from submit.intake.receive import Progress, unsynced_chunks
from submit.intake.refusals import DamagedUploadError
from submit.intake.sessions import Session
from submit.intake.state import UploadState, unwrap_length, unwrap_state, wrap_state
from submit.store.errors import DiskFaultError, MissingFileError, MovedOnError, TakenError
from submit.store.files import SealedFile
from submit.store.records import Kind, State, UploadRow
from submit.tus.refusals import (
    AppendSupersededError,
    CompleteTerminationError,
    CreationUnderwayError,
    LengthTooLargeError,
    OffsetMismatchError,
    UploadNotFoundError,
)
from submit.tus.requests import Append, Creation, decide_offset, decide_same_creation
from submit.tus.state import Event, move
from submit.tus.state import State as Life

_NOTHING = Append(offset=0, content_length=0, checksum=None)


@dataclass(frozen=True, slots=True)
class Status:
    """How far an upload is. `expires` is a day number; None once it is complete."""

    id: str
    offset: int
    length: int
    metadata: str
    expires: int | None
    # The creation was asked for before, and this is the upload that it made then.
    again: bool = False


@dataclass(frozen=True, slots=True)
class _Begun:
    """An upload whose row and file are made; `length` is that of the file."""

    row: UploadRow
    state: UploadState
    file: SealedFile
    length: int


class Uploads:
    """The uploads of all sources."""

    def __init__(self, filling: Filling, opening: Opening, introductions: Introductions) -> None:
        """Fill them with `filling`; begin them with `opening`."""
        self._filling, self._opening, self._introductions = filling, opening, introductions
        self._rows, self._files = filling.rows, filling.files

    def create(self, session: Session, creation: Creation, body: Body) -> Status:
        """Make an upload, with its first octets if they came along; durable on return.

        Asked again under the same key it makes nothing, reads no body, and gives the upload of
        before, taken over from whoever still appends to it.
        """
        if creation.length > MAX_CONTENT:
            raise LengthTooLargeError
        try:
            if creation.key is not None:
                upload = keyed_upload_id(session.key, creation.key)
                return self._create_once(session, upload, creation, body)
            begun = self._begin(session, new_upload_id(), creation)
            return self._fill(session, begun, creation, body)
        except MovedOnError:
            raise AppendSupersededError from None

    def _create_once(self, session: Session, upload: str, creation: Creation, body: Body) -> Status:
        begun = None
        try:
            if not self._is_made(session, upload):
                with self._files.making(upload):
                    if not self._is_made(session, upload):
                        self._clear(session, upload)
                        begun = self._begin(session, upload, creation)
            if begun is not None:
                return self._fill(session, begun, creation, body)
            return self._find_again(session, upload, creation)
        except (TakenError, UploadNotFoundError):
            # Somebody makes it at this moment, or it was there and is no more.
            raise CreationUnderwayError from None

    def _is_made(self, session: Session, upload: str) -> bool:
        row = self._rows.find(upload, session.source)
        return row is not None and (row.state is not State.OPEN or self._files.is_there(upload))

    def _clear(self, session: Session, upload: str) -> None:
        """Remove what a worker left that was killed between an upload's row and its file.

        Nobody was told of that upload, and whoever makes it holds the lock that the caller has.
        """
        if self._rows.find(upload, session.source):
            self._files.remove(upload)
            if not self._rows.discard(upload):
                raise TakenError

    def _find_again(self, session: Session, upload: str, creation: Creation) -> Status:
        status = self.status(session, upload)
        metadata = None if status.expires is None else status.metadata
        decide_same_creation(status.length, metadata, creation)
        return replace(status, again=True)

    def _begin(self, session: Session, upload: str, creation: Creation) -> "_Begun":
        keys = self._opening.new_keys()
        state = self._new_state(session, upload, creation, keys)
        self._files.require_room(state.layout.file_length)
        self._introductions.introduce(session)
        wrapped = wrap_state(session.key, upload, state)
        day = self._filling.clock.day()
        row = UploadRow(upload, session.source, Kind.FILE, State.OPEN, day, wrapped=wrapped)
        self._rows.add(row)
        start = keys.pkesks + data_header(state.layout, state.iv)
        try:
            return _Begun(row, state, self._files.create(upload, start), len(start))
        except BaseException:
            self._rows.remove(upload)
            raise

    def _fill(self, session: Session, begun: "_Begun", creation: Creation, body: Body) -> Status:
        with closing(begun.file), self._faults_noted(begun.row):
            progress = Progress(begun.state, begun.file, begun.length)
            self._filling.fill(session, begun.row, progress, creation.body or _NOTHING, body)
            return self._status(begun.row, progress)

    def status(self, session: Session, upload: str) -> Status:
        """Tell how far an upload is; any older request that still appends to it stops."""
        row = self._row(session, upload, Event.LOOK)
        if row.state is State.COMPLETE:
            return _complete_status(session, row)
        try:
            with self._progress(session, row) as progress:
                self._complete_if_whole(session, row, progress)
                return self._status(row, progress)
        except MovedOnError:
            # A newer request has begun to append meanwhile: this is how far it has come.
            with self._opened(session, row) as (state, file):
                return self._status(row, Progress(state, file, file.length(), self._unsure(row)))

    def append(self, session: Session, upload: str, append: Append, body: Body) -> Status:
        """Add octets at the offset; durable on return.

        A wrong offset stops nobody: a browser sends an old request again unasked.
        """
        row = self._row(session, upload, Event.APPEND)
        if row.state is State.COMPLETE:
            status = _complete_status(session, row)
            decide_offset(status.offset, status.length, append)
            return status
        if append.offset != self.peek(session, row):
            raise OffsetMismatchError
        try:
            with self._progress(session, row) as progress:
                self._filling.fill(session, row, progress, append, body)
                return self._status(row, progress)
        except MovedOnError:
            raise AppendSupersededError from None

    def terminate(self, session: Session, upload: str) -> None:
        """Take an upload that is not complete back."""
        row = self._row(session, upload, Event.TERMINATE)
        if not self._rows.abandon(row.id):
            raise CompleteTerminationError
        self._files.remove(row.id)
        self._rows.remove(row.id)

    def peek(self, session: Session, row: UploadRow) -> int:
        """Give the offset of an open upload without stopping whoever appends to it.

        Nothing rests on it: after a crash it may be too high, until the upload is asked about.
        """
        with self._opened(session, row) as (state, file):
            return Progress(state, file, file.length()).offset

    def unfinished(self, session: Session) -> Iterator[tuple[UploadState, str, int]]:
        """Give state, id and offset of each open upload of this source's."""
        for row in self._rows.unfinished(session.source):
            try:
                with self._opened(session, row) as (state, file):
                    yield state, row.id, Progress(state, file, file.length()).offset
            except UploadNotFoundError:
                continue

    def _new_state(
        self, session: Session, upload: str, creation: Creation, keys: NewMessageKeys
    ) -> UploadState:
        facts = creation.facts
        member = self._filling.arrivals.parts.join(session, facts.path or facts.filename)
        entry = self._opening.entry(upload, session.source, facts, member)
        return UploadState(
            session_key=keys.session_key,
            iv=os.urandom(IV_LENGTH),
            prefix=len(keys.pkesks),
            head=encode_head(entry, creation.length),
            length=creation.length,
            name=facts.filename,
            path=facts.path,
            metadata=creation.metadata,
            part_set=member.set if member else None,
            part=member.part if member else None,
        )

    def _row(self, session: Session, upload: str, event: Event) -> UploadRow:
        row = self._rows.find(upload, session.source)
        move(_life(row), event)
        if row is None:  # `move` has refused already
            raise UploadNotFoundError
        return row

    @contextmanager
    def _opened(self, session: Session, row: UploadRow) -> Iterator[tuple[UploadState, SealedFile]]:
        state = unwrap_state(session.key, row.id, row.wrapped or b"")
        try:
            file = self._files.open(row.id)
        except MissingFileError:
            raise UploadNotFoundError from None
        try:
            if file.length() < state.layout.chunk_begins(0):
                raise UploadNotFoundError  # whatever came after such a start, nobody could open
            yield state, file
        finally:
            file.close()

    @contextmanager
    def _progress(self, session: Session, row: UploadRow) -> Iterator[Progress]:
        with self._opened(session, row) as (state, file), self._faults_noted(row):
            progress = Progress(state, file, file.claim(), self._unsure(row))
            progress.mend()
            yield progress

    @contextmanager
    def _faults_noted(self, row: UploadRow) -> Iterator[None]:
        try:
            yield
        except DiskFaultError:
            self._rows.suspect(row.id)
            raise

    def _unsure(self, row: UploadRow) -> int:
        # A power cut can keep a later chunk and lose an earlier one, but none that was synced.
        interval = self._filling.rules.sync_interval
        return unsynced_chunks(interval) if row.suspect else 1

    def _complete_if_whole(self, session: Session, row: UploadRow, progress: Progress) -> None:
        if progress.is_whole:
            # Damage found now is no news for HEAD: the offset it answers is the lower one.
            with suppress(DamagedUploadError):
                self._filling.complete(session, row, progress)

    def _status(self, row: UploadRow, progress: Progress) -> Status:
        state, day = progress.state, self._filling.clock.day()
        expires = None if progress.is_whole else day + self._filling.rules.upload_idle_days
        return Status(row.id, progress.offset, state.length, state.metadata, expires)


def _life(row: UploadRow | None) -> Life:
    if row is None:
        return Life.GONE
    if row.state is State.COMPLETE and row.wrapped is None:
        return Life.FORGOTTEN
    return Life(row.state)


def _complete_status(session: Session, row: UploadRow) -> Status:
    length = unwrap_length(session.key, row.id, row.wrapped or b"")
    return Status(row.id, length, length, "", None)
