"""docs/keys.md: its commands are run exactly as they stand there, and what it promises holds.

Only the questions are answered by the test: GnuPG's window is a script that types a passphrase, and
`batch` says yes where a person would.
"""

import datetime as dt
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crypto.errors import RevokedRecipientError
from crypto.recipients import Recipient, inspect
from crypto.session_key import SessionKeyMaker
from tests.crypto.keys.making import Ngo, export_secret, gpg, new_home
from tests.unseal.staff import Sent, Staff, Stick

GUIDE = Path(__file__).parents[2] / "docs" / "keys.md"
WINDOW = """#!/bin/sh
echo "OK at your service"
while read -r line; do
    case $line in
    GETPIN*) printf 'D six random words\\nOK\\n' ;;
    BYE*) echo OK; exit ;;
    *) echo OK ;;
    esac
done
"""
NAME_IT = 1  # of the blocks below "Making the key": the one that finds the fingerprint


def blocks(heading: str) -> list[str]:
    """Give the commands below a heading of the guide."""
    chapter = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", GUIDE.read_text(), re.MULTILINE | re.DOTALL
    )
    assert chapter, heading
    return re.findall(r"^```sh\n(.*?)^```$", chapter[1], re.MULTILINE | re.DOTALL)


@dataclass
class Machine:
    """A machine that is never online: its GnuPG, and the stick in whose folder the terminal is open."""

    home: Path
    stick: Path

    def __post_init__(self) -> None:
        window = self.home / "window"
        window.write_text(WINDOW)
        window.chmod(0o755)
        agent = f"pinentry-program {window}\ns2k-count 65536\n"
        (self.home / "gpg-agent.conf").write_text(agent)
        (self.home / "gpg.conf").write_text("batch\nno-tty\nyes\n")

    def run(self, heading: str, *numbers: int) -> str:
        """Run the guide's blocks in a terminal in which `$KEY` was named, if there is a key."""
        name = "" if heading == "Making the key" else blocks("Making the key")[NAME_IT]
        name = f"{{\n{name}}} >/dev/null\n" if name and self.has_key else ""
        script = "".join(
            blocks(heading)[number] for number in numbers or range(len(blocks(heading)))
        )
        done = subprocess.run(
            ["/bin/sh", "-euc", name + script],
            cwd=self.stick,
            env={**os.environ, "GNUPGHOME": str(self.home)},
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    @property
    def has_key(self) -> bool:
        return any(self.home.glob("private-keys-v1.d/*"))

    @property
    def certificate(self) -> Path:
        return self.stick / "ngo.asc"

    def recipient(self, today: dt.date | None = None, name: str = "ngo.asc") -> Recipient:
        """What the service finds in the certificate."""
        empty = self.stick / "empty"
        empty.mkdir(mode=0o700, exist_ok=True)
        day = today or dt.datetime.now(dt.UTC).date()
        (found,) = inspect([self.stick / name], empty, day)
        return found

    def seals(self, stick: Stick, content: bytes) -> Sent:
        """The service seals something to the certificate as it is now."""
        empty = self.stick / "empty"
        empty.mkdir(mode=0o700, exist_ok=True)
        keys = SessionKeyMaker("gpg", empty, [self.certificate]).make()
        sent = Sent(keys, content, f"{content.decode()}.txt")
        stick.put(sent, sent.whole())
        return sent


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Make a key as the guide says, and export it."""
    with new_home() as home:
        machine = Machine(home, tmp_path_factory.mktemp("travels"))
        machine.run("Making the key", 0)
        machine.run("Giving the certificate to the sysadmin")
        yield machine


@pytest.fixture
def machine(made: Machine, tmp_path: Path) -> Iterator[Machine]:
    """Give a machine with the same key, for the test to change."""
    folder = tmp_path / "travels"
    folder.mkdir()
    with new_home() as home:
        machine = Machine(home, folder)
        copy = made.stick / "secret-key-backup.asc"
        if not copy.exists():
            made.run("Keeping a copy", 0)
        (folder / copy.name).write_bytes(copy.read_bytes())
        machine.run("Keeping a copy", 1)
        # GnuPG writes it where it makes a key; on another machine it is that of the copy.
        revocations = home / "openpgp-revocs.d"
        revocations.mkdir(mode=0o700)
        for path in (made.home / "openpgp-revocs.d").iterdir():
            (revocations / path.name).write_bytes(path.read_bytes())
        machine.run("Giving the certificate to the sysadmin", 0)
        yield machine


@pytest.fixture
def offline(staff: Staff, machine: Machine) -> Staff:
    """Give staff on that machine."""
    staff.home = machine.home
    return staff


def in_another_second(machine: Machine) -> None:
    """Wait until a key made now is younger than every key there is: their age is told in seconds."""
    listed = gpg(machine.home, "--with-colons", "--list-keys").stdout.decode()
    youngest = max(
        int(made) for made in re.findall(r"^[ps]ub:(?:[^:]*:){4}(\d+):", listed, re.MULTILINE)
    )
    while time.time() < youngest + 1:
        time.sleep(0.05)


def used_keys(staff: Staff) -> dict[str, str]:
    """Which key opened which file, as the custody report says."""
    return {str(e["path"]): str(e["opened_with"]["key"]) for e in staff.custody()}  # type: ignore[index]


def test_the_key_that_it_makes_is_one_to_seal_to(made: Machine) -> None:
    """The service takes it; the fingerprint that the guide shows is the one that the service shows."""
    shown = made.run("Giving the certificate to the sysadmin", 1).replace(" ", "")
    assert made.recipient().fingerprint in shown
    assert made.recipient().fingerprint == made.run("Making the key", NAME_IT).strip()
    assert b"PRIVATE" not in made.certificate.read_bytes()


def test_the_key_lasts_two_years(made: Machine) -> None:
    """Both halves: the day on which the service would refuse it."""
    today = dt.datetime.now(dt.UTC).date()
    last = made.recipient().expires
    assert last
    assert 728 <= (last - today).days <= 732


def test_the_copy_opens_what_was_sealed(machine: Machine, offline: Staff, stick: Stick) -> None:
    """The disk is gone; a new machine with the copy opens everything."""
    machine.seals(stick, b"before")
    ran = offline.open(stick.folder)
    assert (ran.code, offline.files()) == (0, {"before.txt": b"before"}), ran.complained


def test_extending_keeps_the_fingerprint_and_opens_the_old(
    machine: Machine, offline: Staff, stick: Stick
) -> None:
    """Two more years, the same key; what was sealed before and after opens."""
    soon = machine.run("Making the key", NAME_IT).strip()
    for which in ([], ["*"]):
        assert gpg(machine.home, "--quick-set-expire", soon, "3d", *which).returncode == 0
    machine.run("Giving the certificate to the sysadmin", 0)
    before = machine.recipient()
    machine.seals(stick, b"before")
    machine.run("When the key is about to run out")
    after = machine.recipient()
    assert before.expires
    assert after.expires
    assert (after.expires - before.expires).days > 700
    assert after.fingerprint == before.fingerprint
    machine.seals(stick, b"after")
    assert offline.open(stick.folder).code == 0
    assert offline.files() == {"before.txt": b"before", "after.txt": b"after"}


def test_a_new_encryption_key_seals_and_the_old_one_still_opens(
    machine: Machine, offline: Staff, stick: Stick
) -> None:
    """The same fingerprint; new things go to the new one, each opens with its own, on record."""
    before = machine.recipient().fingerprint
    machine.seals(stick, b"before")
    in_another_second(machine)
    machine.run("A new encryption key every year or two")
    assert machine.recipient().fingerprint == before
    machine.seals(stick, b"after")
    assert offline.open(stick.folder).code == 0
    assert offline.files() == {"before.txt": b"before", "after.txt": b"after"}
    used = used_keys(offline)
    assert used["before.txt"] != used["after.txt"]


def test_a_revoked_key_is_refused_and_opens_what_it_had(
    machine: Machine, offline: Staff, stick: Stick
) -> None:
    """The service refuses the revoked certificate in words; staff lose nothing."""
    machine.seals(stick, b"before")
    machine.run("Revoking a key")
    with pytest.raises(RevokedRecipientError):
        machine.recipient(name="ngo-revoked.asc")
    ran = offline.open(stick.folder)
    assert (ran.code, offline.files()) == (0, {"before.txt": b"before"}), ran.complained


def test_a_whole_new_key_beside_the_old_opens_both(
    machine: Machine, offline: Staff, stick: Stick, desk: Ngo, tmp_path: Path
) -> None:
    """Both secret keys are there: old and new alike."""
    stick.receive(b"old", "old.txt")
    secret = export_secret(desk.home, tmp_path / "old.asc", desk.fingerprint)
    assert gpg(machine.home, "--import", str(secret)).returncode == 0
    machine.seals(stick, b"new")
    assert offline.open(stick.folder).code == 0
    assert offline.files() == {"old.txt": b"old", "new.txt": b"new"}


def test_a_second_recipient_opens_only_what_came_later(
    machine: Machine, offline: Staff, stick: Stick, desk: Ngo, tmp_path: Path
) -> None:
    """Sealed to both from then on; what was sealed before is the first one's alone."""
    stick.receive(b"earlier", "earlier.txt")
    empty = tmp_path / "empty"
    empty.mkdir(mode=0o700)
    both = SessionKeyMaker("gpg", empty, [desk.certificate, machine.certificate]).make()
    later = Sent(both, b"later", "later.txt")
    stick.put(later, later.whole())
    ran = offline.open(stick.folder)
    assert (ran.code, offline.files()) == (1, {"later.txt": b"later"})
    assert "None of your keys opens this file" in ran.words


def test_every_block_is_run_here() -> None:
    """A command that is added to the guide has to be added to this test."""
    headings = re.findall(r"^## (.*)$", GUIDE.read_text(), re.MULTILINE)
    counts = {heading: len(blocks(heading)) for heading in headings}
    assert {heading: count for heading, count in counts.items() if count} == {
        "Making the key": 2,
        "Keeping a copy": 2,
        "Giving the certificate to the sysadmin": 2,
        "When the key is about to run out": 1,
        "A new encryption key every year or two": 1,
        "Revoking a key": 1,
    }
