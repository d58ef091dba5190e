"""Root restores into folders of a service that somebody may have taken over: nothing else is touched."""

import os
import stat
from pathlib import Path

import pytest

from deploy.backup.command import require_stopped
from deploy.errors import DeployError
from deploy.host import Host
from submit.store.database import migrate
from tests.deploy.backup.planted import give_all, open_folder, plant_journal
from tests.deploy.backup.sysadmin import Sysadmin, below
from tests.deploy.backup.uploads import COMPLETE, put

_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be led astray")


def victim_in(folder: Path) -> Path:
    """Make a file of the host that no restore may touch."""
    folder.mkdir()
    victim = folder / "ld.so.preload"
    victim.write_text("of the host")
    victim.chmod(0o644)
    return victim


def assert_untouched(victim: Path) -> None:
    status = victim.lstat()
    assert (victim.read_text(), stat.S_IMODE(status.st_mode)) == ("of the host", 0o644)
    assert (status.st_uid, list(victim.parent.iterdir())) == (os.geteuid(), [victim])


def test_a_restore_follows_no_link_that_was_left_for_it(sysadmin: Sysadmin, tmp_path: Path) -> None:
    """Wherever it writes, a name that leads to a file of the host is put aside, and named."""
    upload = put(sysadmin.live)
    source = sysadmin.live.new_source()
    url = sysadmin.live.create(source, len(COMPLETE))
    assert sysadmin.live.append(source, url, 0, COMPLETE[:100_000]).status_code == 204
    sysadmin.makes_onions()
    assert sysadmin.backs_up().status == 0
    [tail] = {path.name for path in sysadmin.live.uploads.glob(f"{url.rpartition('/')[2]}.tail")}
    data, victim = below(tmp_path / "new", sysadmin.live.data), victim_in(tmp_path / "etc")
    onion = tmp_path / "new/var/lib/nightferry-tor/source"
    for folder in (data / "uploads", onion):
        folder.mkdir(parents=True)
    planted = [data / "uploads" / f"{upload}.tar.gpg", data / "uploads" / tail]
    planted += [data / "codename.salt", onion / "hs_ed25519_secret_key", onion / "hostname"]
    for path in planted:
        path.symlink_to(victim)
        path.with_name(f"{path.name}.restoring").symlink_to(victim)
        path.with_name(f"{path.name}.new").symlink_to(victim)
    for folder in (data / "uploads", data, onion):
        (folder / ".restoring").symlink_to(victim.parent)
    restored = sysadmin.restores(tmp_path / "new")
    assert restored.status == 0, restored.said
    assert_untouched(victim)
    for path in planted:
        assert path.is_file()
        assert not path.is_symlink()
        assert str(path.with_name(f"{path.name}.before-restore")) in restored.said


@pytest.mark.parametrize("name", ["uploads", "nightferry-tor"])
def test_a_restore_enters_no_folder_through_a_link(
    sysadmin: Sysadmin, tmp_path: Path, name: str
) -> None:
    """The folder of the uploads, or tor's, leads into the host: refused in words."""
    put(sysadmin.live)
    sysadmin.makes_onions()
    assert sysadmin.backs_up().status == 0
    data, victim = below(tmp_path / "new", sysadmin.live.data), victim_in(tmp_path / "etc")
    data.mkdir(parents=True)
    (tmp_path / "new/var/lib").mkdir(parents=True)
    at = data if name == "uploads" else tmp_path / "new/var/lib"
    (at / name).symlink_to(victim.parent)
    restored = sysadmin.restores(tmp_path / "new")
    assert (restored.status, "is a link" in restored.said) == (1, True), restored.said
    assert_untouched(victim)


@_root
def test_a_journal_beside_an_old_database_removes_no_file_of_the_host(sysadmin: Sysadmin) -> None:
    """SQLite removes the file that a journal names: with the service's rights, never with root's."""
    put(sysadmin.live)
    assert sysadmin.backs_up().status == 0
    with open_folder() as root:
        data, victim = below(root, sysadmin.live.data), victim_in(root / "host")
        data.mkdir(parents=True)
        migrate(f"sqlite:///{data}/nightferry.db")
        plant_journal(data / "nightferry.db", victim)
        for folder in data.relative_to(root).parents:
            (root / folder).chmod(0o755)
        give_all(data)
        refused = sysadmin.restores(root)
        assert (victim.exists(), refused.status) == (True, 1), refused.said
        assert "cannot be read" in refused.said
        (data / "nightferry.db").rename(data / "moved.away")
        (data / "nightferry.db-journal").write_bytes(b"left")
        assert sysadmin.restores(root).status == 0
        assert (data / "nightferry.db-journal.before-restore").exists()
        assert not (data / "nightferry.db-journal").exists()
        assert_untouched(victim)


@pytest.mark.parametrize("unit", ["source.socket", "desk.service", "tor.service", "daily.service"])
@pytest.mark.parametrize("word", ["active", "activating"])
def test_a_restore_waits_for_the_end_of_every_service(tmp_path: Path, unit: str, word: str) -> None:
    """Whatever can write there while root does is stopped first, the daily work as well."""
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(
        f'#!/bin/sh\n[ "$2" = nightferry-{unit} ] && echo {word} || {{ echo inactive; exit 3; }}\n'
    )
    systemctl.chmod(0o755)
    with pytest.raises(DeployError, match=f"nightferry-{unit} is {word}"):
        require_stopped(Host(programs=tmp_path))
    systemctl.write_text("#!/bin/sh\necho inactive\nexit 3\n")
    require_stopped(Host(programs=tmp_path))
