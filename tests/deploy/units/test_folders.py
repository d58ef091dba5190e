"""Users, folders, the kernel's settings and the journal, as systemd makes them from what is shipped."""

import os
import stat
from pathlib import Path

import pytest

from deploy import places
from tests.deploy.units.shipped import DEPLOY, ran

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders to other users")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give the root of a bare host, with what the package brings for systemd."""
    for name in ("sysusers.d", "tmpfiles.d"):
        folder = tmp_path / "usr" / "lib" / name
        folder.mkdir(parents=True)
        (folder / "nightferry.conf").write_bytes((DEPLOY / name / "nightferry.conf").read_bytes())
    (tmp_path / "etc").mkdir()
    return tmp_path


def numbers(root: Path, name: str) -> dict[str, list[str]]:
    """Read etc/passwd or etc/group: each name's other fields."""
    entries = (line.split(":") for line in (root / "etc" / name).read_text().splitlines())
    return {entry[0]: entry[1:] for entry in entries}


@needs_root
def test_the_users_are_three_and_cannot_log_in(root: Path) -> None:
    """The sites share a group, tor has one of its own, and none of them has a shell."""
    assert ran("systemd-sysusers", f"--root={root}").returncode == 0
    users, groups = numbers(root, "passwd"), numbers(root, "group")
    assert set(users) == {places.SOURCE_USER, places.DESK_USER, places.TOR_USER}
    shared = groups[places.GROUP][1]
    assert {name: fields[2] == shared for name, fields in users.items()} == {
        places.SOURCE_USER: True,
        places.DESK_USER: True,
        places.TOR_USER: False,
    }
    assert {fields[5] for fields in users.values()} == {"/usr/sbin/nologin"}
    assert {fields[2] for fields in groups.values()} == {""}, "nobody is in a group besides"


@needs_root
def test_the_folders_are_as_everybody_says(root: Path) -> None:
    """What systemd makes at each start is what `init` makes and `doctor` looks for."""
    ran("systemd-sysusers", f"--root={root}")
    done = ran("systemd-tmpfiles", f"--root={root}", "--create")
    assert done.returncode == 0, done.stdout
    users = {name: int(fields[1]) for name, fields in numbers(root, "passwd").items()}
    groups = {name: int(fields[1]) for name, fields in numbers(root, "group").items()}
    ids = {"root": 0, **users}, {"root": 0, **groups}
    made = [folder for folder in places.FOLDERS if (root / folder.path.relative_to("/")).exists()]
    assert places.DATA in {folder.path for folder in made}
    for folder in made:
        status = (root / folder.path.relative_to("/")).stat()
        wanted = (folder.mode, ids[0][folder.user], ids[1][folder.group])
        assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == wanted, folder.path


@needs_root
def test_a_wrong_mode_is_put_right_at_the_next_start(root: Path) -> None:
    """A folder that somebody has opened is closed again."""
    ran("systemd-sysusers", f"--root={root}")
    ran("systemd-tmpfiles", f"--root={root}", "--create")
    data = root / places.DATA.relative_to("/")
    data.chmod(0o755)
    ran("systemd-tmpfiles", f"--root={root}", "--create")
    assert stat.S_IMODE(data.stat().st_mode) == 0o2770


def test_the_kernel_knows_the_settings() -> None:
    """Each line is `key = value`; what this kernel does not have is marked as optional with -."""
    text = (DEPLOY / "sysctl.d" / "60-nightferry.conf").read_text()
    settings = [line.partition(" = ") for line in text.splitlines() if line and line[0] != "#"]
    assert all(middle and value for _, middle, value in settings)
    named = [key for key, _, _ in settings if not key.startswith("-")]
    assert "kernel.core_pattern" in named
    assert [key for key in named if not Path("/proc/sys", *key.split(".")).exists()] == []


def test_the_journal_of_the_services_is_in_memory() -> None:
    """Finding: a persistent journal tells for years when the service was at work."""
    said = (DEPLOY / "journald" / "nightferry.conf").read_text().splitlines()
    assert {"Storage=volatile", "ForwardToSyslog=no"} <= set(said)
