"""The disk of the data is not mounted: no service makes a new database, or a salt, in its place."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from deploy.backup.upgrading import main as upgrades
from deploy.host import Host
from deploy.init.steps import _make_database
from tests.deploy.backup.sysadmin import Sysadmin, below
from tests.deploy.backup.uploads import put
from tests.live import Live

_PATIENCE = 60


class Unmounted:
    """A service whose data folder is empty all of a sudden."""

    def __init__(self, server: Live, folder: Path) -> None:
        self.data = folder / "site"
        self.config = folder / "nightferry.toml"
        self.data.mkdir()
        self.config.write_text(server.config.read_text().replace(str(server.data), str(self.data)))

    @property
    def database(self) -> Path:
        return self.data / "nightferry.db"

    @property
    def salt(self) -> Path:
        return self.data / "codename.salt"

    def runs(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "submit.cli", *command, "--config", str(self.config)],
            env={**os.environ, "PYTHONSAFEPATH": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )


@pytest.fixture
def unmounted(server: Live, tmp_path: Path) -> Unmounted:
    return Unmounted(server, tmp_path)


def empty(database: Path) -> None:
    """Make what SQLite makes of a missing database that is opened."""
    with closing(sqlite3.connect(database)) as made:
        made.execute("PRAGMA journal_mode=WAL")


@pytest.mark.parametrize(
    "command", [("serve", "source"), ("serve", "desk"), ("expire",), ("staff", "list")]
)
def test_no_service_makes_a_database(unmounted: Unmounted, command: tuple[str, ...]) -> None:
    """Sites and daily work end in words that ask for the disk, and leave the folder as it is."""
    done = unmounted.runs(*command)
    assert (done.returncode, "Is it mounted?" in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr
    assert not unmounted.database.exists()
    assert not unmounted.salt.exists()


def test_an_empty_database_is_none(unmounted: Unmounted) -> None:
    """One that an accident made counts as missing, for sites and upgrades alike."""
    empty(unmounted.database)
    done = unmounted.runs("serve", "source")
    assert (done.returncode, "Is it mounted?" in done.stderr) == (1, True), done.stderr
    assert upgrades(["--config", str(unmounted.config)]) == 1
    assert not unmounted.salt.exists()
    with closing(sqlite3.connect(unmounted.database)) as database:
        assert database.execute("select count(*) from sqlite_schema").fetchall() == [(0,)]


def test_migrate_makes_both_once(unmounted: Unmounted) -> None:
    """Who means it makes database and salt; a salt that is gone later is not made anew."""
    assert unmounted.runs("migrate").returncode == 0
    assert unmounted.runs("staff", "list").returncode == 0
    unmounted.salt.unlink()
    for command in (("migrate",), ("expire",)):
        done = unmounted.runs(*command)
        assert (done.returncode, "from a backup" in done.stderr) == (1, True), done.stderr
        assert not unmounted.salt.exists()


def test_an_empty_database_is_no_hindrance_to_a_restore(sysadmin: Sysadmin, tmp_path: Path) -> None:
    """It knows nobody: it is put aside like any other that is unused."""
    put(sysadmin.live)
    assert sysadmin.backs_up().status == 0
    data = below(tmp_path / "new", sysadmin.live.data)
    data.mkdir(parents=True)
    empty(data / "nightferry.db")
    restored = sysadmin.restores(tmp_path / "new")
    assert (restored.status, "MOVED" in restored.said) == (0, True), restored.said


@pytest.mark.parametrize(("finished", "runs"), [(0, "upgrade-database"), (1, "migrate --config")])
def test_init_makes_a_database_on_a_new_host_only(tmp_path: Path, finished: int, runs: str) -> None:
    """On a host that init has finished once, it asks for what makes none, and says where it is."""
    for name, does in (
        ("systemctl", f"exit {finished}"),
        ("nightferry", f'echo "$@" >{tmp_path}/ran'),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    assert _make_database(Host(tmp_path, tmp_path)) == ""
    assert (tmp_path / "ran").read_text().startswith(runs)
