"""Backup and restore, killed before a call that changes something on the disk: nothing is half."""

import shutil
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from tests.deploy.backup.sysadmin import CHANGING, Sysadmin, below, killing, run, run_apart
from tests.deploy.backup.uploads import COMPLETE, Begun, assert_whole, put
from tests.faults.records import ask


def test_a_backup_that_is_killed_goes_on_and_leaves_nothing_half(sysadmin: Sysadmin) -> None:
    """No backup appears that is not whole; the next run takes up what is copied already."""
    Begun(sysadmin.live)
    Begun(sysadmin.live, 200_000)
    sysadmin.is_killed_backing_up("rename", 2)
    assert sysadmin.place.names() == []
    for path in (sysadmin.place.folder / "uploads").iterdir():
        assert path.read_bytes() == (sysadmin.live.uploads / path.name).read_bytes()
    assert sysadmin.backs_up().status == 0
    assert_whole(sysadmin)
    assert sysadmin.verifies().status == 0
    assert [path.name for path in sysadmin.place.folder.rglob("*.new")] == []


def test_a_restore_that_is_killed_goes_on(sysadmin: Sysadmin, tmp_path: Path) -> None:
    """Before the database is there nothing can start; the same command does the rest."""
    upload = put(sysadmin.live)
    assert sysadmin.backs_up().status == 0
    home = ["--gnupghome", str(sysadmin.live.ngo.home)]
    words = sysadmin.restoring(tmp_path / "new", *home)
    assert run_apart(*words, wrapper=killing("renameat", 2)).status == -9
    data = below(tmp_path / "new", sysadmin.live.data)
    assert not (data / "nightferry.db").exists()
    assert run(*words).status == 0
    sealed = data / "uploads" / f"{upload}.tar.gpg"
    assert sealed.read_bytes() == (sysadmin.live.uploads / sealed.name).read_bytes()
    assert list((tmp_path / "new").rglob("*.restoring*")) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_backup_that_is_killed_anywhere_goes_on(sysadmin: Sysadmin) -> None:
    """Before each call that changes anything: what is listed is whole, and the next run ends well."""
    Begun(sysadmin.live)
    Begun(sysadmin.live, 200_000)
    sysadmin.makes_onions()
    for call in CHANGING.split(","):
        for when in count(1):
            done = run_apart(*sysadmin.backing_up(), wrapper=killing(call, when))
            if sysadmin.place.names():
                assert_whole(sysadmin)
                assert sysadmin.verifies().status == 0
            assert sysadmin.backs_up().status == 0, (call, when)
            assert_whole(sysadmin)
            assert sysadmin.verifies().status == 0, (call, when)
            shutil.rmtree(sysadmin.place.folder)
            if done.status == 0:
                break


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_restore_that_is_killed_anywhere_goes_on(sysadmin: Sysadmin, tmp_path: Path) -> None:
    """Before each call that changes anything: no service before it is whole, and then the whole."""
    put(sysadmin.live)
    source = sysadmin.live.new_source()
    url = sysadmin.live.create(source, len(COMPLETE))
    assert sysadmin.live.append(source, url, 0, COMPLETE[:100_000]).status_code == 204
    sysadmin.makes_onions()
    assert sysadmin.backs_up().status == 0
    home = ["--gnupghome", str(sysadmin.live.ngo.home)]
    words = sysadmin.restoring(tmp_path / "new", *home)
    for call in CHANGING.split(","):
        for when in count(1):
            killed = run_apart(*words, wrapper=killing(call, when)).status == -9
            assert run(*words).status == 0 or is_there(sysadmin, tmp_path / "new"), (call, when)
            restored = below(tmp_path / "new", sysadmin.live.uploads)
            for path in sysadmin.live.uploads.iterdir():
                assert (restored / path.name).read_bytes() == path.read_bytes(), (call, when)
            assert is_there(sysadmin, tmp_path / "new"), (call, when)
            shutil.rmtree(tmp_path / "new")
            (tmp_path / "new").mkdir()
            if not killed:
                break


def is_there(sysadmin: Sysadmin, root: Path) -> bool:
    """Tell whether everything was restored: a kill after the last step comes too late."""
    data = below(root, sysadmin.live.data)
    onion = root / "var/lib/nightferry-tor/desk/hs_ed25519_secret_key"
    salt = (sysadmin.live.data / "codename.salt").read_bytes()
    with closing(sqlite3.connect(data / "nightferry.db")) as database:
        found = database.execute("select count(*) from uploads").fetchall()
    same = found == ask(sysadmin.live, "select count(*) from uploads")
    return same and onion.exists() and (data / "codename.salt").read_bytes() == salt
