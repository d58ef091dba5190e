"""Full disks, from end to end: what pauses, what lives, who can make room, and what goes on."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
import requests

from submit.store.owners import SharedOwners
from tests.deploy.backup.sysadmin import Sysadmin, come_back
from tests.desk.staff import StaffMember, new_staff
from tests.faults.records import upload_id
from tests.live import Live, running

RESERVE = 16 << 20
CONTENT = Random(6).randbytes(6 << 20)
_TUS = {"Tus-Resumable": "1.0.0"}
_PATIENCE = 60


@contextmanager
def small_disk(mebibytes: int) -> Iterator[Path]:
    """Give a disk of its own, in memory."""
    # Not in pytest's folder, which later runs tidy up: a run that was killed leaves it mounted.
    folder = Path(tempfile.mkdtemp(prefix="small-"))
    try:
        options = ["-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "tmpfs", str(folder)]
        if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
            pytest.skip("only root may mount a small disk")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[Live, StaffMember]]:
    """Both sites on a disk of 48 MiB, and somebody who may use the desk."""
    with small_disk(48) as disk, running(disk, disk_reserve=RESERVE, workers=1) as live:
        live.start_desk()
        yield live, new_staff(live, "ana")


@contextmanager
def filled(folder: Path, but: int) -> Iterator[None]:
    """Let something else take the disk for a time, but for so many octets."""
    filler = folder / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        left = shutil.disk_usage(folder).free - but
        while left > 0:
            left -= os.write(descriptor, bytes(min(left, 1 << 20)))
    except OSError:
        pass  # there was no more than that
    finally:
        os.close(descriptor)
    try:
        yield
    finally:
        filler.unlink()


def assert_in_words(answer: requests.Response) -> None:
    """507, in words that say what was kept and what to do; and no word of the inside."""
    assert answer.status_code == requests.codes.insufficient_storage, answer.text
    assert "no room left" in answer.text
    assert "kept" in answer.text


def send_whole(live: Live, content: bytes = CONTENT) -> str:
    """Let a source send a file that staff may delete later; give its id."""
    source = live.new_source()
    url = live.create(source, len(content))
    assert live.append(source, url, 0, content).status_code == requests.codes.no_content
    return upload_id(url)


def test_uploads_pause_pages_live_staff_make_room_and_the_upload_goes_on(
    house: tuple[Live, StaffMember], tmp_path: Path
) -> None:
    """Nobody restarts anything; what was there is kept; the source goes on where it was."""
    live, ana = house
    large = send_whole(live, CONTENT + CONTENT + CONTENT[: 2 << 20])
    source = live.new_source()
    url = live.create(source, len(CONTENT))
    assert live.append(source, url, 0, CONTENT[: 1 << 20]).status_code == requests.codes.no_content
    with filled(live.data, RESERVE):
        offset = live.offset(source, url)
        assert_in_words(live.append(source, url, offset, CONTENT[offset:]))
        assert live.offset(source, url) >= offset
        assert_in_words(source.post(f"{live.base}/drop/messages", data={"text": "hi"}, timeout=60))
        files = [("files", ("a.mp4", CONTENT))]
        assert_in_words(source.post(f"{live.base}/drop/files", files=files, timeout=_PATIENCE))
        assert live.answers()
        again = come_back(live, source.codename)  # type: ignore[attr-defined] # for the test
        assert len(again.get(f"{live.base}/drop", timeout=_PATIENCE).json()["unfinished"]) == 1

        words = {"unfetched": "yes"}
        gone = ana.login().post(f"{live.desk}/sealed/{large}/delete", json=words, timeout=_PATIENCE)
        assert gone.ok, gone.text
        offset = live.offset(again, url)
        assert live.append(again, url, offset, CONTENT[offset:]).status_code == 204
        assert live.open(live.sealed(url), tmp_path).content == CONTENT


def test_a_disk_that_something_else_has_filled_to_the_last_octet_is_said_in_words(
    house: tuple[Live, StaffMember], tmp_path: Path
) -> None:
    """Not even the database can write: 507 and not a fault, wherever a source or staff knock."""
    live, ana = house
    source = live.new_source()
    url = live.create(source, len(CONTENT))
    assert live.append(source, url, 0, CONTENT[: 1 << 20]).status_code == requests.codes.no_content
    with filled(live.data, 0):
        program, json = requests.Session(), {"Accept": "application/json"}
        program.headers.update(json)
        known = {"codename": source.codename}  # type: ignore[attr-defined] # for the test
        assert_in_words(requests.post(f"{live.base}/source", headers=json, timeout=_PATIENCE))
        assert_in_words(
            requests.post(f"{live.base}/session", data=known, headers=json, timeout=_PATIENCE)
        )
        assert_in_words(source.post(f"{live.base}/uploads", headers={**_TUS, "Upload-Length": "1"}))
        files = [("files", ("a.txt", b"short"))]
        assert_in_words(source.post(f"{live.base}/drop/files", files=files, timeout=_PATIENCE))
        assert_in_words(live.append(source, url, live.offset(source, url), CONTENT[2 << 20 :]))
        assert_in_words(ana.tries(program, ana.passphrase, ana.phone.code()))
        assert live.answers()
        assert source.get(f"{live.base}/drop", timeout=_PATIENCE).ok

    offset = live.offset(source, url)
    assert live.append(source, url, offset, CONTENT[offset:]).status_code == 204
    assert live.open(live.sealed(url), tmp_path).content == CONTENT


def test_what_workers_share_has_its_room_from_the_start(tmp_path: Path) -> None:
    """A hole in a mapped file on a full disk is the death of the worker that writes into it."""
    SharedOwners(tmp_path / "owners")
    status = (tmp_path / "owners").stat()
    assert status.st_blocks * 512 >= status.st_size


def test_a_full_backup_disk_is_said_in_words_and_costs_nothing(server: Live) -> None:
    """No backup appears that is not whole; with room again, the next run does the rest."""
    send_whole(server, CONTENT[: 2 << 20])
    needed = sum(path.stat().st_size for path in server.uploads.iterdir())
    with small_disk((needed >> 20) + 8) as disk:
        sysadmin = Sysadmin(server, disk)
        sysadmin.place.make()
        with filled(disk, needed // 2):
            done = sysadmin.backs_up()
            assert done.status == 1
            assert "No space left" in done.said
            assert "What is copied stays" in done.said
            assert sysadmin.place.names() == []
        assert sysadmin.backs_up().status == 0
        assert sysadmin.verifies().status == 0
