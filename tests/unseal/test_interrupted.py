"""Ended at any moment: nothing half is left under a name, and a second run ends in the same bags."""

import os
import resource
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from crypto.session_key import NewMessageKeys
from tests.crypto.keys.making import Ngo
from tests.crypto.sealing import octets
from tests.unseal.staff import Staff, Stick

CONTENT = octets(150_000)
FILES = 10
# Stops the program for good at one of its system calls, as a crash at this very moment would.
KILLED_AT = """
import os, signal, sys
left = int(sys.argv.pop(1))
name = sys.argv.pop(1)
def watch(event, arguments):
    global left
    if event == name and (event != "open" or ".unseal" in str(arguments[0])):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
sys.path.insert(0, sys.argv.pop(1))
from crypto.unseal.__main__ import begin
sys.argv[0] = "unseal"
begin()
"""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, keys: NewMessageKeys) -> Stick:
    """Fill a stick: files, a message, parts, an upload that is not complete."""
    stick = Stick(tmp_path_factory.mktemp("full"), keys)
    for number in range(FILES):
        source = ["quiet harbour", "blue lake"][number % 2]
        stick.receive(CONTENT, f"{number % 5}/clip.mp4", source=source)
    stick.receive_message("Hello.")
    for number in (1, 2):
        part = CONTENT[: 100_000 // number]
        stick.receive(part, f"long.mp4.00{number}", set="s" * 26, part=number)
    stick.receive_until(70_000, CONTENT)
    return stick


@pytest.fixture(scope="module")
def undisturbed(
    full: Stick, program: Path, desk: Ngo, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Give what a run that nobody disturbs makes."""
    quiet = Staff(program, desk.home, tmp_path_factory.mktemp("undisturbed"))
    assert quiet.open(full.folder).code == 3
    return quiet.everything()


def assert_only_whole_files(staff: Staff) -> None:
    """Check that what has a name is whole, whatever happened."""
    for place, content in staff.opened().items():
        assert len(content) >= 6
        assert CONTENT.startswith(content) or content == b"Hello." or "long.mp4" in place
        assert len(content) in {6, 150_000, 100_000, 50_000, 70_000}


def killed_at(staff: Staff, full: Stick, event: str, count: int) -> int:
    """Run until a certain system call, then kill; give the exit status."""
    command = staff.command("x")
    command = [command[0], "-I", "-c", KILLED_AT, str(count), event, str(staff.program)]
    done = subprocess.run(
        [*command, str(full.folder), "--into", str(staff.into)],
        capture_output=True,
        check=False,
        env=staff.environment,
        timeout=60,
    )
    return done.returncode


@pytest.mark.parametrize(
    ("event", "count"),
    [
        ("os.rename", 0),
        ("os.rename", FILES + 9),
        ("open", 20),
        ("os.utime", 3),
    ],
)
def test_killed_at_a_bad_moment_it_goes_on(
    full: Stick, staff: Staff, undisturbed: dict[str, str], event: str, count: int
) -> None:
    """kill -9 at one call: no half file has a name, no half bag is a bag, and the rest follows."""
    killed_at(staff, full, event, count)
    assert_only_whole_files(staff)
    for bag in staff.into.glob("*/bagit.txt"):
        assert staff.verify(bag.parent.name).code == 0
    ran = staff.open(full.folder)
    assert (ran.code, ran.complained) == (3, "")
    assert staff.everything() == undisturbed
    assert staff.leftovers() == []


@pytest.mark.slow
@pytest.mark.parametrize("event", ["os.rename", "open", "os.remove", "subprocess.Popen"])
def test_killed_at_every_moment_it_goes_on(
    full: Stick, staff: Staff, undisturbed: dict[str, str], event: str
) -> None:
    """The same at every call of a kind, one run after the other, until a run gets through."""
    for count in range(400):
        shutil.rmtree(staff.into, ignore_errors=True)
        if killed_at(staff, full, event, count) != -signal.SIGKILL:
            break
        assert_only_whole_files(staff)
        assert staff.open(full.folder).code == 3
        assert staff.everything() == undisturbed
    else:
        pytest.fail("it never got through")


def test_killed_again_and_again_it_gets_through(
    full: Stick, staff: Staff, undisturbed: dict[str, str]
) -> None:
    """Each run opens a few more; nothing that was opened is opened again."""
    codes = [killed_at(staff, full, "os.rename", 16) for _run in range(4)]
    assert codes == [-signal.SIGKILL, -signal.SIGKILL, 3, 3]
    assert staff.everything() == undisturbed


def test_ctrl_c_stops_it_with_words(stick: Stick, staff: Staff) -> None:
    """Ctrl-C while a large file is opened: nothing of it is left, words, an exit code of its own."""
    stick.receive(b"first", "0.txt")
    large = stick.receive(octets(2 << 20), "large.mp4")
    slow = stick.folder.with_name("bin")
    slow.mkdir()
    (slow / "gpg").write_text('#!/bin/sh\n/usr/bin/gpg "$@"\nsleep 60\n')
    (slow / "gpg").chmod(0o755)
    staff.surroundings = {"PATH": f"{slow}:/usr/bin:/bin"}
    running = subprocess.Popen(
        staff.command(stick.path_of(large), "--into", staff.into),
        env=staff.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_for(staff.into / ".unseal" / "opening" / large.upload)
    running.send_signal(signal.SIGINT)
    _said, complained = running.communicate(timeout=30)
    assert running.returncode == 130
    assert b"run it again to go on" in complained
    assert b"Traceback" not in complained
    assert (staff.opened(), staff.leftovers()) == ({}, [])
    staff.surroundings = {}
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"0.txt": b"first", "large.mp4": octets(2 << 20)}


def wait_for(path: Path) -> None:
    """Wait until a path is there; pytest's time limit ends it if it never is."""
    while not path.exists():
        pass


def test_a_full_disk_stops_it_with_words(stick: Stick, staff: Staff) -> None:
    """No room: what fitted is kept, the other leaves nothing, and with room the run goes on."""
    stick.receive(b"small", "small.txt")
    stick.receive(octets(2_000_000), "large.mp4")
    done = subprocess.run(
        staff.command(stick.folder, "--into", staff.into),
        capture_output=True,
        check=False,
        env=staff.environment,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )
    assert done.returncode == 4
    assert b"is full" in done.stderr
    assert b"Traceback" not in done.stderr
    assert (staff.files(), staff.leftovers()) == ({"small.txt": b"small"}, [])
    ran = staff.open(stick.folder)
    assert ran.code == 0
    assert "1 sealed file opened and verified, 1 had been opened before" in ran.said


def test_two_runs_at_once_are_refused(stick: Stick, staff: Staff) -> None:
    """A second run into the same folder says so, and does nothing."""
    stick.receive()
    assert staff.open(stick.folder).code == 0
    lock = staff.into / ".unseal" / "lock"
    holding = subprocess.Popen(
        ["flock", str(lock), "sh", "-c", "echo held; cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holding.stdout
    holding.stdout.readline()
    ran = staff.open(stick.folder)
    holding.communicate()
    assert ran.code == 4
    assert "Another unseal is working" in ran.words


def test_a_torn_last_note_costs_one_file(stick: Stick, staff: Staff) -> None:
    """A power cut in the middle of a note: that file is opened again, under the same name."""
    for number in range(3):
        stick.receive(b"%d" % number, "clip.mp4")
    assert staff.open(stick.folder).code == 0
    before = staff.everything()
    journal = staff.into / ".unseal" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    (staff.into / "quiet-harbour" / "data" / "files" / "clip (3).mp4").unlink()
    ran = staff.open(stick.folder)
    assert (ran.code, staff.everything()) == (0, before)
    assert "1 sealed file opened" in ran.said


def test_changed_notes_are_not_believed(stick: Stick, staff: Staff) -> None:
    """A note in the middle that cannot be read: words, and nothing done."""
    stick.receive()
    assert staff.open(stick.folder).code == 0
    journal = staff.into / ".unseal" / "journal.jsonl"
    journal.write_bytes(b"{}\n" + journal.read_bytes())
    ran = staff.open(stick.folder)
    assert ran.code == 4
    assert "cannot be read" in ran.words


def test_what_was_removed_is_opened_again(stick: Stick, staff: Staff) -> None:
    """A file that somebody deleted from a bag comes back under its name."""
    for number in range(2):
        stick.receive(b"%d" % number, "clip.mp4")
    assert staff.open(stick.folder).code == 0
    before = staff.everything()
    (staff.into / "quiet-harbour" / "data" / "files" / "clip.mp4").unlink()
    assert staff.open(stick.folder).code == 0
    assert staff.everything() == before


def test_killed_before_the_whole_file_has_its_name_the_beginning_stays(
    stick: Stick, staff: Staff, tmp_path: Path
) -> None:
    """Its line is written, its name is not: a run with another stick keeps what is there."""
    sent = stick.receive_until(70_000, CONTENT)
    assert staff.open(stick.folder).code == 3
    stick.put(sent, sent.whole())
    assert killed_at(staff, stick, "os.rename", 0) == -signal.SIGKILL
    other = Stick(tmp_path / "other", stick.keys)
    other.folder.mkdir()
    other.receive_message("Hello.")
    assert staff.open(other.folder).code == 3
    assert staff.files() == {"clip.mp4.partial": CONTENT[:70_000]}
    assert staff.verify().code == 0
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"clip.mp4": CONTENT}
    assert staff.verify().code == 0


def test_no_bag_is_closed_over_a_file_that_is_not_there(
    stick: Stick, staff: Staff, tmp_path: Path
) -> None:
    """With more files than are synced one by one: the manifest names what is there; the other is told."""
    for number in range(110):
        stick.receive(b"%d" % number, f"{number}.txt")
    assert staff.open(stick.folder).code == 0
    (staff.into / "quiet-harbour/data/files/7.txt").unlink()
    (staff.into / "quiet-harbour/bagit.txt").unlink()
    other = Stick(tmp_path / "other", stick.keys)
    other.folder.mkdir()
    other.receive(b"new", "new.txt")
    ran = staff.open(other.folder)
    assert ran.code == 3
    assert "NOT HERE: 1 file quiet-harbour/data/files/7.txt" in ran.words
    assert staff.verify().code == 0
    assert (staff.open(stick.folder).code, len(staff.files())) == (0, 111)
    assert staff.verify().code == 0


@pytest.mark.parametrize("length", [0, 3, 9])
def test_a_file_of_another_length_is_opened_again(stick: Stick, staff: Staff, length: int) -> None:
    """A power cut can leave a name without its content."""
    stick.receive(b"first", "a.txt")
    assert staff.open(stick.folder).code == 0
    before = staff.everything()
    os.truncate(staff.into / "quiet-harbour/data/files/a.txt", length)
    assert (staff.open(stick.folder).code, staff.everything()) == (0, before)


def test_a_bag_that_a_power_cut_emptied_is_closed_again(stick: Stick, staff: Staff) -> None:
    """Manifests, reports and the declaration have names and no content: that is no closed bag."""
    stick.receive(b"first", "a.txt")
    assert staff.open(stick.folder).code == 0
    before = staff.everything()
    for path in (staff.into / "quiet-harbour").glob("*.*"):
        path.write_bytes(b"")
    assert (staff.open(stick.folder).code, staff.everything()) == (0, before)


SYNCS = """
import os, sys
real = os.fsync
def fsync(file):
    print("SYNC", os.path.basename(os.readlink(f"/proc/self/fd/{file}")), flush=True)
    real(file)
os.fsync = fsync
def watch(event, arguments):
    if event == "os.rename":
        print("RENAME", os.path.basename(arguments[1]), flush=True)
sys.addaudithook(watch)
sys.path.insert(0, sys.argv.pop(1))
from crypto.unseal.__main__ import begin
begin()
"""


def test_a_bag_is_on_the_disk_before_it_says_that_it_is_whole(stick: Stick, staff: Staff) -> None:
    """Each file of ours is synced before it gets its name, and its folder after."""
    stick.receive(b"first", "a.txt")
    done = subprocess.run(
        [staff.command()[0], "-I", "-c", SYNCS, staff.program, stick.folder, "--into", staff.into],
        capture_output=True,
        check=True,
        env=staff.environment,
        timeout=60,
    )
    lines = [line for line in done.stdout.decode().splitlines() if line[:4] in {"SYNC", "RENA"}]
    ours = [
        at for at, line in enumerate(lines) if line.startswith("RENAME") and "a.txt" not in line
    ]
    assert len(ours) == 9
    assert all(lines[at - 1] == "SYNC new" for at in ours)
    assert lines[-3:] == ["SYNC new", "RENAME bagit.txt", "SYNC quiet-harbour"]
    assert {"SYNC a.txt", "SYNC files"} < set(lines)
    assert lines[-4] == "SYNC quiet-harbour"
