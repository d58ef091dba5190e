"""Sealed files as staff fetch them: read only, any range, at any time; deleted when they say so."""

import hashlib
from collections.abc import Iterator

from submit.intake.desk.erasing import Erasing
from submit.intake.desk.refusals import (
    SealedNotFoundError,
    UnfetchedDeletionError,
    UnfinishedDeletionError,
    UnfinishedMarkError,
)
from submit.intake.desk.sessions import StaffSession, StaffSessions
from submit.intake.ports import Clock
from submit.store.disk import File
from submit.store.errors import MissingFileError, MovedOnError
from submit.store.files import SealedFiles
from submit.store.records import State, UploadRow
from submit.store.records import Uploads as UploadRows

_READ = 1 << 18  # octets at a time
_DIGEST_BEAT = 1 << 30  # octets between two signs of life


class Opened:
    """A sealed file that is open to be read. `length`: its octets when it was opened."""

    def __init__(self, file: File) -> None:
        """Take over an open file."""
        self._file, self._is_open = file, True
        self.length = file.length()

    def read(self, begin: int, octets: int) -> bytes:
        """Read at most `octets`; MovedOnError if the file does not reach so far any more."""
        read = self._file.read(begin, octets)
        if not read:
            raise MovedOnError
        return read

    def close(self) -> None:
        """Close it; nothing happens the second time."""
        if self._is_open:
            self._is_open = False
            self._file.close()


class SealedShelf:
    """All sealed files."""

    def __init__(
        self,
        rows: UploadRows,
        files: SealedFiles,
        sessions: StaffSessions,
        clock: Clock,
        erasing: Erasing,
    ) -> None:
        """Show what `rows` name and `files` hold."""
        self._rows, self._files, self._sessions, self._clock = rows, files, sessions, clock
        self._erasing = erasing

    def open(self, upload: str, *, tail: bool) -> Opened:
        """Open a sealed file or its tail to be read; SealedNotFoundError if there is none."""
        self._row(upload)
        try:
            return Opened(self._files.read(upload, tail=tail))
        except MissingFileError:
            raise SealedNotFoundError from None

    def read(self, session: StaffSession, opened: Opened, begin: int, end: int) -> Iterator[bytes]:
        """Give the octets from `begin` to `end`, while the session lives on.

        MovedOnError if the file was cut back meanwhile, as an unfinished one can be.
        """
        quarter = self._clock.quarter()
        while begin < end:
            octets = opened.read(begin, min(_READ, end - begin))
            begin += len(octets)
            yield octets
            if quarter != self._clock.quarter():
                quarter = self._clock.quarter()
                self._sessions.keep_alive(session)

    def digest(self, session: StaffSession, opened: Opened) -> Iterator[str | None]:
        """Read a whole file and give its SHA-256 at the end; before that, now and then, None."""
        digest, since = hashlib.sha256(), 0
        for octets in self.read(session, opened, 0, opened.length):
            digest.update(octets)
            since += len(octets)
            if since >= _DIGEST_BEAT:
                since = 0
                yield None
        yield digest.hexdigest()

    def mark(self, upload: str, *, fetched: bool) -> None:
        """Note whether staff have it on their side; SealedNotFoundError, UnfinishedMarkError."""
        if not self._rows.mark(self._row(upload).id, fetched=fetched):
            raise UnfinishedMarkError

    def delete(self, upload: str, *, unfinished: bool, unfetched: bool) -> None:
        """Delete a sealed file; durable on return.

        UnfinishedDeletionError or UnfetchedDeletionError if it is so and that was not said.
        """
        row = self._row(upload)
        if not self._erasing.erase_upload(row.id, unfinished=unfinished, unfetched=unfetched):
            # It may have changed since it was looked at: then the second reason is the true one.
            is_open = row.state is State.OPEN and not unfinished
            raise UnfinishedDeletionError if is_open else UnfetchedDeletionError

    def _row(self, upload: str) -> UploadRow:
        row = self._rows.known(upload)
        if row is None:
            raise SealedNotFoundError
        return row
