"""The database: of this version's form, and whole."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from alembic.script import ScriptDirectory

import submit.store.migrations
from deploy.doctor import rows
from deploy.doctor.finding import Finding, wrong
from deploy.doctor.patient import Patient

_RESTORE = (
    "stop the services, keep a copy of the database as it is, then nightferry restore the last "
    "backup (docs/backup.md)"
)


def judge(patient: Patient) -> Iterator[Finding]:
    """Find a database that is damaged, or of another version."""
    try:
        with rows.opened(patient) as connection:
            if connection is None:
                return
            yield from _judge_form(connection)
            yield from _judge_whole(connection)
    except sqlite3.Error as error:
        yield wrong(f"SQLite finds it damaged: {error}. Both sites are down", _RESTORE)


def _judge_form(connection: sqlite3.Connection) -> Iterator[Finding]:
    found = {row[0] for row in connection.execute("SELECT version_num FROM alembic_version")}
    head = _newest()
    if found != {head}:
        yield wrong(
            f"it has the form {', '.join(sorted(found)) or 'of no version'}, and this version "
            f"needs {head}. Both sites refuse to start",
            "nightferry migrate, then restart the services",
        )


def _judge_whole(connection: sqlite3.Connection) -> Iterator[Finding]:
    said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
    if said != ["ok"]:
        yield wrong(f"it is damaged: {'; '.join(said)}", _RESTORE)
    elif connection.execute("PRAGMA foreign_key_check").fetchone():
        yield wrong("it has rows whose source is gone", _RESTORE)


def _newest() -> str | None:
    (folder,) = submit.store.migrations.__path__
    return ScriptDirectory(Path(folder)).get_current_head()
