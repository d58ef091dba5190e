"""SQLite as it must be set up, and migrations. No worker ever migrates.

SQLAlchemy's defaults lose updates on SQLite: writers must take the write lock when they
begin (BEGIN IMMEDIATE), or two of them read the same row and one write is lost.
"""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.pool import ConnectionPoolEntry

from submit.store.errors import DiskFullError, WrongRevisionError
from submit.store.sharing import is_shared, masked, open_for_all, umask_of

_MIGRATIONS = Path(__file__).parent / "migrations"
_NOBODY_ELSE = 0o077
_BUSY_TIMEOUT, _ERASE_TIMEOUT = 20_000, 1_000  # milliseconds
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=ON",
    "foreign_keys=ON",
    f"busy_timeout={_BUSY_TIMEOUT}",
    "temp_store=MEMORY",
    "trusted_schema=OFF",
    "journal_size_limit=0",
)


_MISSING = (
    "there is no database at {path}, and none was made: if the disk of the data is not mounted, a new one "
    "would hide the old. Is it mounted? Only if there has never been one: nightferry migrate"
)


class MissingDatabaseError(WrongRevisionError):
    """Where the settings say that it is, there is no database, or an empty file; none was made."""

    def __init__(self, url: str) -> None:
        """Name the database of `url`."""
        super().__init__(_MISSING.format(path=make_url(url).database))


class Database:
    """Two engines on one database: `reader` begins deferred, `writer` with the write lock."""

    def __init__(self, url: str, connections: int) -> None:
        """Open it with up to `connections` at once for each engine; MissingDatabaseError if it is not there."""
        if not _is_there(url):
            raise MissingDatabaseError(url)
        self.reader = _engine(url, connections, "BEGIN")
        self.writer = _engine(url, connections, "BEGIN IMMEDIATE")

    def require_current(self) -> None:
        """Refuse (WrongRevisionError) a database that was not migrated to this version.

        MissingDatabaseError if it never was: then it is an empty file.
        """
        head = ScriptDirectory.from_config(_config("")).get_current_head()
        current = self._revision()
        if current is None:
            raise MissingDatabaseError(self.reader.url.render_as_string())
        if current != head:
            raise WrongRevisionError

    def _revision(self) -> str | None:
        with self.reader.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def erase(self) -> None:
        """Let nothing that was deleted live on in SQLite's write-ahead log.

        A log that somebody reads longer than a second is left for the next time.
        """
        if self.is_sqlite:
            _empty_log(self.writer)

    @property
    def is_sqlite(self) -> bool:
        """Tell whether this is SQLite, which has a log to be emptied and numbers its rows."""
        return self.writer.dialect.name == "sqlite"

    def close(self) -> None:
        """Close all connections."""
        self.reader.dispose()
        self.writer.dispose()


def is_made(url: str) -> bool:
    """Tell whether there is a database, of whatever form; an empty file is none."""
    if not _is_there(url):
        return False
    database = Database(url, 1)
    try:
        return database._revision() is not None  # noqa: SLF001 # of this module
    finally:
        database.close()


def _is_there(url: str) -> bool:
    path = _file_of(url)
    return path is None or path.exists()


def _file_of(url: str) -> Path | None:
    """Give SQLite's file; None if the database is another's, or in memory."""
    address = make_url(url)
    ours = address.get_backend_name() == "sqlite" and address.database not in {None, "", ":memory:"}
    return Path(address.database or "") if ours else None


def migrate(url: str) -> None:
    """Bring the database to the newest revision, making it if it is missing."""
    with masked(_prepare_file(url)):
        command.upgrade(_config(url), "head")


def _prepare_file(url: str) -> int:
    """Make SQLite's file, if it is to be shared: its log and index follow its mode. Give the umask."""
    address = make_url(url)
    folder = Path(address.database or "").parent
    if address.get_backend_name() != "sqlite" or not is_shared(folder):
        return _NOBODY_ELSE
    os.close(open_for_all(Path(address.database or "")))
    return umask_of(folder)


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def _engine(url: str, connections: int, begin: str) -> Engine:
    engine = create_engine(url, pool_size=connections, max_overflow=0, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        _let_make_nothing(engine, _file_of(url))
        _set_up_sqlite(engine, begin, _PRAGMAS)
    return engine


def _let_make_nothing(engine: Engine, path: Path | None) -> None:
    """SQLite makes an empty database in the place of one that is missing, unless it is told not to."""
    if path is None:
        return

    @event.listens_for(engine, "do_connect")
    def connect(
        _dialect: object, _record: object, words: list[Any], options: dict[str, Any]
    ) -> None:
        words[0] = f"file:{quote(str(path.absolute()))}?mode=rw"
        options["uri"] = True


def lock_when_beginning(engine: Engine, pragmas: Sequence[str]) -> None:
    """Let every transaction begin with the write lock, on connections with these settings."""
    _set_up_sqlite(engine, "BEGIN IMMEDIATE", [*pragmas, f"busy_timeout={_BUSY_TIMEOUT}"])


def _set_up_sqlite(engine: Engine, begin: str, pragmas: Sequence[str]) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver must not begin transactions by itself: see the listener below.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "handle_error")
    def say_full(context: ExceptionContext) -> None:
        # The reserve keeps room for the database, but not from everybody else on this disk.
        if getattr(context.original_exception, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
            raise DiskFullError

    @event.listens_for(engine, "begin")
    def start(connection: object) -> None:
        connection.exec_driver_sql(begin)  # type: ignore[attr-defined] # sqlalchemy.Connection


def _empty_log(engine: Engine) -> None:
    # Without a transaction, which SQLAlchemy would begin: a checkpoint cannot run inside one.
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_ERASE_TIMEOUT}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT}")
        cursor.close()
    finally:
        connection.close()
