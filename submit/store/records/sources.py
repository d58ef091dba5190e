"""The rows of sources."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from submit.store.database import Database
from submit.store.errors import TakenError
from submit.store.schema import replies, sessions, sources, uploads

_USED = (uploads, sessions, replies)


@dataclass(frozen=True, slots=True)
class ReplyKeyRow:
    """Where replies to a source go: the key's id, and everything else of it wrapped."""

    id: bytes
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source; see the table. `reply_key` is None if it was never made."""

    locator: bytes
    designation: str
    last_visit: int
    confirmed: bool = False
    introduced: bool = False
    remembers: bool = False
    reply_key: ReplyKeyRow | None = None
    public_id: str | None = None
    files_taken: int = 0
    messages_taken: int = 0


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
                        confirmed=row.confirmed,
                        introduced=row.introduced,
                        remembers=row.remembers,
                        reply_key_id=row.reply_key.id if row.reply_key else None,
                        wrapped_reply_key=row.reply_key.wrapped if row.reply_key else None,
                        public_id=row.public_id,
                    )
                )
        except IntegrityError:
            raise TakenError from None

    def find(self, locator: bytes) -> SourceRow | None:
        """Find a source by its locator."""
        return self._find(sources.c.locator == locator)

    def designated(self, designation: str) -> SourceRow | None:
        """Find a source by the words that staff use."""
        return self._find(sources.c.designation == designation)

    def public(self, public_id: str) -> SourceRow | None:
        """Find a source by its id in the desk's addresses."""
        return self._find(sources.c.public_id == public_id)

    def every(self) -> list[SourceRow]:
        """Give all sources."""
        with self._database.reader.begin() as connection:
            rows = connection.execute(select(sources).order_by(sources.c.designation)).all()
        return [_read(row) for row in rows]

    def not_here_since(self, day: int) -> list[SourceRow]:
        """Give all sources whose last visit was before a day."""
        query = select(sources).where(sources.c.last_visit < day).order_by(sources.c.locator)
        with self._database.reader.begin() as connection:
            return [_read(row) for row in connection.execute(query).all()]

    def remove_unused(self, before: int, most: int) -> int:
        """Remove sources that were made before a day and never used; give how many went.

        `most` in one transaction, so that nobody waits for long. Unused is who never typed its
        codename, is logged in nowhere, and never began to send: no upload, no certificate.
        """
        unused = (
            select(sources.c.locator)
            .where(
                sources.c.last_visit < before,
                sources.c.confirmed.is_(False),
                sources.c.introduced.is_(False),
                sources.c.files_taken == 0,
                sources.c.messages_taken == 0,
                *(~exists().where(table.c.source == sources.c.locator) for table in _USED),
            )
            .limit(most)
        )
        removed = 0
        with self._database.writer.begin() as connection:
            locators = list(connection.execute(unused).scalars())
            if locators:
                going = delete(sources).where(sources.c.locator.in_(locators))
                removed = connection.execute(going).rowcount
        self._database.erase()
        return removed

    def bar(self, locator: bytes) -> None:
        """Log a source out, wherever it is logged in, before it is removed."""
        with self._database.writer.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.source == locator))

    def remove_empty(self, locator: bytes) -> bool:
        """Remove a source and what else there is of it; False if it has uploads still."""
        left = select(uploads.c.id).where(uploads.c.source == locator)
        with self._database.writer.begin() as connection:
            if connection.execute(left).first() is not None:
                return False
            connection.execute(delete(sources).where(sources.c.locator == locator))
        self._database.erase()
        return True

    def visit(self, locator: bytes, day: int) -> None:
        """Note the day of a visit by somebody who has the codename."""
        self._update(sources.c.locator == locator, last_visit=day, confirmed=True)

    def confirm(self, locator: bytes) -> None:
        """Note that the source has its codename."""
        self._update(sources.c.locator == locator, confirmed=True)

    def give_reply_key(self, locator: bytes, key: ReplyKeyRow) -> None:
        """Give a source a reply key, if it has none."""
        where = (sources.c.locator == locator) & sources.c.wrapped_reply_key.is_(None)
        self._update(where, reply_key_id=key.id, wrapped_reply_key=key.wrapped)

    def replace_form_note(self, locator: bytes, old: bytes | None, new: bytes) -> bool:
        """Note what became of the source's last form, unless somebody else has since `old`."""
        # Every note is wrapped anew, so two of them are never alike.
        unchanged = sources.c.wrapped_form.is_not_distinct_from(old)
        where = (sources.c.locator == locator) & unchanged
        with self._database.writer.begin() as connection:
            done = connection.execute(update(sources).where(where).values(wrapped_form=new))
        return bool(done.rowcount)

    def form_note(self, locator: bytes) -> bytes | None:
        """Give what was noted of the source's last form."""
        query = select(sources.c.wrapped_form).where(sources.c.locator == locator)
        with self._database.reader.begin() as connection:
            return connection.execute(query).scalar()

    def _find(self, where: ColumnElement[bool]) -> SourceRow | None:
        with self._database.reader.begin() as connection:
            row = connection.execute(select(sources).where(where)).first()
        return _read(row) if row else None

    def _update(self, where: ColumnElement[bool], **values: object) -> None:
        with self._database.writer.begin() as connection:
            connection.execute(update(sources).where(where).values(**values))


def _read(row: Row[Any]) -> SourceRow:
    key = ReplyKeyRow(row.reply_key_id, row.wrapped_reply_key) if row.reply_key_id else None
    return SourceRow(
        row.locator,
        row.designation,
        row.last_visit,
        row.confirmed,
        row.introduced,
        row.remembers,
        key,
        row.public_id,
        row.files_taken,
        row.messages_taken,
    )
