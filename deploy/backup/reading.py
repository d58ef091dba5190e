"""Reading a service's database with that service's rights, and no others.

    python -m deploy.backup.reading USER GROUP take FILE      all of it, as the octets of a file
    python -m deploy.backup.reading USER GROUP states         of a copy on stdin: its uploads' states
    python -m deploy.backup.reading USER GROUP unused FILE    whether nobody uses it yet: true, false

What SQLite opens can name other files to it, which it then removes: a journal does. Root's SQLite would do so anywhere, so it opens nothing that the service's user can write.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

PATIENCE = 60  # seconds for whoever writes
_TABLES = ("sources", "uploads", "staff")
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def drop_rights(user: int, group: int) -> None:
    """Be a user, of one group, from now on, if this is root."""
    if os.geteuid() == 0:
        os.setgroups([group])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)


def open_live(path: Path) -> sqlite3.Connection:
    """Open a database that is there. Raises sqlite3.Error."""
    return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=PATIENCE)


def take(path: Path) -> bytes:
    """Give a database as it is at one moment. Raises sqlite3.Error."""
    with closing(open_live(path)) as live, closing(sqlite3.connect(":memory:")) as kept:
        live.backup(kept)
        # What was deleted does not come along.
        kept.execute("VACUUM")
        return kept.serialize()


def states(database: bytes) -> dict[str, str]:
    """Give the state of each upload that a copy knows. Raises sqlite3.Error."""
    with closing(sqlite3.connect(":memory:")) as kept:
        kept.deserialize(database)
        return dict(kept.execute("SELECT id, state FROM uploads").fetchall())


def unused(path: Path) -> bool:
    """Tell whether a database knows no source, upload and staff, or is damaged. Raises sqlite3.Error."""
    try:
        with closing(open_live(path)) as database:
            if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return True
            there = "SELECT name FROM sqlite_schema WHERE type = 'table'"
            tables = {name for (name,) in database.execute(there)}
            return not any(
                database.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()  # noqa: S608 # constants
                for table in _TABLES
                if table in tables
            )
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in _DAMAGED:
            return True
        raise


def main(arguments: Sequence[str]) -> int:
    """Do one of the three; 1, with the reason, if it cannot be done."""
    user, group, what, *paths = arguments
    drop_rights(int(user), int(group))
    try:
        if what == "take":
            sys.stdout.buffer.write(take(Path(*paths)))
        elif what == "states":
            print(json.dumps(states(sys.stdin.buffer.read())))
        else:
            print(json.dumps(unused(Path(*paths))))
    except sqlite3.Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
