"""A database from before: its rows live on, and its sources can do what new ones can."""

from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from config.settings import Settings
from crypto.codename import CHEAPEST, derive, generate
from crypto.wrap import Wrapped, WrappingKey, wrap
from submit.app import World, build_intake, make_database
from submit.store.database import Database, _config
from tests.crypto.keys.making import Ngo

SALT = b"the salt of this deployment, 32."
COOKIE = bytes(32)


def test_rows_of_the_first_revision_live_on(tmp_path: Path, ngo: Ngo) -> None:
    """Source, session and upload are kept; the source is confirmed and gets a reply key."""
    settings = Settings(
        data=tmp_path,
        database=f"sqlite:///{tmp_path}/nightferry.db",
        recipients=(ngo.certificate,),
        hosts=("127.0.0.1",),
        listen="127.0.0.1:1",
    )
    (tmp_path / "codename.salt").write_bytes(SALT)
    codename = generate()
    derived = derive(codename, SALT, CHEAPEST)
    fill_first_revision(settings.database, derived.locator, derived.key)
    make_database(settings)
    database = Database(settings.database, 1)
    database.require_current()
    intake = build_intake(settings, World(lambda: 20_001 * 86400.0, CHEAPEST), database)

    old = intake.sources.recall("A" * 43)
    assert (old.source, old.key, old.confirmed) == (derived.locator, derived.key, True)
    assert (old.last_visit, old.introduced, old.codename_mark) == (None, False, None)
    assert intake.drop.show(old).messages == 1
    intake.messages.seal(old, f"a session from before has no mark: {codename}")

    session = intake.sources.recall(intake.sources.enter(codename).cookie)
    assert session.last_visit == 19_999
    assert session.introduced
    row = intake.sources._rows.find(derived.locator)
    assert row is not None
    assert row.reply_key is not None
    database.close()


def fill_first_revision(url: str, locator: bytes, key: WrappingKey) -> None:
    """Make a database as it was, with one of each."""
    command.upgrade(_config(url), "0001")
    engine = create_engine(url)
    cookie_hash = bytes.fromhex("66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925")
    wrapped = wrap(WrappingKey(COOKIE), b"source key in a session", cookie_hash, key)
    assert isinstance(Wrapped(wrapped), bytes)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO sources VALUES (?, 'happy otter', 19999)", (locator,)
        )
        connection.exec_driver_sql(
            "INSERT INTO sessions VALUES (?, ?, ?, 9999999)", (cookie_hash, locator, wrapped)
        )
        connection.exec_driver_sql(
            "INSERT INTO uploads VALUES ('a', ?, 'message', 'complete', 19999, 0, NULL)",
            (locator,),
        )
    engine.dispose()
