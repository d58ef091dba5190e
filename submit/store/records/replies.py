"""The rows of replies."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, literal_column, select

from submit.store.database import Database
from submit.store.schema import replies


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """A reply; see the table."""

    id: str
    source: bytes
    day: int
    message: bytes = b""


class Replies:
    """The table of replies."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, row: ReplyRow) -> None:
        """Add a reply."""
        with self._database.writer.begin() as connection:
            connection.execute(
                insert(replies).values(
                    id=row.id, source=row.source, day=row.day, message=row.message
                )
            )

    def to(self, source: bytes) -> list[ReplyRow]:
        """Give the replies to a source, the oldest first."""
        # Ids are random; SQLite knows in which order the rows of one day came.
        order = literal_column("rowid") if self._database.is_sqlite else replies.c.id
        query = select(replies).where(replies.c.source == source).order_by(replies.c.day, order)
        with self._database.reader.begin() as connection:
            rows = connection.execute(query).all()
        return [ReplyRow(row.id, row.source, row.day, row.message) for row in rows]

    def remove(self, reply: str, source: bytes) -> bool:
        """Remove a reply to this source; False if there is none."""
        where = (replies.c.id == reply) & (replies.c.source == source)
        with self._database.writer.begin() as connection:
            removed = connection.execute(delete(replies).where(where)).rowcount
        self._database.erase()
        return removed == 1
