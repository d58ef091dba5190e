"""A disk that is full, that fails, or that gives back something else than it was given."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
import requests

from tests.faults.records import ask, doctor, upload_id
from tests.faults.tracing import WRITES, Call, attached, inject, read_trace
from tests.live import Live, running, wait_until

_SEALED_CHUNK = 65536 + 16
RESERVE = 16 << 20
CONTENT = Random(4).randbytes(300_001)
LARGE = Random(5).randbytes(66 << 20)  # more than may be unsynced at once


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with one worker, so that there is one to sit on."""
    with running(tmp_path_factory.mktemp("lone"), workers=1) as live:
        yield live


class Begun:
    """An upload of which some octets are acknowledged."""

    def __init__(self, live: Live, offset: int, content: bytes = CONTENT) -> None:
        self.live, self.source, self.content = live, live.new_source(), content
        self.url = live.create(self.source, len(content))
        self.id = upload_id(self.url)
        self.sealed = live.uploads / f"{self.id}.tar.gpg"
        self.tail = live.uploads / f"{self.id}.tail"
        if offset:
            assert self.send(0, offset).status_code == 204

    def send(self, begin: int, end: int | None = None) -> requests.Response:
        return self.live.append(self.source, self.url, begin, self.content[begin:end])

    def offset(self) -> int:
        return self.live.offset(self.source, self.url)

    def finish(self, folder: Path) -> None:
        """Go on to the end, as often as it takes, and open what arrived."""
        for _ in range(3):
            if (offset := self.offset()) < len(self.content):
                self.send(offset)
        assert self.offset() == len(self.content)
        assert self.live.open(self.sealed, folder).content == self.content

    def damage(self, path: Path, position: int) -> None:
        """Flip one bit."""
        octets = bytearray(path.read_bytes())
        octets[position] ^= 1
        path.write_bytes(octets)


def assert_in_words(answer: requests.Response, status: int) -> None:
    """A refusal says what happened, what was kept and what to do next; nothing of the inside."""
    assert answer.status_code == status
    assert "kept" in answer.text
    assert not re.search(r"Traceback|Error|sqlite|/site/|errno", answer.text)


@contextmanager
def faulty(live: Live, call: str, fault: str, when: int, *options: str) -> Iterator[Path]:
    """Make a thread's `when`-th system call of that name fail in the one worker."""
    [worker] = live.workers()
    trace = live.folder / "trace"
    with attached(worker, trace, *inject(call, fault, when), *options):
        yield trace


# --- full --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> Iterator[Live]:
    """A server on a disk of 48 MiB, of which it must leave 16."""
    # Not in pytest's folder, which later runs tidy up: a run that was killed leaves it mounted.
    folder = Path(tempfile.mkdtemp(prefix="small-"))
    disk = folder / "site"
    disk.mkdir(mode=0o700)
    try:
        options = ["-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs", str(disk)]
        if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
            pytest.skip("only root may mount a small disk")
        with running(folder, disk_reserve=RESERVE) as live:
            yield live
        # A worker that was killed may still be letting go of its files.
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_full_disk_keeps_what_arrived_and_goes_on_when_there_is_room(
    small: Live, tmp_path: Path
) -> None:
    """No restart is needed, pages and login still work, and the words say what to do."""
    begun = Begun(small, 100_000)
    filler = small.data / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small.data).free - RESERVE - 100_000))
    assert_in_words(begun.send(100_000), 507)
    assert 100_000 <= begun.offset() < len(CONTENT)
    assert "unfinished" in begun.source.get(f"{small.base}/drop", timeout=30).text
    small.new_source()
    filler.unlink()
    begun.finish(tmp_path)


def test_a_full_disk_takes_no_new_upload(small: Live) -> None:
    """The refusal comes before a single octet is sent, and leaves nothing behind."""
    source = small.new_source()
    before = set(small.uploads.iterdir())
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(100 << 20)}
    answer = source.post(f"{small.base}/uploads", headers=headers, timeout=30)
    assert_in_words(answer, 507)
    assert set(small.uploads.iterdir()) == before


def test_a_form_that_fills_the_disk_leaves_nothing_behind(small: Live) -> None:
    """SD#5044: the answer says in words that this file was not kept; the room is free again."""
    source = small.new_source()
    before = set(small.uploads.iterdir())
    files = [("files", ("large.bin", bytes(40 << 20)))]
    answer = source.post(f"{small.base}/drop/files", files=files, timeout=60)
    assert_in_words(answer, 507)
    assert set(small.uploads.iterdir()) == before


@pytest.mark.parametrize("ending", [".tar.gpg", ".tail.new"])
def test_no_room_in_the_middle_of_a_write_keeps_what_was_acknowledged(
    lone: Live, tmp_path: Path, ending: str
) -> None:
    """ENOSPC from the kernel itself, whatever the reserve had promised."""
    begun = Begun(lone, 100_000)
    only_there = ["-P", str(lone.uploads / f"{begun.id}{ending}")]
    with faulty(lone, WRITES, "error=ENOSPC", 1, *only_there) as trace:
        answer = begun.send(100_000, 250_000)
    assert any(call.injected for call in read_trace(trace))
    assert_in_words(answer, 507)
    assert 100_000 <= begun.offset() <= 250_000
    begun.finish(tmp_path)


# --- failing -----------------------------------------------------------------------------


@pytest.mark.parametrize("when", [1, 2, 3, 4, 5])
def test_a_failed_fsync_is_said_and_the_offset_is_what_is_durable(
    lone: Live, tmp_path: Path, when: int
) -> None:
    """Of file, tail or folder: 500 in words, or a 204 that is true; the next attempts finish."""
    begun = Begun(lone, 100_000)
    with faulty(lone, "fsync", "error=EIO", when) as trace:
        answer = begun.send(100_000, 250_000)
    assert any(call.injected for call in read_trace(trace))
    assert_in_words(answer, 500)
    assert ask(lone, "select suspect from uploads where id = ?", begun.id) == [(1,)]
    assert 100_000 <= begun.offset() <= 250_000
    begun.finish(tmp_path)


def test_a_failed_fsync_is_never_tried_again(lone: Live, tmp_path: Path) -> None:
    """After EIO the kernel reports success for pages it has lost: the file is cut back instead."""
    begun = Begun(lone, 100_000)
    with faulty(lone, "fsync", "error=EIO", 3) as trace:
        assert_in_words(begun.send(100_000, 250_000), 500)
    calls = [call for call in read_trace(trace) if str(begun.sealed) in call.arguments]
    failed = next(place for place, call in enumerate(calls) if call.injected)
    assert wrote_before(calls, failed), "the fsync that failed was not of new octets"
    assert [call.name for call in calls[failed + 1 :]] == ["ftruncate"]
    assert ask(lone, "select suspect from uploads where id = ?", begun.id) == [(1,)]
    begun.finish(tmp_path)


def wrote_before(calls: list[Call], place: int) -> bool:
    """Tell whether octets were written to the file since the fsync before."""
    return calls[place - 1].name in WRITES.split(",")


@pytest.mark.parametrize("when", [1, 2])
def test_a_database_that_cannot_sync_loses_nothing(lone: Live, tmp_path: Path, when: int) -> None:
    """SQLite's own fsync fails while an upload ends: said in words, and finished later."""
    begun = Begun(lone, 100_000)
    with faulty(lone, "fdatasync", "error=EIO", when) as trace:
        answer = begun.send(100_000)
    assert any(call.injected for call in read_trace(trace))
    if answer.status_code != 204:
        assert_in_words(answer, 500)
    begun.finish(tmp_path)


def test_a_form_whose_file_cannot_sync_is_not_acknowledged(lone: Live) -> None:
    """201 would be a lie (GL delivery.py); nothing half-made stays."""
    source = lone.new_source()
    before = set(lone.uploads.iterdir())
    with faulty(lone, "fsync", "error=EIO", 1):
        files = [("files", ("a.bin", CONTENT))]
        answer = source.post(f"{lone.base}/drop/files", files=files, timeout=30)
    assert_in_words(answer, 500)
    assert set(lone.uploads.iterdir()) == before


# --- lying -------------------------------------------------------------------------------


def suspect(begun: Begun) -> None:
    """As after a crash: the worker that received it was killed."""
    doctor(begun.live, "update uploads set suspect = 1 where id = ?", begun.id)


@pytest.mark.parametrize("octets", [1, 5000, _SEALED_CHUNK, 3 * _SEALED_CHUNK + 7])
def test_garbage_at_the_end_is_cut_off(lone: Live, tmp_path: Path, octets: int) -> None:
    """A torn chunk, or what a power cut put there: nothing of it counts, all else does."""
    begun = Begun(lone, 140_000)
    with begun.sealed.open("ab") as file:
        file.write(os.urandom(octets))
    assert begun.offset() == 140_000
    begun.finish(tmp_path)


def test_a_torn_chunk_without_garbage_costs_that_chunk(lone: Live, tmp_path: Path) -> None:
    """The last chunk is only half there: the upload goes on where it begins."""
    begun = Begun(lone, 140_000)
    os.truncate(begun.sealed, begun.sealed.stat().st_size - 30_000)
    assert 60_000 <= begun.offset() <= 65_536
    begun.finish(tmp_path)


def test_a_lost_tail_costs_less_than_a_chunk(lone: Live, tmp_path: Path) -> None:
    """Somebody tidied up the wrong files."""
    begun = Begun(lone, 140_000)
    begun.tail.unlink()
    assert 140_000 - 65_536 <= begun.offset() < 140_000
    begun.finish(tmp_path)


def test_a_stale_tail_is_ignored(lone: Live, tmp_path: Path) -> None:
    """A tail of an earlier chunk, out of an earlier copy, is not taken for this one's."""
    begun = Begun(lone, 50_000)
    earlier = begun.tail.read_bytes()
    assert begun.send(50_000, 140_000).status_code == 204
    begun.tail.write_bytes(earlier)
    assert 65_536 < begun.offset() < 140_000
    begun.finish(tmp_path)


@pytest.mark.parametrize("position", [0, 40, 30_000, -1])
def test_a_flipped_bit_in_the_tail_costs_the_tail(
    lone: Live, tmp_path: Path, position: int
) -> None:
    """The tail authenticates, wherever the bit is: nothing wrong is ever sealed."""
    begun = Begun(lone, 140_000)
    begun.damage(begun.tail, position)
    assert 140_000 - 65_536 <= begun.offset() < 140_000
    begun.finish(tmp_path)


def test_another_uploads_tail_is_not_taken(lone: Live, tmp_path: Path) -> None:
    """Tails are under their own upload's key."""
    begun, other = Begun(lone, 140_000), Begun(lone, 140_000)
    begun.tail.write_bytes(other.tail.read_bytes())
    assert begun.offset() < 140_000
    begun.finish(tmp_path)


def test_damage_after_a_crash_is_found_while_the_source_still_has_the_original(
    lone: Live, tmp_path: Path
) -> None:
    """At completion everything is read back: 409 in words, a lower offset, and all is right."""
    begun = Begun(lone, 65 << 20, LARGE)
    suspect(begun)
    begun.damage(begun.sealed, _SEALED_CHUNK + 500)
    assert begun.offset() == 65 << 20
    answer = begun.send(65 << 20)
    assert_in_words(answer, 409)
    assert 60_000 <= begun.offset() <= 65_536
    begun.finish(tmp_path)


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_what_a_power_cut_lost_behind_what_it_kept_is_not_counted(
    lone: Live, tmp_path: Path, lost: int
) -> None:
    """A disk writes in any order: a hole where a chunk was never synced, and later ones whole."""
    begun = Begun(lone, 290_000)
    suspect(begun)
    sealed = bytearray(begun.sealed.read_bytes())
    hole = lost * _SEALED_CHUNK + 5000
    sealed[hole : hole + 4096] = bytes(4096)
    begun.sealed.write_bytes(sealed)
    assert lost * 65_536 - 2000 <= begun.offset() <= lost * 65_536
    begun.finish(tmp_path)


def test_an_upload_without_its_start_is_gone(lone: Live) -> None:
    """No recipient could open what is sent behind it: 404, so that the source sends it anew."""
    begun = Begun(lone, 140_000)
    os.truncate(begun.sealed, 10)
    head = begun.source.head(begun.url, headers={"Tus-Resumable": "1.0.0"}, timeout=30)
    assert head.status_code == 404
    assert begun.send(140_000).status_code == 404
    assert begun.id not in begun.source.get(f"{lone.base}/drop", timeout=30).text


def test_damage_to_the_whole_is_found_by_asking_too(lone: Live, tmp_path: Path) -> None:
    """A crash came after the last octet: HEAD completes the upload, and finds what is damaged."""
    rehearsal, begun = Begun(lone, 250_000), Begun(lone, 250_000)
    with faulty(lone, "rename", "error=EIO", 99) as trace:
        assert rehearsal.send(250_000).status_code == 204
    writes = [call for call in read_trace(trace) if call.name == "pwrite64"]
    closing = next(place for place, call in enumerate(writes, 1) if call.path.endswith("-wal"))
    with (
        faulty(lone, "pwrite64", "signal=SIGKILL", closing),
        pytest.raises(requests.RequestException),
    ):
        begun.send(250_000)
    query = "select state, suspect from uploads where id = ?"
    wait_until(lambda: ask(lone, query, begun.id) == [("open", 1)])
    begun.damage(begun.sealed, _SEALED_CHUNK + 500)
    assert 60_000 <= begun.offset() <= 65_536
    begun.finish(tmp_path)
