"""The rows of staff and of their sessions."""

from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from submit.store.database import Database
from submit.store.errors import TakenError
from submit.store.schema import staff, staff_sessions


@dataclass(frozen=True, slots=True)
class StaffRow:
    """Somebody who may use the desk; see the table."""

    name: str
    salt: bytes = field(repr=False)
    verifier: bytes = field(repr=False)
    wrapped_totp: bytes = field(repr=False)
    wrong_codes: int = 0
    wrong_quarter: int = 0


@dataclass(frozen=True, slots=True)
class StaffSessionRow:
    """A session at the desk; see the table. `expires` in quarters of an hour since 1970."""

    cookie_hash: bytes = field(repr=False)
    staff: str
    expires: int
    wrong_codes: int


class Staff:
    """The table of staff."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, row: StaffRow) -> None:
        """Add somebody; TakenError if the name is there."""
        try:
            with self._database.writer.begin() as connection:
                connection.execute(insert(staff).values(name=row.name, **_values(row)))
        except IntegrityError:
            raise TakenError from None

    def replace(self, row: StaffRow) -> bool:
        """Give somebody other secrets and end their sessions; False if the name is not there."""
        with self._database.writer.begin() as connection:
            connection.execute(delete(staff_sessions).where(staff_sessions.c.staff == row.name))
            found = connection.execute(
                update(staff).where(staff.c.name == row.name).values(**_values(row))
            ).rowcount
        self._database.erase()
        return found == 1

    def remove(self, name: str) -> bool:
        """Remove somebody, and their sessions; False if the name is not there."""
        with self._database.writer.begin() as connection:
            removed = connection.execute(delete(staff).where(staff.c.name == name)).rowcount
        self._database.erase()
        return removed == 1

    def names(self) -> list[str]:
        """Give all names."""
        with self._database.reader.begin() as connection:
            return list(connection.execute(select(staff.c.name).order_by(staff.c.name)).scalars())

    def find(self, name: str) -> StaffRow | None:
        """Find somebody."""
        with self._database.reader.begin() as connection:
            row = connection.execute(select(staff).where(staff.c.name == name)).first()
        if row is None:
            return None
        return StaffRow(
            row.name,
            row.salt,
            row.verifier,
            row.wrapped_totp,
            row.wrong_codes,
            row.wrong_quarter,
        )

    def take_try(self, name: str, quarter: int, free: int) -> bool:
        """Count a code as wrong before it is looked at; False if it may not be looked at now.

        The first `free` may be tried at once, then one in each quarter of an hour.
        """
        allowed = (staff.c.wrong_codes < free) | (staff.c.wrong_quarter < quarter)
        counted = update(staff).where(staff.c.name == name, allowed)
        with self._database.writer.begin() as connection:
            return (
                connection.execute(
                    counted.values(wrong_codes=staff.c.wrong_codes + 1, wrong_quarter=quarter)
                ).rowcount
                == 1
            )

    def use_code(self, row: StaffRow, wrapped_totp: bytes) -> bool:
        """Note that a code was right and is used up; False if another request used it first."""
        same = (staff.c.name == row.name) & (staff.c.wrapped_totp == row.wrapped_totp)
        with self._database.writer.begin() as connection:
            used = connection.execute(
                update(staff).where(same).values(wrapped_totp=wrapped_totp, wrong_codes=0)
            ).rowcount
        return used == 1


class StaffSessions:
    """The table of sessions at the desk."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, row: StaffSessionRow) -> None:
        """Add a session."""
        with self._database.writer.begin() as connection:
            connection.execute(
                insert(staff_sessions).values(
                    cookie_hash=row.cookie_hash,
                    staff=row.staff,
                    expires=row.expires,
                    wrong_codes=row.wrong_codes,
                )
            )

    def find(self, cookie_hash: bytes) -> StaffSessionRow | None:
        """Find a session, expired or not."""
        query = select(staff_sessions).where(staff_sessions.c.cookie_hash == cookie_hash)
        with self._database.reader.begin() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return StaffSessionRow(row.cookie_hash, row.staff, row.expires, row.wrong_codes)

    def extend(self, cookie_hash: bytes, expires: int) -> None:
        """Let a session live until `expires`."""
        where = staff_sessions.c.cookie_hash == cookie_hash
        with self._database.writer.begin() as connection:
            connection.execute(update(staff_sessions).where(where).values(expires=expires))

    def remove(self, cookie_hash: bytes) -> None:
        """End a session."""
        where = staff_sessions.c.cookie_hash == cookie_hash
        with self._database.writer.begin() as connection:
            connection.execute(delete(staff_sessions).where(where))
        self._database.erase()

    def remove_expired(self, now: int) -> None:
        """End all sessions that expired before `now`."""
        with self._database.writer.begin() as connection:
            connection.execute(delete(staff_sessions).where(staff_sessions.c.expires < now))
        self._database.erase()


def _values(row: StaffRow) -> dict[str, object]:
    return {
        "salt": row.salt,
        "verifier": row.verifier,
        "wrapped_totp": row.wrapped_totp,
        "wrong_codes": row.wrong_codes,
        "wrong_quarter": row.wrong_quarter,
    }
