"""What a source sees of what it has sent: numbers, and what is unfinished. Never content."""

from dataclasses import dataclass

from submit.intake.sessions import Session
from submit.intake.uploads import Uploads
from submit.store.records import Kind
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
    """Counts of what arrived whole, and what did not yet."""

    files: int
    messages: int
    unfinished: tuple[Unfinished, ...]


class Drops:
    """Shows sources their drop."""

    def __init__(self, rows: UploadRows, uploads: Uploads) -> None:
        """Count in `rows`."""
        self._rows, self._uploads = rows, uploads

    def show(self, session: Session) -> Drop:
        """Show what this source has sent; stops no upload that is on its way."""
        counts = self._rows.count_complete(session.source)
        unfinished = tuple(
            Unfinished(upload, state.name, state.path, state.length, offset)
            for state, upload, offset in self._uploads.unfinished(session)
        )
        return Drop(counts.get(Kind.FILE, 0), counts.get(Kind.MESSAGE, 0), unfinished)
