"""The source's site and the desk are two users of the operating system that share one folder."""

import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.crypto.keys.making import make_ngo, new_home
from tests.deploy.units.two_users import DESK_USER, SOURCE_USER, TwoUsers, as_user
from tests.desk.staff import new_staff
from tests.live import running

pytestmark = pytest.mark.timeout(240)

_CLIP = os.urandom(3_000_000)

needs_root = pytest.mark.skipif(
    os.geteuid() != 0
    or subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode
    != 0,
    reason="two users need root, who may become either, and mount namespaces",
)


def modes(data: Path) -> dict[str, int]:
    """Give the modes of everything that is kept; the random part of names is left out."""
    every = [data, *data.rglob("*")]
    return {
        "UPLOAD.tar.gpg" if path.suffix == ".gpg" else path.name: stat.S_IMODE(path.lstat().st_mode)
        for path in every
        if not path.name.startswith("worker-")
    }


def send(live: TwoUsers) -> tuple[requests.Session, str]:
    """Be a source that sends one clip."""
    source = live.new_source()
    url = live.create(source, len(_CLIP))
    assert live.append(source, url, 0, _CLIP).status_code == requests.codes.no_content
    return source, url


@pytest.fixture(scope="module")
def both() -> Iterator[TwoUsers]:
    """Give both sites, running as two users."""
    with new_home() as home, tempfile.TemporaryDirectory(prefix="nf-") as folder:
        live = TwoUsers(Path(folder), make_ngo(home, Path(folder), "ed25519", "cv25519"))
        try:
            yield live.start_desk().start()  # type: ignore[misc] # start gives Live, which it is
        finally:
            live.end()


@needs_root
def test_the_desk_fetches_and_deletes_what_another_user_received(both: TwoUsers) -> None:
    """The desk's user reads a sealed file, deletes it, and it is gone from the source's folder."""
    _source, url = send(both)
    upload = url.rpartition("/")[2]
    ann = new_staff(both, "ann").login()
    fetched = ann.get(f"{both.desk}/sealed/{upload}.tar.gpg", timeout=60)
    assert fetched.status_code == requests.codes.ok
    assert fetched.content == both.sealed(url).read_bytes()
    deleted = ann.post(f"{both.desk}/sealed/{upload}/delete", json={"unfetched": "yes"}, timeout=60)
    assert deleted.status_code == requests.codes.ok, deleted.text
    assert not both.sealed(url).exists()


@needs_root
def test_two_users_write_to_one_database(both: TwoUsers) -> None:
    """Whoever made the write-ahead log, the other one goes on writing, also after a restart."""
    both.stop()
    ben = new_staff(both, "ben").login()
    both.start()
    _source, url = send(both)
    marked = ben.post(f"{both.desk}/sealed/{url.rpartition('/')[2]}/fetched", timeout=60)
    assert marked.status_code == requests.codes.ok, marked.text
    owners = {path.stat().st_uid for path in both.data.glob("nightferry.db*")}
    assert owners <= {SOURCE_USER, DESK_USER}


@needs_root
@pytest.mark.parametrize("secret", ["codename.salt", "gnupg"])
def test_the_desk_cannot_read_the_source_sites_secrets(both: TwoUsers, secret: str) -> None:
    """The salt of the codenames and the place of gpg are closed to the desk's user."""
    look = "import os, sys; print(os.access(sys.argv[1], os.R_OK))"
    seen = {
        user: subprocess.run(
            as_user(user, "-c", look, str(both.data / secret)),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for user in (SOURCE_USER, DESK_USER)
    }
    assert seen == {SOURCE_USER: "True", DESK_USER: "False"}


@needs_root
def test_the_desk_cannot_write_into_a_sealed_file(both: TwoUsers) -> None:
    """A desk that was taken over can delete, as staff can, but change nothing unseen."""
    _source, url = send(both)
    write = "import os, sys; print(os.access(sys.argv[1], os.W_OK))"
    command = as_user(DESK_USER, "-c", write, str(both.sealed(url)))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@needs_root
def test_nobody_else_may_look_into_a_shared_folder(both: TwoUsers) -> None:
    """What two users share has no bit for others, and no more for the group than it needs."""
    send(both)
    found = modes(both.data)
    kept = {
        name: mode for name, mode in found.items() if not name.endswith((".tail", "-shm", "-wal"))
    }
    assert kept == {
        "site": 0o2770,
        "uploads": 0o2770,
        "run": 0o2770,
        "gnupg": 0o700,
        "owners": 0o660,
        "nightferry.db": 0o660,
        "codename.salt": 0o600,
        "UPLOAD.tar.gpg": 0o640,
    }
    assert {mode for name, mode in found.items() if name.endswith(("-shm", "-wal"))} <= {0o660}


def test_a_folder_of_one_user_stays_closed_to_its_group(tmp_path: Path) -> None:
    """`demo` and whoever serves from a folder 0700 keep modes 0700 and 0600."""
    with running(tmp_path) as live:
        source = live.new_source()
        url = live.create(source, 5)
        live.append(source, url, 0, b"clips")
        assert {mode & 0o077 for mode in modes(live.data).values()} == {0}
