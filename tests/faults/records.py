"""The database's file, past the program: what it holds, and days that have gone by."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.live import Live

TABLES = {
    *("sources", "uploads", "sessions", "replies", "part_sets", "parts", "sent"),
    *("staff", "staff_sessions", "work"),
    "alembic_version",
}

Value = int | str | bytes | None


@contextmanager
def opened(live: Live) -> Iterator[sqlite3.Connection]:
    """Open the database beside the running server."""
    with closing(sqlite3.connect(live.data / "nightferry.db", timeout=20)) as connection:
        yield connection


def ask(live: Live, query: str, *values: Value) -> list[tuple[Value, ...]]:
    """Give the rows of a query."""
    with opened(live) as connection:
        return connection.execute(query, values).fetchall()


def doctor(live: Live, statement: str, *values: Value) -> None:
    """Change rows by hand, as time or a fault would."""
    with opened(live) as connection, connection:
        connection.execute(statement, values)


def values(live: Live) -> list[Value]:
    """Give every value of every row of every table."""
    found = ask(live, "select name from sqlite_master where type = 'table'")
    assert {name for (name,) in found} == TABLES
    return [
        value for table in TABLES for row in ask(live, f"select * from {table}") for value in row
    ]


def upload_id(url: str) -> str:
    """Give the id at the end of an upload's URL."""
    return url.rsplit("/", 1)[-1]
