"""The doctor against a table of broken hosts: each found, in words, and by one check alone."""

import datetime as dt
import itertools
import os
import re
import socket
from collections.abc import Iterator

import pytest

from deploy.doctor.checks import files, plaintext
from deploy.doctor.checks.sites import fault_of
from deploy.doctor.examine import examine
from deploy.doctor.finding import Finding, Grade, wrong
from deploy.doctor.patient import Patient
from deploy.doctor.table import CHECKS, Check
from tests.deploy.doctor.broken import TABLE, Broken, edit, put, remove
from tests.deploy.doctor.healthy import DESK, UPLOAD, HealthyHost, write


def test_a_healthy_host_is_fine(healthy: HealthyHost) -> None:
    """Nothing is found where nothing is wrong: a doctor who cries is soon not heard."""
    found = [(one.check.name, one.findings) for one in examine(healthy.patient()) if one.findings]
    assert found == []


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name.replace(" ", "-"))
def test_a_broken_host_is_found(case: Broken, healthy: HealthyHost) -> None:
    """What is broken is named, graded, and comes with a way to mend it."""
    case.broken(healthy)
    results = {one.check.name: one for one in examine(healthy.patient()) if one.findings}
    assert case.check in results
    findings = results[case.check].findings
    assert case.words in " | ".join(one.what for one in findings)
    assert results[case.check].grade is case.grade
    assert all(one.mend for one in findings)
    strangers = {name for name, one in results.items() if any(each.mend for each in one.findings)}
    assert strangers == {case.check}


def test_every_check_finds_a_host_that_it_alone_finds() -> None:
    """A check that could be left out unnoticed is not in the table."""
    assert {case.check for case in TABLE} == {check.name for check in CHECKS}


def test_a_disk_of_its_own_is_no_stranger(healthy: HealthyHost) -> None:
    """The runbook says to mount a larger one; ext4 has an empty folder at its top."""
    healthy.at("/var/lib/nightferry/lost+found").mkdir(mode=0o700)
    assert list(plaintext.judge(healthy.patient())) == []
    (healthy.at("/var/lib/nightferry/lost+found") / "#12").write_text("found by fsck")
    assert "lost+found" in " ".join(one.what for one in plaintext.judge(healthy.patient()))


@pytest.mark.parametrize("trap", ["pipe", "link", "folder"])
def test_what_is_no_file_does_not_hold_the_doctor_up(healthy: HealthyHost, trap: str) -> None:
    """Who took over a site can put a pipe where a sealed file lies: opening it would wait for ever."""
    place = healthy.at("/var/lib/nightferry/uploads") / f"{'z' * 26}.tar.gpg"
    if trap == "pipe":
        os.mkfifo(place)
    elif trap == "link":
        place.symlink_to("/dev/zero")
    else:
        place.mkdir()
    said = " ".join(one.what for one in plaintext.judge(healthy.patient()))
    assert f"{'z' * 26}.tar.gpg can be read without a key" in said


def test_of_many_files_each_has_its_turn(healthy: HealthyHost) -> None:
    """A disk with thousands of clips is not read whole each day, and no file is never read."""
    uploads = healthy.at("/var/lib/nightferry/uploads")
    names = ["".join(letters) for letters in itertools.product("abcd", repeat=6)][:1200]
    for name in names:
        (uploads / f"{name:a<26}.tail").write_bytes(b"in clear " * 20)
    found = []
    for day in range(2):
        patient = healthy.patient()
        later = Patient(patient.host, patient.now + dt.timedelta(day), patient.pause)
        said = " ".join(finding.what for finding in plaintext.judge(later))
        found.append(int(re.findall(r"and (\d+) more can be read", said)[0]) + 3)
    assert sum(found) == len(names)
    assert max(found) <= 1000


def test_what_comes_in_meanwhile_is_no_orphan(healthy: HealthyHost) -> None:
    """A file whose row is a moment late is looked at again, and not said."""
    late = healthy.at(f"/var/lib/nightferry/uploads/{UPLOAD}.tar.gpg")
    late.write_bytes(os.urandom(100))
    patient = healthy.patient()
    after = Patient(patient.host, patient.now, late.unlink)
    assert list(files.judge(after)) == []


FINE = {
    "swap in memory": put("/proc/swaps", "Filename\n/dev/zram0 partition 1 0 -2\n"),
    "swap that is encrypted": lambda host: [
        host.says("lsblk", "crypt\npart\ndisk\n"),
        write(host.root, "/proc/swaps", "Filename\n/dev/dm-1 partition 1 0 -2\n"),
    ],
    "a swap file on an encrypted disk": lambda host: [
        host.says("lsblk", "crypt\ndisk\n"),
        write(host.root, "/proc/swaps", "Filename\n/swapfile file 1 0 -2\n"),
    ],
    "no desk": lambda host: [
        host.edit("/etc/nightferry/nightferry.toml", f'desk_hosts = ["{DESK}"]', ""),
        host.unit("nightferry-desk.service", ActiveState="inactive"),
        host.close("/run/nightferry/desk.sock"),
    ],
    "tor is not there yet, as services say": lambda host: host.unit(
        "nightferry-desk.service", ActiveState="reloading"
    ),
    "a new certificate, of which the desk need not know": lambda host: host.unit(
        "nightferry-desk.service",
        ActiveEnterTimestamp=f"@{int(host.at('/etc/nightferry/nightferry.toml').stat().st_mtime) + 1}",
    ),
    "a kernel that does not know a setting": remove("/proc/sys/vm/unprivileged_userfaultfd"),
    "a journal of the rest of the host": put("/var/log/journal/0123/system.journal", "x"),
    "an upgrade's copy": put("/var/lib/nightferry/nightferry.db.before-upgrade", "x", 0o660),
    "a queue that is tuned in a flood": edit(
        "/etc/nightferry/torrc", "HiddenServicePoWQueueRate 50", "HiddenServicePoWQueueRate 5"
    ),
    "bridges": put("/etc/nightferry/torrc.d/bridges.conf", "UseBridges 1\nBridge 192.0.2.1:443\n"),
    "a form's file that comes in": put(
        f"/var/lib/nightferry/uploads/{UPLOAD}.part", bytes(9000) + os.urandom(9000), 0o660
    ),
}


@pytest.mark.parametrize("name", FINE)
def test_what_is_allowed_is_fine(name: str, healthy: HealthyHost) -> None:
    """Other hosts are healthy, too: a finding that is none costs a sysadmin's evening."""
    FINE[name](healthy)
    found = [(one.check.name, one.findings) for one in examine(healthy.patient()) if one.findings]
    assert found == []


@pytest.mark.parametrize(
    "error", [PermissionError(13, "no", "/etc/x"), OSError(5, "no"), ValueError("x")]
)
def test_a_check_that_breaks_off_keeps_what_it_found(
    healthy: HealthyHost, error: Exception
) -> None:
    """What it had found is told, and that there may be more."""

    def judge(_patient: Patient) -> Iterator[Finding]:
        yield wrong("one thing", "mend it")
        raise error

    [result] = examine(healthy.patient(), [Check("x", "y", judge)])
    assert result.grade is Grade.WRONG
    assert [finding.what[:21] for finding in result.findings] == [
        "one thing",
        "could not be looked a",
    ]


def test_a_silent_site_is_not_waited_for(healthy: HealthyHost) -> None:
    """One that takes a connection and says nothing is given up after the patience it is given."""
    place = healthy.at("/run/nightferry/silent.sock")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(place))
        silent.listen()
        assert fault_of(place, "x.onion", 0.1) == "no answer in 0 s"
