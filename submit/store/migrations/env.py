"""Runs migrations for Alembic, one transaction each, with the house's SQLite settings."""

from alembic import context
from sqlalchemy import create_engine

from submit.store.schema import metadata


def run() -> None:
    """Upgrade the database named in the configuration."""
    url = context.config.get_main_option("sqlalchemy.url") or ""
    engine = create_engine(url, hide_parameters=True)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("PRAGMA synchronous=FULL")
            connection.commit()
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
