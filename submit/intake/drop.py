"""What a source sees of what it has sent: numbers, and what is unfinished. Never content."""

from dataclasses import dataclass

from submit.intake.parts import Parts, PartSet
from submit.intake.sessions import Session
from submit.intake.uploads import Uploads
from submit.store.records import Kind, SourceRow
from submit.store.records import Sources as SourceRows
from submit.store.records import Uploads as UploadRows


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upload that can be gone on with. Lengths in octets."""

    id: str
    name: str
    path: str | None
    length: int
    offset: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Counts of what arrived whole, and what did not yet.

    `files_taken`, `messages_taken`: how many of them were deleted here since; a number that went
    down would frighten, for it looks as if something was lost. `message_days`: the UTC day number
    of each message that is here, the oldest first. `remembers`: the source has asked to be told
    what it has sent.
    """

    files: int
    messages: int
    unfinished: tuple[Unfinished, ...]
    parts: tuple[PartSet, ...] = ()
    message_days: tuple[int, ...] = ()
    remembers: bool = False
    files_taken: int = 0
    messages_taken: int = 0

    @property
    def taken(self) -> int:
        """How many files and messages were deleted here."""
        return self.files_taken + self.messages_taken


class Drops:
    """Shows sources their drop."""

    def __init__(
        self, rows: UploadRows, sources: SourceRows, uploads: Uploads, parts: Parts
    ) -> None:
        """Count in `rows`."""
        self._rows, self._sources, self._uploads, self._parts = rows, sources, uploads, parts

    def show(self, session: Session) -> Drop:
        """Show what this source has sent; stops no upload that is on its way."""
        counts = self._rows.count_complete(session.source)
        unfinished = tuple(
            Unfinished(upload, state.name, state.path, state.length, offset)
            for state, upload, offset in self._uploads.unfinished(session)
        )
        source = self._sources.find(session.source)
        files_taken, messages_taken = _taken(source)
        return Drop(
            files=counts.get(Kind.FILE, 0) + files_taken,
            messages=counts.get(Kind.MESSAGE, 0) + messages_taken,
            unfinished=unfinished,
            parts=self._parts.show(session),
            message_days=tuple(self._rows.message_days(session.source)),
            remembers=source is not None and source.remembers,
            files_taken=files_taken,
            messages_taken=messages_taken,
        )


def _taken(source: SourceRow | None) -> tuple[int, int]:
    return (source.files_taken, source.messages_taken) if source else (0, 0)
