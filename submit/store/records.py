"""The rows: sources, uploads, sessions. Small transactions; no file, no gpg, no AES in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from submit.store.database import Database
from submit.store.errors import TakenError
from submit.store.schema import sessions, sources, uploads


class Kind(StrEnum):
    """What a source sent."""

    FILE = "file"
    MESSAGE = "message"


class State(StrEnum):
    """How far an upload is."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"
    GONE = "gone"  # taken back by its source; the row goes once the files are gone


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source; see the table."""

    locator: bytes
    designation: str
    last_visit: int


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


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session; see the table. `expires` in quarters of an hour since 1970."""

    cookie_hash: bytes
    source: bytes
    wrapped_key: bytes
    expires: int


class Sources:
    """The table of sources."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, row: SourceRow) -> None:
        """Add a source; TakenError if its locator or designation exists."""
        try:
            with self._database.writer.begin() as connection:
                connection.execute(
                    insert(sources).values(
                        locator=row.locator,
                        designation=row.designation,
                        last_visit=row.last_visit,
                    )
                )
        except IntegrityError:
            raise TakenError from None

    def find(self, locator: bytes) -> SourceRow | None:
        """Find a source by its locator."""
        with self._database.reader.begin() as connection:
            row = connection.execute(select(sources).where(sources.c.locator == locator)).first()
        return SourceRow(row.locator, row.designation, row.last_visit) if row else None

    def visit(self, locator: bytes, day: int) -> None:
        """Note the day of a visit."""
        with self._database.writer.begin() as connection:
            connection.execute(
                update(sources).where(sources.c.locator == locator).values(last_visit=day)
            )


class Uploads:
    """The table of uploads."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, row: UploadRow) -> None:
        """Add an upload."""
        with self._database.writer.begin() as connection:
            connection.execute(
                insert(uploads).values(
                    id=row.id,
                    source=row.source,
                    kind=row.kind,
                    state=row.state,
                    day=row.day,
                    suspect=row.suspect,
                    wrapped=row.wrapped,
                )
            )

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

    def count_complete(self, source: bytes) -> Mapping[Kind, int]:
        """Count what arrived whole, by kind."""
        query = (
            select(uploads.c.kind, func.count())
            .where(uploads.c.source == source, uploads.c.state == State.COMPLETE)
            .group_by(uploads.c.kind)
        )
        with self._database.reader.begin() as connection:
            return {Kind(kind): count for kind, count in connection.execute(query)}

    def move(self, upload: str, day: int) -> None:
        """Note the day on which an open upload moved."""
        self._update(uploads.c.id == upload, day=day)

    def close(self, upload: str, state: State, day: int, wrapped: bytes | None) -> bool:
        """End an open upload, replacing what was wrapped; False if it was not open any more."""
        where = (uploads.c.id == upload) & (uploads.c.state == State.OPEN)
        if self._update(where, state=state, day=day, wrapped=wrapped) == 0:
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

    def _select(self, *where: ColumnElement[bool]) -> list[UploadRow]:
        with self._database.reader.begin() as connection:
            rows = connection.execute(select(uploads).where(*where).order_by(uploads.c.id)).all()
        return [
            UploadRow(r.id, r.source, Kind(r.kind), State(r.state), r.day, r.suspect, r.wrapped)
            for r in rows
        ]

    def _update(self, where: ColumnElement[bool], **values: object) -> int:
        with self._database.writer.begin() as connection:
            return connection.execute(update(uploads).where(where).values(**values)).rowcount


class Sessions:
    """The table of sessions."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, row: SessionRow) -> None:
        """Add a session."""
        with self._database.writer.begin() as connection:
            connection.execute(
                insert(sessions).values(
                    cookie_hash=row.cookie_hash,
                    source=row.source,
                    wrapped_key=row.wrapped_key,
                    expires=row.expires,
                )
            )

    def find(self, cookie_hash: bytes) -> SessionRow | None:
        """Find a session, expired or not."""
        query = select(sessions).where(sessions.c.cookie_hash == cookie_hash)
        with self._database.reader.begin() as connection:
            row = connection.execute(query).first()
        return (
            SessionRow(row.cookie_hash, row.source, row.wrapped_key, row.expires) if row else None
        )

    def extend(self, cookie_hash: bytes, expires: int) -> None:
        """Let a session live until `expires`."""
        where = sessions.c.cookie_hash == cookie_hash
        with self._database.writer.begin() as connection:
            connection.execute(update(sessions).where(where).values(expires=expires))

    def remove(self, cookie_hash: bytes) -> None:
        """End a session."""
        with self._database.writer.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.cookie_hash == cookie_hash))
        self._database.erase()

    def remove_expired(self, now: int) -> None:
        """End all sessions that expired before `now`."""
        with self._database.writer.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires < now))
        self._database.erase()
