"""The rows of files that come in parts."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from submit.store.database import Database
from submit.store.schema import part_sets, parts


@dataclass(frozen=True, slots=True)
class PartSetRow:
    """A file that comes in parts; see the table."""

    id: str
    source: bytes
    mark: bytes
    day: int
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part that has arrived; see the table."""

    set: str
    mark: bytes
    wrapped: bytes


class Parts:
    """The tables of parts and of the sets that they are of."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def open(self, row: PartSetRow) -> str:
        """Open a set; give its id, or that of the set with this mark that is open already."""
        same = (part_sets.c.source == row.source) & (part_sets.c.mark == row.mark)
        with self._database.writer.begin() as connection:
            found = connection.execute(select(part_sets.c.id).where(same)).scalar()
            if found is not None:
                connection.execute(update(part_sets).where(same).values(day=row.day))
                return str(found)
            connection.execute(
                insert(part_sets).values(
                    id=row.id,
                    source=row.source,
                    mark=row.mark,
                    day=row.day,
                    wrapped=row.wrapped,
                )
            )
        return row.id

    def find(self, source: bytes, mark: bytes) -> PartSetRow | None:
        """Find the open set with this mark."""
        return next((row for row in self.of(source) if row.mark == mark), None)

    def of(self, source: bytes) -> list[PartSetRow]:
        """Give the open sets of a source."""
        query = select(part_sets).where(part_sets.c.source == source).order_by(part_sets.c.id)
        with self._database.reader.begin() as connection:
            rows = connection.execute(query).all()
        return [PartSetRow(row.id, row.source, row.mark, row.day, row.wrapped) for row in rows]

    def arrived(self, part_set: str, most: int | None = None) -> list[PartRow]:
        """Give the parts of a set that have arrived, or any `most` of them."""
        query = select(parts).where(parts.c.set == part_set).limit(most)
        with self._database.reader.begin() as connection:
            rows = connection.execute(query).all()
        return [PartRow(row.set, row.mark, row.wrapped) for row in rows]

    def arrive(self, row: PartRow, day: int) -> None:
        """Note a part; nothing happens if it is there already or its set is closed."""
        try:
            with self._database.writer.begin() as connection:
                connection.execute(
                    insert(parts).values(set=row.set, mark=row.mark, wrapped=row.wrapped)
                )
                connection.execute(
                    update(part_sets).where(part_sets.c.id == row.set).values(day=day)
                )
        except IntegrityError:
            return

    def reduce(self, part_set: str, marks: Collection[bytes]) -> None:
        """Drop all parts of a set but these."""
        others = (parts.c.set == part_set) & parts.c.mark.not_in(marks)
        with self._database.writer.begin() as connection:
            connection.execute(delete(parts).where(others))
        self._database.erase()

    def close(self, part_set: str, source: bytes) -> bool:
        """Drop a set of this source's; False if there is none."""
        where = (part_sets.c.id == part_set) & (part_sets.c.source == source)
        with self._database.writer.begin() as connection:
            closed = connection.execute(delete(part_sets).where(where)).rowcount
        self._database.erase()
        return closed == 1

    def expire(self, before: int) -> None:
        """Drop all sets that last moved before a day."""
        with self._database.writer.begin() as connection:
            connection.execute(delete(part_sets).where(part_sets.c.day < before))
        self._database.erase()
