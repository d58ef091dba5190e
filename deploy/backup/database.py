"""The database of a service that runs: a copy at one moment, and the way back.

Rule 1: SQLite's own online backup, in both directions. Copying the file would miss its write-ahead
        log, and replacing the file would leave whoever has it open with the old one.
Rule 2: a copy for a backup lives in memory only: it holds what is wrapped for sources.
Rule 3: root itself opens no database that a service can write: see `reading`.
"""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url

from deploy.backup import reading
from deploy.backup.durable import sync_file, sync_folder
from deploy.errors import DeployError

BEFORE: Final = ".before-upgrade"

_LONG = 900  # seconds for reading all of a database
_CODE = Path(__file__).parents[2]
_UMASK = 0o007  # the log and its index, if they are made, are the group's, as the database is
_NOT_SQLITE = (
    "the database is not SQLite: back it up by its own means. Of this service nothing was copied."
)
_MISSING = "{path}: there is no database. Nothing was copied."
_UNREADABLE = "{path}: cannot be read: {reason}. Nothing was changed."


def sqlite_path(url: str) -> Path:
    """Give the database's file. Raises DeployError if it is none of SQLite's."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise DeployError(_NOT_SQLITE)
    return Path(parsed.database)


def take(path: Path, data: Path) -> bytes:
    """Give the whole database as it is at one moment, as the octets of a file. Raises DeployError.

    It is read with the rights of whom the data folder belongs to; `unused`, `upload_states`, too.
    """
    if not path.exists():
        raise DeployError(_MISSING.format(path=path))
    return _read(data, path, "take", str(path))


def upload_states(database: bytes, data: Path) -> dict[str, str]:
    """Give the state of each upload that a copy of the database knows. Raises DeployError."""
    found: dict[str, str] = json.loads(_read(data, "the copy", "states", given=database))
    return found


def is_unused(path: Path, data: Path) -> bool:
    """Tell whether a database knows no source, upload and staff, or is damaged. Raises DeployError."""
    return bool(json.loads(_read(data, path, "unused", str(path))))


def copy_aside(path: Path) -> Path:
    """Keep a copy beside the database, durable; give where. Raises DeployError."""
    copy, new = path.with_name(path.name + BEFORE), path.with_name(path.name + BEFORE + ".new")
    drop_copy(path)
    new.touch(mode=0o600)
    with _opened(path) as live, closing(sqlite3.connect(new)) as kept:
        live.backup(kept)
    new.chmod(path.stat().st_mode & 0o777)
    _own_like(path, new)
    sync_file(new)
    new.rename(copy)
    sync_folder(copy.parent)
    return copy


def drop_copy(path: Path) -> None:
    """Remove the copy beside a database, if there is one."""
    for ending in ("", ".new"):
        copy = path.name + BEFORE + ending
        for part in ("", "-wal", "-shm", "-journal"):
            path.with_name(copy + part).unlink(missing_ok=True)


def put_back(path: Path, copy: Path) -> None:
    """Make the database what the copy is, in one transaction; whoever has it open goes on with that."""
    with _opened(copy) as kept, _opened(path) as live:
        kept.backup(live)


def is_sound(path: Path) -> bool:
    """Let SQLite look through the whole database."""
    try:
        with _opened(path) as database:
            said: list[tuple[str]] = database.execute("PRAGMA integrity_check").fetchall()
    except DeployError:
        return False
    return said == [("ok",)]


def revision(path: Path) -> str | None:
    """Give the form that the database has, None if it says none."""
    try:
        with _opened(path) as database:
            query = "SELECT version_num FROM alembic_version"
            row: tuple[str] | None = database.execute(query).fetchone()
    except DeployError:
        return None
    return row[0] if row else None


def _read(data: Path, path: Path | str, *words: str, given: bytes = b"") -> bytes:
    owner = data.lstat()
    whose = [str(owner.st_uid), str(owner.st_gid)]
    try:
        done = subprocess.run(  # noqa: S603 # no shell
            [sys.executable, "-P", "-s", "-B", "-m", reading.__name__, *whose, *words],
            input=given,
            capture_output=True,
            check=False,
            timeout=_LONG,
            cwd="/",
            env={"PYTHONPATH": str(_CODE), "LC_ALL": "C.UTF-8"},
            umask=_UMASK,
        )
    except subprocess.TimeoutExpired:
        raise DeployError(_UNREADABLE.format(path=path, reason=f"no end after {_LONG} s")) from None
    if done.returncode != 0:
        reason = ascii((done.stderr.decode(errors="replace").splitlines() or ["no reason"])[-1])
        raise DeployError(_UNREADABLE.format(path=path, reason=reason))
    return done.stdout


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.exists():
        raise DeployError(_MISSING.format(path=path))
    try:
        with closing(reading.open_live(path)) as database:
            yield database
    except sqlite3.DatabaseError as error:
        raise DeployError(_UNREADABLE.format(path=path, reason=error)) from None


def _own_like(model: Path, path: Path) -> None:
    owner = model.stat()
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)
