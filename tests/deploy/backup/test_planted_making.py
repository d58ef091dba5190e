"""Root backs up folders of a service that somebody may have taken over: no secret of the host comes along."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from deploy.backup.place import Line, write_list
from deploy.errors import DeployError
from tests.deploy.backup.planted import SERVICE, give_all, open_folder, plant_journal
from tests.deploy.backup.sysadmin import Done, Sysadmin, run
from tests.deploy.backup.uploads import Begun, assert_whole
from tests.faults.canary import at_rest, needles_of, search
from tests.live import Live

_SECRET = b"of the host, and of nobody else"
_NAMES = ("a" * 26, "b" * 26, "c" * 26, "Movie-2026", "d" * 27)


class House:
    """A service that does not run, below a folder that its user can reach."""

    def __init__(self, live: Live, folder: Path) -> None:
        self.data, self.config = folder / "site", folder / "nightferry.toml"
        self.folder = folder
        self.database = self.data / "nightferry.db"
        shutil.copytree(live.data, self.data, ignore=shutil.ignore_patterns("nightferry.db*"))
        with (
            closing(sqlite3.connect(live.data / "nightferry.db")) as database,
            closing(sqlite3.connect(self.database)) as copy,
        ):
            database.backup(copy)
        self.config.write_text(live.config.read_text().replace(str(live.data), str(self.data)))
        give_all(self.data)

    def is_backed_up(self) -> Done:
        to = ["--to", str(self.folder / "backups"), "--onion", str(self.folder / "tor")]
        return run("backup", "--config", str(self.config), *to)


@pytest.fixture
def planted(sysadmin: Sysadmin, tmp_path: Path) -> list[Path]:
    """Leave a link, a pipe, a folder and other names among the sealed files, and links in tor's."""
    sysadmin.makes_onions()
    secret = tmp_path / "shadow"
    secret.write_bytes(_SECRET)
    uploads = sysadmin.live.uploads
    link, pipe, folder, *others = (uploads / f"{name}.tar.gpg" for name in _NAMES)
    link.symlink_to(secret)
    os.mkfifo(pipe)
    folder.mkdir()
    for other in others:
        other.write_bytes(b"no upload")
    key = sysadmin.onion / "source/hs_ed25519_public_key"
    key.unlink()
    key.symlink_to(secret)
    return [link, pipe, folder, *others, key]


def remove(planted: list[Path]) -> None:
    for path in planted:
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()


def test_a_backup_takes_nothing_but_sealed_files(
    sysadmin: Sysadmin, planted: list[Path], tmp_path: Path
) -> None:
    """A link, a pipe, a folder, another name: named, exit status 2, all the rest is kept, and readable."""
    begun = Begun(sysadmin.live)
    try:
        made = sysadmin.backs_up()
    finally:
        remove(planted)
    assert made.status == 2, made.said
    assert all(path.name in made.said for path in planted), made.said
    assert search(at_rest(sysadmin.place.folder), needles_of("secret", _SECRET)) == []
    assert set(sysadmin.newest().uploads).isdisjoint(_NAMES)
    assert sysadmin.place.kept(begun.id).exists()
    assert_whole(sysadmin)
    assert sysadmin.verifies().status == 0
    restored = sysadmin.restores(tmp_path / "new")
    assert (sysadmin.backs_up().status, restored.status) == (0, 0), restored.said
    assert not search(at_rest(tmp_path / "new"), needles_of("secret", _SECRET))


@pytest.mark.parametrize("place", ["uploads/Movie.tar.gpg", "tails/" + "a" * 65 + ".tail", "a\nb"])
def test_a_list_that_could_not_be_read_again_is_not_written(place: str) -> None:
    """A backup that nobody can read must not look like one."""
    with pytest.raises(DeployError, match="no new backup"):
        write_list([Line("0" * 64, 1, place)])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be led astray")
def test_a_journal_beside_a_database_that_is_backed_up_removes_no_file_of_the_host(
    sysadmin: Sysadmin,
) -> None:
    """SQLite removes the file that a journal names: with the service's rights, never with root's."""
    Begun(sysadmin.live)
    with open_folder() as folder:
        house, victim = House(sysadmin.live, folder), folder / "shadow"
        victim.write_bytes(_SECRET)
        assert house.is_backed_up().status == 0
        plant_journal(house.database, victim)
        give_all(house.data)
        done = house.is_backed_up()
        assert (done.status, "cannot be read" in done.said) == (1, True), done.said
        assert victim.read_bytes() == _SECRET


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be led astray")
def test_a_backup_leaves_nothing_of_roots_beside_the_database(sysadmin: Sysadmin) -> None:
    """A log that root had made would lock the service out of its own database."""
    Begun(sysadmin.live)
    with open_folder() as folder:
        house = House(sysadmin.live, folder)
        with closing(sqlite3.connect(house.database)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA user_version=1")
            database.execute("UPDATE uploads SET suspect = suspect")
            database.commit()
            give_all(house.data)
            assert house.is_backed_up().status == 0
        assert {path.stat().st_uid for path in house.data.glob("nightferry.db*")} == {SERVICE}
        assert house.is_backed_up().status == 0
        assert {path.stat().st_uid for path in house.data.glob("nightferry.db*")} == {SERVICE}
