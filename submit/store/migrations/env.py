"""Runs migrations for Alembic, all of them in one transaction, with the house's SQLite settings."""

from alembic import context
from sqlalchemy import create_engine

from submit.store.database import lock_when_beginning
from submit.store.schema import metadata

_ALL_OR_NOTHING = True


def run() -> None:
    """Upgrade the database named in the configuration, or leave it as it was.

    SQLite's tables can be changed in a transaction like anything else, but neither Alembic nor
    Python's driver begins one for that by itself: a migration that was killed left half of it.
    """
    url = context.config.get_main_option("sqlalchemy.url") or ""
    engine = create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        lock_when_beginning(engine, ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"))
    try:
        with engine.begin() as connection:
            context.configure(
                connection=connection,
                target_metadata=metadata,
                render_as_batch=True,
                transactional_ddl=_ALL_OR_NOTHING,
            )
            with context.begin_transaction():
                context.run_migrations()
    finally:
        engine.dispose()


run()
