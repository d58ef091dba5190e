"""Backups while the service runs: what is copied, once; what is in them, sealed; what is told."""

import fcntl
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from tests.crypto.keys.making import export, generate, new_home
from tests.deploy.backup.sysadmin import Sysadmin, flip, run, shown_key
from tests.deploy.backup.uploads import CONTENT, Begun, assert_whole
from tests.faults.canary import at_rest, codename_needles, make_text, needles_of, search
from tests.faults.records import ask, doctor
from tests.live import Live


def test_a_second_backup_copies_only_what_is_new(sysadmin: Sysadmin) -> None:
    """What is over is neither written nor read again; what has grown is gone on with."""
    live = sysadmin.live
    done, growing = Begun(live), Begun(live, 200_000)
    assert sysadmin.backs_up().status == 0
    copies = {path: path.stat() for path in sysadmin.place.folder.rglob("*.tar.gpg")}
    sealed = live.sealed(done.url)
    os.utime(sealed, ns=(0, sealed.stat().st_mtime_ns))
    growing.goes_on(400_000)
    new = Begun(live)
    made = sysadmin.backs_up()
    written = live.sealed(new.url).stat().st_size + (live.sealed(growing.url).stat().st_size)
    written -= copies[sysadmin.place.growing(growing.id)].st_size
    assert f"new of it: {written / 1e6:.1f} MB" in made.said
    for path, status in copies.items():
        if path.parent.name == "uploads":
            assert path.stat().st_ctime_ns == status.st_ctime_ns
    assert sealed.stat().st_atime_ns == 0
    assert_whole(sysadmin)
    assert sysadmin.verifies().status == 0


def test_an_upload_that_ends_between_two_backups_is_moved_to_what_is_over(
    sysadmin: Sysadmin,
) -> None:
    """Its copy is completed, and the older backup still finds what it speaks of in it."""
    begun = Begun(sysadmin.live, 200_000)
    assert sysadmin.backs_up().status == 0
    begun.goes_on()
    assert sysadmin.backs_up().status == 0
    assert not sysadmin.place.growing(begun.id).exists()
    assert_whole(sysadmin)
    assert sysadmin.verifies().status == 0


def test_the_sums_are_those_that_stock_tools_know(sysadmin: Sysadmin) -> None:
    """In ten years `sha256sum` is there, and this program perhaps not."""
    Begun(sysadmin.live)
    assert sysadmin.backs_up().status == 0
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"],
        cwd=sysadmin.place.folder,
        check=False,
    )
    assert done.returncode == 0


def test_the_state_opens_with_stock_gpg_and_tar(sysadmin: Sysadmin, tmp_path: Path) -> None:
    """Everything that a restore needs can be had without this program."""
    secret = sysadmin.makes_onions()
    assert sysadmin.backs_up().status == 0
    state = sysadmin.place.snapshots / sysadmin.place.names()[-1] / "state.tar.gpg"
    opened = sysadmin.live.ngo.gpg("-d", str(state))
    assert opened.returncode == 0, opened.stderr.decode()
    subprocess.run(["tar", "x", "-C", str(tmp_path)], input=opened.stdout, check=True)
    assert secret in (tmp_path / "onion/source/hs_ed25519_secret_key").read_bytes()
    assert (tmp_path / "codename.salt").read_bytes() == salt(sysadmin.live)
    with closing(sqlite3.connect(tmp_path / "database")) as database:
        count = "select count(*) from sources"
        assert database.execute(count).fetchall() == ask(sysadmin.live, count)


def salt(live: Live) -> bytes:
    return (live.data / "codename.salt").read_bytes()


def test_no_secret_lies_in_the_backup_in_clear(sysadmin: Sysadmin) -> None:
    """SD#5225: who finds the disk with the backups learns no code, no key, no name, no row."""
    live, onion = sysadmin.live, sysadmin.makes_onions()
    begun, word = Begun(live, 300_000), make_text()
    Begun(live)
    begun.source.post(f"{live.base}/drop/messages", data={"text": word}, timeout=30)
    assert sysadmin.backs_up().status == 0
    [(designation, locator)] = ask(
        live,
        "select designation, locator from sources join uploads on locator = source where id = ?",
        begun.id,
    )
    cookie = next(iter(begun.source.cookies)).value
    assert isinstance(designation, str)
    assert isinstance(locator, bytes)
    assert cookie
    needles = codename_needles(begun.source.codename)  # type: ignore[attr-defined] # for the test
    for what, octets in {
        "salt": salt(live),
        "onion key": onion,
        "session key": bytes.fromhex(shown_key(live.ngo, live.sealed(begun.url))[-64:]),
        "cookie": cookie.encode(),
        "designation": designation.encode(),
        "locator": locator,
        "message": word.encode(),
        "name": b"video.mp4",
        "content": CONTENT[1000:1032],
        "database": b"SQLite format 3",
        "settings": b"disk_reserve",
    }.items():
        needles |= needles_of(what, octets)
    places = at_rest(sysadmin.place.folder)
    assert search(places, needles) == []
    # The search itself would find them: in the data folder the salt and the rows lie open.
    assert len(search(at_rest(live.data), needles)) > 3
    assert {oct(path.stat().st_mode & 0o77) for path in sysadmin.place.folder.iterdir()} <= {
        "0o0",
        "0o44",  # inside a folder that nobody else may enter
    }
    assert sysadmin.place.folder.stat().st_mode & 0o777 == 0o700


def test_what_a_killed_backup_copied_is_not_copied_again(sysadmin: Sysadmin) -> None:
    """Hundreds of gigabytes take days to a slow disk: a break costs nothing that was there."""
    Begun(sysadmin.live)
    upload = Begun(sysadmin.live).id
    assert sysadmin.backs_up().status == 0
    [name] = sysadmin.place.names()
    (sysadmin.place.snapshots / name).rename(sysadmin.place.snapshots / f"{name}.new")
    (sysadmin.place.folder / "SHA256SUMS").unlink()
    sysadmin.place.kept(upload).rename(sysadmin.place.growing(upload))
    os.truncate(sysadmin.place.growing(upload), 300_000)
    made = sysadmin.backs_up()
    left = (sysadmin.live.uploads / f"{upload}.tar.gpg").stat().st_size - 300_000
    assert f"new of it: {left / 1e6:.1f} MB" in made.said
    assert_whole(sysadmin)


def test_a_torn_copy_is_found_and_mended(sysadmin: Sysadmin) -> None:
    """A power cut leaves holes behind what it kept: an interrupted copy is compared, not trusted."""
    begun = Begun(sysadmin.live, 400_000)
    assert sysadmin.backs_up().status == 0
    flip(sysadmin.place.growing(begun.id), 70_000)
    begun.goes_on()
    assert sysadmin.backs_up().status == 0
    assert_whole(sysadmin)


def test_a_flipped_bit_is_found(sysadmin: Sysadmin) -> None:
    """In a sealed file, an unfinished one, a tail, the state, the list: named, exit status 2."""
    done, growing = Begun(sysadmin.live), Begun(sysadmin.live, 300_000)
    assert sysadmin.backs_up().status == 0
    snapshot = sysadmin.place.snapshots / sysadmin.place.names()[-1]
    for path in (
        sysadmin.place.kept(done.id),
        sysadmin.place.growing(growing.id),
        snapshot / "tails" / f"{growing.id}.tail",
        snapshot / "state.tar.gpg",
        snapshot / "files",
    ):
        assert sysadmin.verifies().status == 0
        flip(path, 30)
        found = sysadmin.verifies()
        assert (found.status, str(path) in found.said) == (2, True), found.said
        flip(path, 30)


def test_a_missing_file_is_found(sysadmin: Sysadmin) -> None:
    """Somebody tidied up the disk with the backups; what the service still has is copied anew."""
    done = Begun(sysadmin.live)
    assert sysadmin.backs_up().status == 0
    sysadmin.place.kept(done.id).unlink()
    found = sysadmin.verifies()
    assert (found.status, f"{done.id}.tar.gpg of " in found.said) == (2, True)
    assert sysadmin.backs_up().status == 0
    assert sysadmin.verifies().status == 0


def test_what_the_service_has_deleted_goes_when_no_kept_backup_speaks_of_it(
    sysadmin: Sysadmin,
) -> None:
    """Deleting is a promise: it reaches the backups too, later, and is told."""
    done = Begun(sysadmin.live)
    assert sysadmin.backs_up("--keep", "2").status == 0
    sysadmin.live.sealed(done.url).unlink()
    doctor(sysadmin.live, "delete from uploads where id = ?", done.id)
    assert "removed from" not in sysadmin.backs_up("--keep", "2").said
    assert sysadmin.place.kept(done.id).exists()
    assert "removed from the backups: 1 sealed" in sysadmin.backs_up("--keep", "2").said
    assert not sysadmin.place.kept(done.id).exists()
    assert len(sysadmin.place.names()) == 2
    assert sysadmin.verifies().status == 0


def test_two_backups_at_once_are_one_too_many(sysadmin: Sysadmin) -> None:
    """The timer's and the sysadmin's would write into the same files: the second is refused."""
    sysadmin.place.make()
    descriptor = os.open(sysadmin.place.folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        done = sysadmin.backs_up()
        assert (done.status, "another backup" in done.said) == (1, True)
    finally:
        os.close(descriptor)
    assert sysadmin.backs_up().status == 0


def test_a_place_without_backups_is_said_to_be_one(sysadmin: Sysadmin, tmp_path: Path) -> None:
    """A mistyped folder is not 'every octet is what it was'."""
    nowhere = run("backup", "--verify", "--to", str(tmp_path / "nowhere"))
    assert (nowhere.status, "no backup" in nowhere.said) == (1, True)
    restored = run("restore", str(tmp_path / "nowhere"), "--into", str(tmp_path))
    assert (restored.status, "no backup" in restored.said) == (1, True)


def test_the_backup_leaves_the_service_its_reserve(sysadmin: Sysadmin) -> None:
    """On the disk of the uploads a backup would stop what it is to protect: refused in words."""
    live = sysadmin.live
    Begun(live)
    settings = live.config.read_text()
    try:
        live.config.write_text(settings.replace(f"= {64 << 20}", f"= {1 << 50}"))
        done = sysadmin.backs_up()
    finally:
        live.config.write_text(settings)
    assert (done.status, "reserve" in done.said) == (1, True)
    assert sysadmin.place.names() == []


def test_an_expired_key_stops_the_state_and_not_the_files(
    sysadmin: Sysadmin, tmp_path: Path
) -> None:
    """On such a night a copy of what has arrived is better than none; and it is no backup yet."""
    live, begun = sysadmin.live, Begun(sysadmin.live)
    with new_home() as home:
        expired = generate(home, expires="1d", today="20200101T000000")
        certificate = export(home, tmp_path / "expired.asc", expired)
    settings = live.config.read_text()
    try:
        live.config.write_text(settings.replace(str(live.ngo.certificate), str(certificate)))
        done = sysadmin.backs_up()
    finally:
        live.config.write_text(settings)
    assert (done.status, "are copied and stay" in done.said) == (1, True), done.said
    assert sysadmin.place.kept(begun.id).exists()
    assert sysadmin.place.names() == []
    assert sysadmin.backs_up().status == 0
