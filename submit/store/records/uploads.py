"""The rows of uploads."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Insert, Row, case, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from submit.store.database import Database
from submit.store.errors import TakenError
from submit.store.schema import sources, uploads


class Kind(StrEnum):
    """What a source sent."""

    FILE = "file"
    MESSAGE = "message"
    CERTIFICATE = "reply-to"  # for the staff to answer with; the source did not send it itself


class State(StrEnum):
    """How far an upload is."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"
    GONE = "gone"  # removed by its source or by staff; the row goes once the files are gone


_TAKEN = {Kind.FILE: sources.c.files_taken, Kind.MESSAGE: sources.c.messages_taken}


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An upload; see the table."""

    id: str
    source: bytes
    kind: Kind
    state: State
    day: int
    suspect: bool = False
    wrapped: bytes | None = None
    fetched: bool = False
    tenths: int | None = None


class Uploads:
    """The table of uploads."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, row: UploadRow) -> None:
        """Add an upload; TakenError if its id exists."""
        try:
            with self._database.writer.begin() as connection:
                connection.execute(_insert(row))
        except IntegrityError:
            raise TakenError from None

    def find(self, upload: str, source: bytes) -> UploadRow | None:
        """Find an upload of this source's that is not gone."""
        found = self._select(
            uploads.c.id == upload, uploads.c.source == source, uploads.c.state != State.GONE
        )
        return found[0] if found else None

    def in_state(self, state: State) -> list[UploadRow]:
        """Give all uploads in a state."""
        return self._select(uploads.c.state == state)

    def unfinished(self, source: bytes) -> list[UploadRow]:
        """Give the source's open uploads."""
        return self._select(uploads.c.source == source, uploads.c.state == State.OPEN)

    def is_complete(self, upload: str) -> bool:
        """Tell whether an upload is complete."""
        return bool(self._select(uploads.c.id == upload, uploads.c.state == State.COMPLETE))

    def idle(self, before: int) -> list[UploadRow]:
        """Give all open uploads that last moved before a day."""
        return self._select(uploads.c.state == State.OPEN, uploads.c.day < before)

    def remembered(self, before: int) -> list[UploadRow]:
        """Give all complete uploads from before a day whose length is still kept."""
        return self._select(
            uploads.c.state == State.COMPLETE,
            uploads.c.day < before,
            uploads.c.wrapped.is_not(None),
        )

    def add_introduction(self, row: UploadRow) -> bool:
        """Add the source's certificate, sealed; False if another request was quicker."""
        first = (sources.c.locator == row.source) & sources.c.introduced.is_(False)
        with self._database.writer.begin() as connection:
            noted = connection.execute(update(sources).where(first).values(introduced=True))
            if noted.rowcount == 0:
                return False
            connection.execute(_insert(row))
        return True

    def message_days(self, source: bytes) -> list[int]:
        """Give the day of each message that arrived, in order."""
        query = (
            select(uploads.c.day)
            .where(
                uploads.c.source == source,
                uploads.c.kind == Kind.MESSAGE,
                uploads.c.state == State.COMPLETE,
            )
            .order_by(uploads.c.day)
        )
        with self._database.reader.begin() as connection:
            return list(connection.execute(query).scalars())

    def count_complete(self, source: bytes) -> Mapping[Kind, int]:
        """Count what arrived whole and is still here, by kind."""
        query = (
            select(uploads.c.kind, func.count())
            .where(uploads.c.source == source, uploads.c.state == State.COMPLETE)
            .group_by(uploads.c.kind)
        )
        with self._database.reader.begin() as connection:
            return {Kind(kind): count for kind, count in connection.execute(query)}

    def sent_by(self, source: bytes) -> list[UploadRow]:
        """Give all uploads of a source that are not gone."""
        return self._select(uploads.c.source == source, uploads.c.state != State.GONE)

    def every(self) -> list[UploadRow]:
        """Give all uploads that are not gone."""
        return self._select(uploads.c.state != State.GONE)

    def known(self, upload: str) -> UploadRow | None:
        """Find an upload of any source's that is not gone."""
        found = self._select(uploads.c.id == upload, uploads.c.state != State.GONE)
        return found[0] if found else None

    def mark(self, upload: str, *, fetched: bool) -> bool:
        """Note whether staff have an upload on their side; False if it may still grow."""
        where = (uploads.c.id == upload) & (uploads.c.state != State.OPEN)
        return self._update(where, fetched=fetched) == 1

    def condemn(self, upload: str, *, unfinished: bool, unfetched: bool) -> bool:
        """Turn an upload into one that is gone; False if it is what was not meant.

        Only with `unfinished` one that is open, only with `unfetched` one that is over and was
        not fetched. One that was complete stays counted with its source.
        """
        final = uploads.c.state.in_([State.COMPLETE, State.EXPIRED])
        meant = final & uploads.c.fetched.is_(True)
        if unfetched:
            meant |= final
        if unfinished:
            meant |= uploads.c.state == State.OPEN
        this = (uploads.c.id == upload) & meant
        with self._database.writer.begin() as connection:
            for kind, taken in _TAKEN.items():
                counted = select(uploads.c.source).where(
                    this, uploads.c.state == State.COMPLETE, uploads.c.kind == kind
                )
                where = sources.c.locator.in_(counted)
                connection.execute(update(sources).where(where).values({taken: taken + 1}))
            gone = update(uploads).where(this).values(state=State.GONE, wrapped=None)
            return connection.execute(gone).rowcount == 1

    def condemn_all(self, source: bytes) -> list[str]:
        """Turn all uploads of a source into such that are gone; give those that are."""
        self._update(uploads.c.source == source, state=State.GONE, wrapped=None)
        return [row.id for row in self._select(uploads.c.source == source)]

    def move(self, upload: str, day: int, tenths: int) -> None:
        """Note the day on which an open upload moved, and how far; it never goes back a day."""
        latest = case((uploads.c.day > day, uploads.c.day), else_=day)
        self._update(uploads.c.id == upload, day=latest, tenths=tenths)

    def close(self, upload: str, state: State, day: int, wrapped: bytes | None) -> bool:
        """End an open upload, replacing what was wrapped; False if it was not open any more."""
        where = (uploads.c.id == upload) & (uploads.c.state == State.OPEN)
        left = {"tenths": None} if state is State.COMPLETE else {}
        if self._update(where, state=state, day=day, wrapped=wrapped, **left) == 0:
            return False
        self._database.erase()
        return True

    def abandon(self, upload: str) -> bool:
        """Turn an upload that is not complete into one that is gone; False if it is complete."""
        where = (uploads.c.id == upload) & (uploads.c.state != State.COMPLETE)
        return self._update(where, state=State.GONE, wrapped=None) == 1

    def forget(self, upload: str) -> None:
        """Drop what is still wrapped of a complete upload."""
        self._update(uploads.c.id == upload, wrapped=None)
        self._database.erase()

    def suspect(self, upload: str) -> None:
        """Mark an upload: a disk fault came in between."""
        self._update(uploads.c.id == upload, suspect=True)

    def suspect_all(self) -> None:
        """Mark every open upload: the service did not end as it should."""
        self._update(uploads.c.state == State.OPEN, suspect=True)

    def remove(self, upload: str) -> None:
        """Remove an upload's row."""
        with self._database.writer.begin() as connection:
            connection.execute(delete(uploads).where(uploads.c.id == upload))
        self._database.erase()

    def discard(self, upload: str) -> bool:
        """Remove the row of an open upload; False if it is not open any more."""
        where = (uploads.c.id == upload) & (uploads.c.state == State.OPEN)
        with self._database.writer.begin() as connection:
            removed = connection.execute(delete(uploads).where(where)).rowcount
        self._database.erase()
        return removed == 1

    def _select(self, *where: ColumnElement[bool]) -> list[UploadRow]:
        with self._database.reader.begin() as connection:
            rows = connection.execute(select(uploads).where(*where).order_by(uploads.c.id)).all()
        return [_read(row) for row in rows]

    def _update(self, where: ColumnElement[bool], **values: object) -> int:
        with self._database.writer.begin() as connection:
            return connection.execute(update(uploads).where(where).values(**values)).rowcount


def _read(row: Row[Any]) -> UploadRow:
    return UploadRow(
        row.id,
        row.source,
        Kind(row.kind),
        State(row.state),
        row.day,
        row.suspect,
        row.wrapped,
        row.fetched,
        row.tenths,
    )


def _insert(row: UploadRow) -> Insert:
    return insert(uploads).values(
        id=row.id,
        source=row.source,
        kind=row.kind,
        state=row.state,
        day=row.day,
        suspect=row.suspect,
        wrapped=row.wrapped,
        fetched=row.fetched,
        tenths=row.tenths,
    )
