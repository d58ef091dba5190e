"""A database from a backup, brought to this version's form before a service can see it.

It is made ready in memory, in a folder that nobody else may enter: what the services can write into is
no place for root's SQLite (see `reading`).
"""

import secrets
import shutil
from collections.abc import Collection
from pathlib import Path

from alembic.util.exc import CommandError
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from deploy.backup import database
from deploy.backup.reconciling import Reconciled, reconcile
from deploy.errors import DeployError
from submit.store.database import migrate

_NEWER = (
    "the backup is of a newer version than this program, or its database is damaged. The sealed "
    "files are in place, the service is not. Install that version, then run the command again."
)


def prepared(octets: bytes, uploads: Collection[str]) -> tuple[bytes, Reconciled]:
    """Give a database in this version's form; and what does not fit the uploads that have a file.

    Raises DeployError.
    """
    folder = Path("/dev/shm") / f"nightferry-{secrets.token_hex(8)}"  # noqa: S108 # 0700, at random
    folder.mkdir(mode=0o700)
    try:
        path = folder / "database"
        path.touch(mode=0o600)
        path.write_bytes(octets)
        found = _prepare(path, uploads)
        return path.read_bytes(), found
    finally:
        shutil.rmtree(folder)


def _prepare(path: Path, uploads: Collection[str]) -> Reconciled:
    url = f"sqlite:///{path}"
    try:
        migrate(url)
        found = reconcile(path, uploads)
        _distrust(url)
    except (CommandError, SQLAlchemyError):
        raise DeployError(_NEWER) from None
    if not database.is_sound(path):
        raise DeployError(_NEWER)
    return found


def _distrust(url: str) -> None:
    """Let nothing unfinished be taken on trust."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            # It may have been sent on after the backup: all is read back before it is complete.
            connection.execute(text("UPDATE uploads SET suspect = 1 WHERE state = 'open'"))
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
    finally:
        engine.dispose()
