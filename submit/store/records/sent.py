"""The rows of what sources have sent, for those who want to be told."""

from collections.abc import Sequence

from sqlalchemy import delete, exists, insert, literal, select, update

from submit.store.database import Database
from submit.store.schema import sent, sources


class Sent:
    """The table of sent values, and the switch for it in the source's row."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def begin(self, source: bytes) -> None:
        """Remember from now on."""
        with self._database.writer.begin() as connection:
            connection.execute(
                update(sources).where(sources.c.locator == source).values(remembers=True)
            )

    def add(self, source: bytes, mark: bytes) -> None:
        """Remember a value, if the source wants it and it is not there yet."""
        wanted = exists().where(sources.c.locator == source, sources.c.remembers.is_(True))
        known = exists().where(sent.c.source == source, sent.c.mark == mark)
        row = select(literal(source), literal(mark)).where(wanted, ~known)
        with self._database.writer.begin() as connection:
            connection.execute(insert(sent).from_select(["source", "mark"], row))

    def known(self, source: bytes, marks: Sequence[bytes]) -> set[bytes]:
        """Give those of the values that are remembered."""
        query = select(sent.c.mark).where(sent.c.source == source, sent.c.mark.in_(marks))
        with self._database.reader.begin() as connection:
            return set(connection.execute(query).scalars())

    def forget(self, source: bytes) -> None:
        """Drop all values of a source, and remember no more."""
        with self._database.writer.begin() as connection:
            connection.execute(delete(sent).where(sent.c.source == source))
            connection.execute(
                update(sources).where(sources.c.locator == source).values(remembers=False)
            )
        self._database.erase()
