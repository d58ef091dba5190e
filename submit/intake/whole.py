"""What comes without a length, sealed in one go: kept whole or not at all.

A form cannot be resumed. But each of its files is durable before the next one is read, so a
connection that dies costs the file that was on its way and no other.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from crypto.archive import encode_head
from crypto.unsized import MAX_UNSIZED, UnsizedSealer
from submit.intake.identifiers import new_upload_id
from submit.intake.opening import Opening
from submit.intake.parts import Membership
from submit.intake.ports import Clock, Rules
from submit.intake.refusals import TooLargeError
from submit.intake.sessions import Session, Sessions
from submit.store.errors import DiskFaultError, MovedOnError
from submit.store.files import SealedFile, SealedFiles
from submit.store.records import Kind, State, UploadRow
from submit.store.records import Uploads as UploadRows
from submit.tus.metadata import Facts

_BATCH = 1 << 20  # octets


@dataclass(frozen=True, slots=True)
class Whole:
    """Seals what comes without a length, and keeps it once it is whole."""

    rows: UploadRows
    files: SealedFiles
    opening: Opening
    sessions: Sessions
    clock: Clock
    rules: Rules

    def keep(
        self,
        session: Session,
        kind: Kind,
        name: str,
        content: Iterable[bytes],
        member: Membership | None = None,
    ) -> int:
        """Seal the content as one file; give its length. Durable on return, or nothing is kept."""
        upload = new_upload_id()
        entry = self.opening.entry(upload, session.source, Facts(filename=name), member)
        keys = self.opening.new_keys()
        sealer = UnsizedSealer(
            keys.session_key, os.urandom(15), keys.pkesks, lambda n: encode_head(entry, n)
        )
        with self._part(upload) as part:
            self._seal(session, sealer, part, content)
            self._end(session, kind, upload, sealer, part)
        return sealer.length

    def _seal(
        self, session: Session, sealer: UnsizedSealer, part: "_Part", content: Iterable[bytes]
    ) -> None:
        quarter = self.clock.quarter()
        for octets in content:
            if sealer.length + len(octets) > min(self.rules.max_form_file_length, MAX_UNSIZED):
                raise TooLargeError
            if chunks := sealer.add(octets):
                self.files.require_room(_BATCH)
                part.append(sealer.start_length, chunks)
            if quarter != self.clock.quarter():
                quarter = self.clock.quarter()
                self.sessions.keep_alive(session)

    def _end(
        self, session: Session, kind: Kind, upload: str, sealer: UnsizedSealer, part: "_Part"
    ) -> None:
        ending = sealer.end()
        self.files.require_room(len(ending.start) + sum(map(len, ending.rest)))
        part.end(ending.start, ending.rest)
        self.files.publish(upload, self.clock.day())
        row = UploadRow(upload, session.source, kind, State.COMPLETE, self.clock.day())
        if kind is not Kind.CERTIFICATE:
            self.rows.add(row)
        elif not self.rows.add_introduction(row):
            part.drop()

    @contextmanager
    def _part(self, upload: str) -> Iterator["_Part"]:
        part = _Part(upload, self.files)
        try:
            yield part
        except MovedOnError:
            part.drop()
            raise DiskFaultError from None
        except BaseException:
            part.drop()
            raise
        finally:
            part.close()


class _Part:
    """The file that is coming in, made when its second chunk is there."""

    def __init__(self, upload: str, files: SealedFiles) -> None:
        self._upload, self._files = upload, files
        self._file: SealedFile | None = None
        self._length = 0

    def append(self, start_length: int, chunks: Sequence[bytes]) -> None:
        if self._file is None:
            self._file = self._files.create_part(self._upload, bytes(start_length))
            self._length = start_length
        self._length = self._file.append(self._length, chunks)

    def end(self, start: bytes, rest: Sequence[bytes]) -> None:
        if self._file is None:
            self._file = self._files.create_part(self._upload, start)
            self._length = len(start)
        self._length = self._file.append(self._length, rest)
        self._file.write_start(start)
        self._file.sync()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def drop(self) -> None:
        if self._file is not None:
            self._files.remove(self._upload)
