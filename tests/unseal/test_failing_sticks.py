"""A stick that fails while it is read: what cannot be read is named, and all else is opened."""

import errno
import subprocess

from tests.crypto.sealing import octets
from tests.unseal.staff import Ran, Staff, Stick

LARGE = octets(3 << 20)
LATE = 2 << 20  # octets: GnuPG has had the head by then
# The stick's errors, as the system would give them: at a read behind some octet, or at an open.
FAILING = """
import os, sys
number, faults = int(sys.argv.pop(1)), dict(fault.split(":") for fault in sys.argv.pop(1).split(","))
really = os.read
def read(file, length):
    name = os.path.basename(os.readlink(f"/proc/self/fd/{file}"))
    if name in faults and os.lseek(file, 0, os.SEEK_CUR) >= int(faults[name]):
        raise OSError(number, os.strerror(number))
    return really(file, length)
def watch(event, arguments):
    if event == "open" and faults.get(os.path.basename(str(arguments[0]))) == "open":
        raise OSError(number, os.strerror(number))
os.read = read
sys.addaudithook(watch)
sys.path.insert(0, sys.argv.pop(1))
from crypto.unseal.__main__ import begin
sys.argv[0] = "unseal"
begin()
"""


def open_failing(staff: Staff, stick: Stick, faults: dict[str, object], number: int) -> Ran:
    """Open a stick on which files fail, by name: behind so many octets, or when they are opened."""
    python, *_ = staff.command()
    said = ",".join(f"{name}:{fault}" for name, fault in faults.items())
    command = [python, "-I", "-c", FAILING, str(number), said, str(staff.program)]
    done = subprocess.run(
        [*command, str(stick.folder), "--into", str(staff.into)],
        capture_output=True,
        check=False,
        env=staff.environment,
        timeout=120,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_file_that_cannot_be_read_is_named_and_all_else_goes_on(
    stick: Stick, staff: Staff
) -> None:
    """One bad sector, wherever it lies, costs one file and not the run."""
    faults: dict[str, object] = {
        stick.path_of(stick.receive(b"small", "small.txt")).name: 0,
        stick.path_of(stick.receive(b"closed", "closed.txt")).name: "open",
        stick.path_of(stick.receive(LARGE, "early.mp4")).name: 0,
        stick.path_of(stick.receive(LARGE, "late.mp4")).name: LATE,
        stick.path_of(stick.receive_until(LATE + 500_000, LARGE, "cut.mp4")).name: LATE,
    }
    stick.receive(b"good", "good.txt")
    ran = open_failing(staff, stick, faults, errno.EIO)
    assert ran.code == 1
    assert {f"{upload}.tar.gpg" for upload in ran.refused} == faults.keys()
    assert ran.words.count("REFUSED") == 1
    assert "could not be read (Input/output error)" in ran.words
    assert "Try another port" in ran.words
    assert (staff.files(), staff.leftovers()) == ({"good.txt": b"good"}, [])
    assert staff.verify().code == 0
    assert staff.open(stick.folder).code == 3
    assert set(staff.files()) == {
        *("small.txt", "closed.txt", "early.mp4", "late.mp4", "cut.mp4.partial", "good.txt")
    }


def test_a_tail_that_cannot_be_read_is_named_and_all_else_goes_on(
    stick: Stick, staff: Staff
) -> None:
    """The tail lies on the stick as well."""
    sent = stick.receive_until(300_000, LARGE)
    stick.receive(b"good", "good.txt")
    ran = open_failing(staff, stick, {stick.tail_of(sent).name: "open"}, errno.EIO)
    assert (ran.code, ran.refused) == (1, {sent.upload})
    assert "could not be read (its tail: Input/output error)" in ran.words
    assert (staff.files(), staff.leftovers()) == ({"good.txt": b"good"}, [])


def test_a_stick_that_is_gone_ends_the_run(stick: Stick, staff: Staff) -> None:
    """Pulled out while it is read: it is said once, not for each file."""
    stick.receive(b"first", "first.txt")
    last = stick.receive(b"last", "last.txt")
    ran = open_failing(staff, stick, {stick.path_of(last).name: "open"}, errno.ENODEV)
    assert (ran.code, ran.refused) == (4, {last.upload})
    assert "The disk gave an error" in ran.words
    assert staff.opened() == {"quiet-harbour/data/files/first.txt": b"first"}
    assert staff.open(stick.folder).code == 0
    assert set(staff.files()) == {"first.txt", "last.txt"}
