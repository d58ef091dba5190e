"""The row of the daily work."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from submit.store.database import Database
from submit.store.schema import work

_ONLY = 1


@dataclass(frozen=True, slots=True)
class WorkRow:
    """When the daily work was last done; see the table."""

    day: int
    jumped: int | None = None


class Work:
    """The table of the daily work, which has one row."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def last(self) -> WorkRow | None:
        """Give what was noted last; None before the first time."""
        with self._database.reader.begin() as connection:
            row = connection.execute(select(work.c.day, work.c.jumped)).first()
        return WorkRow(row.day, row.jumped) if row else None

    def note(self, row: WorkRow) -> None:
        """Note it in place of what was noted before; durable on return."""
        with self._database.writer.begin() as connection:
            connection.execute(delete(work))
            connection.execute(insert(work).values(id=_ONLY, day=row.day, jumped=row.jumped))
