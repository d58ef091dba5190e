"""Keys as staff have them: passphrases, older and several ones, expired ones, none."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crypto.session_key import NewMessageKeys, SessionKeyMaker
from tests.crypto.keys.making import Ngo, export, export_secret, generate, gpg, new_home
from tests.unseal.staff import Sent, Staff, Stick

PINENTRY = """#!/bin/sh
# Speaks as a pinentry does (Assuan), and types what the test wrote into a file; an empty one cancels.
echo asked >>"{folder}/asked"
echo "OK at your service"
while read -r line; do
    case $line in
    GETPIN*)
        if [ -s "{folder}/typed" ]; then printf 'D %s\\nOK\\n' "$(cat "{folder}/typed")"
        else echo "ERR 83886179 cancelled"; fi ;;
    BYE*) echo OK; exit ;;
    *) echo OK ;;
    esac
done
"""

Seal = Callable[..., NewMessageKeys]


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    """Make a session key for some certificates, as the service does."""

    def make(*certificates: Path) -> NewMessageKeys:
        home = tmp_path / "empty"
        home.mkdir(mode=0o700, exist_ok=True)
        return SessionKeyMaker("gpg", home, list(certificates)).make()

    return make


@pytest.fixture
def home() -> Iterator[Path]:
    """Give an empty GNUPGHOME."""
    with new_home() as home:
        yield home


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Ngo]:
    """Give somebody else, with a key and a home of his own."""
    with new_home() as home:
        fingerprint = generate(home, "Other <other@ngo.example>")
        yield Ngo(home, export(home, tmp_path / "other.asc", fingerprint), fingerprint)


class Typist:
    """A key with a passphrase, and a window in which somebody types."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self._folder = home, folder
        window = folder / "pinentry"
        window.write_text(PINENTRY.format(folder=folder))
        window.chmod(0o755)
        (home / "gpg-agent.conf").write_text(f"pinentry-program {window}\ns2k-count 65536\n")
        secret = ("--yes", "--pinentry-mode", "loopback", "--passphrase", "correct horse")
        name = "Careful <careful@ngo.example>"
        made = gpg(home, *secret, "--status-fd", "1", "--quick-gen-key", name, "ed25519", "sign")
        fingerprint = made.stdout.decode().split("KEY_CREATED ")[1].split()[1]
        added = gpg(home, *secret, "--quick-add-key", fingerprint, "cv25519", "encr", "never")
        assert added.returncode == 0, added.stderr.decode()
        self.certificate = export(home, folder / "careful.asc", fingerprint)
        self.forget()

    def types(self, passphrase: str) -> None:
        (self._folder / "typed").write_text(passphrase)

    def forget(self) -> None:
        subprocess.run(
            ["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=True, timeout=60
        )

    @property
    def asked(self) -> int:
        path = self._folder / "asked"
        return path.read_text().count("asked") if path.exists() else 0


@pytest.fixture
def typist(home: Path, tmp_path: Path) -> Typist:
    """Give somebody with a passphrase."""
    return Typist(home, tmp_path)


def test_a_passphrase_is_asked_for_once(
    stick: Stick, staff: Staff, seal: Seal, typist: Typist
) -> None:
    """gpg-agent asks in its own window, once for a whole stick."""
    stick.keys = seal(typist.certificate)
    for number in range(6):
        stick.receive(b"%d" % number, f"{number}.txt")
    typist.types("correct horse")
    staff.home = typist.home
    assert staff.open(stick.folder).code == 0
    assert (len(staff.files()), typist.asked) == (6, 1)


@pytest.mark.parametrize("typed", ["", "wrong"])
def test_without_the_passphrase_the_run_stops_and_goes_on_later(
    stick: Stick, staff: Staff, seal: Seal, typist: Typist, typed: str
) -> None:
    """Cancelled or wrong: one question and not one for each file, words, and nothing left half."""
    stick.keys = seal(typist.certificate)
    for number in range(4):
        stick.receive(b"%d" % number, f"{number}.txt")
    typist.types(typed)
    staff.home = typist.home
    ran = staff.open(stick.folder)
    assert (ran.code, staff.opened(), staff.leftovers()) == (4, {}, [])
    assert "passphrase or PIN was not given or was wrong" in ran.words
    assert "Traceback" not in ran.words
    typist.types("correct horse")
    assert staff.open(stick.folder).code == 0
    assert len(staff.files()) == 4


def test_what_was_sealed_to_somebody_else_is_refused(
    stick: Stick, staff: Staff, seal: Seal, other: Ngo
) -> None:
    """No key for it: said, with whom it is for; what can be opened is."""
    stick.receive(b"ours", "ours.txt")
    foreign = Sent(seal(other.certificate), b"theirs", "theirs.txt")
    stick.put(foreign, foreign.whole())
    ran = staff.open(stick.folder)
    assert (ran.code, staff.files()) == (1, {"ours.txt": b"ours"})
    assert "None of your keys opens this file" in ran.words
    key = gpg(other.home, "--with-colons", "--list-keys").stdout.decode().split("sub:")[1]
    assert key.split(":")[3] in ran.words


@pytest.mark.parametrize("first", [True, False])
def test_one_of_two_recipients_is_enough(
    stick: Stick, staff: Staff, seal: Seal, desk: Ngo, other: Ngo, *, first: bool
) -> None:
    """Sealed to two keys, in either order: whoever has one of them opens it."""
    both = [desk.certificate, other.certificate]
    stick.keys = seal(*both if first else reversed(both))
    stick.receive(b"for both")
    assert staff.open(stick.folder).code == 0
    staff.into, staff.home = staff.into.with_name("theirs"), other.home
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"clip.mp4": b"for both"}


@pytest.mark.parametrize(
    "kind",
    [
        "rsa3072",
        pytest.param("nistp256", marks=pytest.mark.slow),
        pytest.param("brainpoolP256r1", marks=pytest.mark.slow),
    ],
)
def test_every_kind_of_key_opens(
    stick: Stick, staff: Staff, seal: Seal, home: Path, kind: str
) -> None:
    """Keys of other kinds make GnuPG say other lines (DECRYPTION_COMPLIANCE_MODE): known ones."""
    fingerprint = generate(home, subkeys=[kind])
    stick.keys = seal(export(home, stick.folder.with_name("kind.asc"), fingerprint))
    stick.receive(b"opened")
    staff.home = home
    ran = staff.open(stick.folder)
    assert (ran.code, staff.files()) == (0, {"clip.mp4": b"opened"}), ran.complained


def test_an_older_key_opens_what_was_sealed_to_it(
    stick: Stick, staff: Staff, seal: Seal, desk: Ngo, other: Ngo, home: Path
) -> None:
    """After a rotation both secret keys are there; each upload opens with its own, on record."""
    for ngo in (desk, other):
        secret = export_secret(ngo.home, staff.into.with_name("secret.asc"), ngo.fingerprint)
        assert gpg(home, "--import", str(secret)).returncode == 0
    stick.receive(b"old", "old.txt")
    new = Sent(seal(other.certificate), b"new", "new.txt")
    stick.put(new, new.whole())
    staff.home = home
    assert staff.open(stick.folder).code == 0
    used = {str(entry["path"]): entry["opened_with"] for entry in staff.custody()}
    assert used["old.txt"]["certificate"] == desk.fingerprint  # type: ignore[index]
    assert used["new.txt"]["certificate"] == other.fingerprint  # type: ignore[index]


def test_an_expired_key_still_opens(
    stick: Stick, staff: Staff, seal: Seal, home: Path, tmp_path: Path
) -> None:
    """SD#3530: an expired key seals nothing new, but what was sealed before opens as ever."""
    fingerprint = generate(home, subkeys_expire="seconds=86400")
    stick.keys = seal(export(home, tmp_path / "expiring.asc", fingerprint))
    stick.receive(b"in time")
    later = tmp_path / "later"
    later.mkdir()
    program = subprocess.run(["which", "gpg"], capture_output=True, check=True).stdout.decode()
    wrapper = later / "gpg"
    wrapper.write_text(
        f'#!/bin/sh\nexec {program.strip()} --faked-system-time 20990101T000000 "$@"\n'
    )
    wrapper.chmod(0o755)
    staff.home, staff.surroundings = home, {"PATH": f"{later}:/usr/bin:/bin"}
    ran = staff.open(stick.folder)
    assert (ran.code, staff.files()) == (0, {"clip.mp4": b"in time"}), ran.complained


def test_without_gpg_there_are_words(stick: Stick, staff: Staff, tmp_path: Path) -> None:
    """No gpg on this machine: what to install."""
    stick.receive()
    staff.surroundings = {"PATH": str(tmp_path)}
    ran = staff.open(stick.folder)
    assert ran.code == 4
    assert "apt install gpg" in ran.words
