"""The rows of sessions."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from submit.store.database import Database
from submit.store.schema import sessions, sources


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session; see the table. `expires` in quarters of an hour since 1970.

    `confirmed` and `introduced` stand in the source's row.
    """

    cookie_hash: bytes
    source: bytes
    wrapped_key: bytes
    expires: int
    visit_before: int | None = None
    confirmed: bool = False
    introduced: bool = False


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
                    visit_before=row.visit_before,
                )
            )

    def find(self, cookie_hash: bytes) -> SessionRow | None:
        """Find a session, expired or not."""
        query = (
            select(sessions, sources.c.confirmed, sources.c.introduced)
            .join(sources, sources.c.locator == sessions.c.source)
            .where(sessions.c.cookie_hash == cookie_hash)
        )
        with self._database.reader.begin() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return SessionRow(
            row.cookie_hash,
            row.source,
            row.wrapped_key,
            row.expires,
            row.visit_before,
            row.confirmed,
            row.introduced,
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
