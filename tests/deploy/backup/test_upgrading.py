"""A new version's database: brought to its form, or left as it was, whatever happens meanwhile."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from deploy.backup.upgrading import main
from tests.deploy.backup.sysadmin import killing
from tests.faults.tracing import WRITING, read_trace, tracing
from tests.live import Live

_ROOT = Path(__file__).parents[3]
_PATIENCE = 60
CONTENT = Random(7).randbytes(300_000)
_HEADER = """\
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{before}"


def upgrade() -> None:
"""
_FAILS = """\
    op.add_column("sources", sa.Column("more", sa.Integer, nullable=True))
    op.execute(sa.text("DELETE FROM uploads"))
    raise RuntimeError("the migration is wrong")
"""
_LOSES = """\
    op.execute(sa.text("DELETE FROM uploads"))
    op.get_bind().exec_driver_sql("PRAGMA writable_schema=ON")
    op.execute(sa.text("DELETE FROM sqlite_schema WHERE name = 'ix_uploads_source'"))
"""
_WORKS = """\
    op.add_column("sources", sa.Column("more", sa.Integer, nullable=True))
    op.execute(sa.text("UPDATE sources SET more = 1"))
    op.create_table("more", sa.Column("id", sa.Integer, primary_key=True))
"""


class NewVersion:
    """A copy of the program with one migration more."""

    def __init__(self, folder: Path, migration: str) -> None:
        self._code = folder / "code"
        for room in ("submit", "crypto", "config", "deploy"):
            shutil.copytree(
                _ROOT / room, self._code / room, ignore=shutil.ignore_patterns("__pycache__")
            )
        versions = self._code / "submit/store/migrations/versions"
        before = max(path.name[1:5] for path in versions.glob("r*.py"))
        (versions / "r9999_more.py").write_text(_HEADER.format(before=before) + migration)

    def upgrades(self, config: Path, *wrapper: str) -> subprocess.CompletedProcess[str]:
        """Do what the package's postinst does."""
        return subprocess.run(
            [*wrapper, sys.executable, "-m", "deploy.backup.upgrading", "--config", str(config)],
            env={**os.environ, "PYTHONPATH": str(self._code), "PYTHONSAFEPATH": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Give everything that a database holds, and its form."""
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
        found: dict[str, list[tuple[object, ...]]] = {"": tables}
        for name, sql in tables:
            if sql and sql.startswith("CREATE TABLE"):
                found[name] = database.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return found


def settled(live: Live, folder: Path) -> tuple[Path, Path]:
    """Give the settings of nobody's service, and its database: a copy of a living one's."""
    folder.mkdir()
    path, config = folder / "nightferry.db", folder / "nightferry.toml"
    with (
        closing(sqlite3.connect(live.data / "nightferry.db")) as database,
        closing(sqlite3.connect(path)) as copy,
    ):
        database.backup(copy)
        copy.execute("PRAGMA journal_mode=WAL")
    text = live.config.read_text().replace(str(live.data / "nightferry.db"), str(path))
    config.write_text(text)
    return config, path


@pytest.mark.parametrize(
    ("migration", "words"), [(_FAILS, "It is as it was before"), (_LOSES, "It was put back")]
)
def test_a_migration_that_fails_leaves_the_old_service_going_on(
    server: Live, tmp_path: Path, migration: str, words: str
) -> None:
    """Whether it raises or ends unsound: exit status 1, in words, and not a row has changed."""
    source = server.new_source()
    url = server.create(source, len(CONTENT))
    assert server.append(source, url, 0, CONTENT[:100_000]).status_code == 204
    before = rows(server.data / "nightferry.db")

    done = NewVersion(tmp_path, migration).upgrades(server.config)
    assert (done.returncode, words in " ".join(done.stderr.split())) == (1, True), done.stderr
    assert rows(server.data / "nightferry.db") == before

    assert server.append(source, url, 100_000, CONTENT[100_000:]).status_code == 204
    assert server.open(server.sealed(url), tmp_path).content == CONTENT
    server.new_source()


def test_an_upgrade_that_works_leaves_no_copy_behind(server: Live, tmp_path: Path) -> None:
    """A copy holds keys that the service forgets; one that a killed upgrade left goes, too."""
    server.new_source()
    config, path = settled(server, tmp_path / "old")
    before, new = rows(path), NewVersion(tmp_path, _WORKS)
    shutil.copy(path, path.with_name("nightferry.db.before-upgrade"))
    assert new.upgrades(config).returncode == 0
    left = {each.name for each in path.parent.iterdir()} - {config.name}
    assert left <= {"nightferry.db", "nightferry.db-wal", "nightferry.db-shm"}
    assert rows(path) != before


def test_an_upgrade_hides_no_database_behind_a_new_one(server: Live, tmp_path: Path) -> None:
    """The disk of the data may not be mounted just now: nothing is made in its place."""
    config, path = settled(server, tmp_path / "none")
    path.unlink()
    done = NewVersion(tmp_path, _WORKS).upgrades(config)
    assert (done.returncode, path.exists()) == (1, False)
    assert "not mounted" in " ".join(done.stderr.split())


def test_a_damaged_database_is_named_and_left_alone(server: Live, tmp_path: Path) -> None:
    """The sysadmin at night reads a sentence, and no traceback; not an octet is changed."""
    config, path = settled(server, tmp_path / "damaged")
    path.write_bytes(b"this was a database once")
    done = NewVersion(tmp_path, _WORKS).upgrades(config)
    assert (done.returncode, path.read_bytes()) == (1, b"this was a database once")
    assert "is damaged" in done.stderr
    assert "Traceback" not in done.stderr


Rows = dict[str, list[tuple[object, ...]]]


@dataclass(frozen=True)
class Rehearsed:
    """How often an upgrade that nobody kills makes each call, and what comes of it."""

    new: NewVersion
    old: Path
    steps: dict[str, int]
    after: Rows

    def settled(self, folder: Path) -> tuple[Path, Path]:
        """Give settings and database of another such service, as it was before."""
        config = shutil.copytree(self.old, folder) / "nightferry.toml"
        config.write_text(config.read_text().replace(str(self.old), str(folder)))
        return config, folder / "nightferry.db"


@pytest.fixture(scope="module")
def rehearsed(server: Live, tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    server.new_source()
    folder = tmp_path_factory.mktemp("rehearsed")
    new, trace = NewVersion(folder, _WORKS), folder / "trace"
    settled(server, folder / "old")
    shutil.copytree(folder / "old", folder / "rehearsal")
    config, path = folder / "rehearsal/nightferry.toml", folder / "rehearsal/nightferry.db"
    config.write_text(config.read_text().replace(str(folder / "old"), str(path.parent)))
    assert new.upgrades(config, *tracing(trace, WRITING)).returncode == 0
    calls = [call.name for call in read_trace(trace)]
    steps = {call: calls.count(call) for call in dict.fromkeys(calls)}
    return Rehearsed(new, folder / "old", steps, rows(path))


def test_an_upgrade_that_is_killed_leaves_the_old_form_or_the_new(
    tmp_path: Path, rehearsed: Rehearsed
) -> None:
    """kill -9 in the middle of the migration: nothing between, and run again it ends well."""
    # Three quarters of all writes are the copy's that is made before.
    when = round(0.75 * rehearsed.steps["pwrite64"])
    config, path = rehearsed.settled(tmp_path / "old")
    before = rows(path)
    assert rehearsed.new.upgrades(config, *killing("pwrite64", when)).returncode == -9
    # What nobody thought of can be undone by hand; nobody else may read the copy.
    copy = path.with_name("nightferry.db.before-upgrade")
    assert rows(copy) == before
    assert copy.stat().st_mode == path.stat().st_mode
    assert rows(path) in (before, rehearsed.after)
    assert rehearsed.new.upgrades(config).returncode == 0
    assert rows(path) == rehearsed.after


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_an_upgrade_that_is_killed_at_any_step_leaves_the_old_form_or_the_new(
    tmp_path: Path, rehearsed: Rehearsed
) -> None:
    """Before each call that changes anything on the disk."""
    for call, count in rehearsed.steps.items():
        for when in range(1, count + 1):
            kill_at(*rehearsed.settled(tmp_path / f"{call}-{when}"), rehearsed, call, when)


def kill_at(config: Path, path: Path, rehearsed: Rehearsed, call: str, when: int) -> None:
    """Kill an upgrade before a call; then let it run."""
    before, new = rows(path), rehearsed.new
    done = new.upgrades(config, *killing(call, when))
    assert done.returncode == -9, (call, when, done.stderr)
    assert rows(path) in (before, rehearsed.after), (call, when)
    assert new.upgrades(config).returncode == 0, (call, when)
    assert rows(path) == rehearsed.after, (call, when)


def test_the_version_from_before_leaves_a_newer_database_as_it_is(
    server: Live, tmp_path: Path
) -> None:
    """Going back begins with the old package: it says no, and the database waits to be moved away."""
    config, path = settled(server, tmp_path / "newer")
    assert NewVersion(tmp_path, _WORKS).upgrades(config).returncode == 0
    before = rows(path)
    assert main(["--config", str(config)]) == 1
    assert rows(path) == before
    assert not path.with_name("nightferry.db.before-upgrade").exists()
