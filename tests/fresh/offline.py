"""The staff's offline machine, new: a Debian's own Python and GnuPG, and the one file `unseal`.

What is opened there is sealed here, by this machine's GnuPG. Nothing of pip's is in that root.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto.reply import ReplyKey, make_reply_key
from crypto.reply_message import open_reply
from crypto.session_key import NewMessageKeys, SessionKeyMaker
from crypto.unseal.build import zipped
from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.fresh.visit import LONGEST_WAIT, expect, tell
from tests.unseal.staff import Sent, Stick

PROGRAMS = ("python3", "gpg", "gpg-agent", "bubblewrap", "ffmpeg", "libimage-exiftool-perl", "mat2")
WHO = 1000
HOME = "/home/ann"
LARGE = 256 << 20  # octets of one film, for the figures
MANY = 500  # small files, for the figures
MAKER = "made by Maria"
ANSWER = "Thank you. Which building is it?"
NAMES = ("камера 3/2021-06-12 утро.mp4", "../../.bashrc", "\x1b[2Jred.mp4", "CON", "gpj.\u202eexe")

# Not chroot: from inside one, no sandbox can be made. A root of its own, as a machine has.
ENTER = """
mount --bind "$1" "$1" && cd "$1" && mount -t proc proc proc &&
mount -t tmpfs -o mode=1777 tmpfs dev/shm && mkdir -p old && pivot_root . old && umount -l old &&
exec setpriv --reuid="$2" --regid="$2" --clear-groups sh -c "$3"
"""


class Machine:
    """One unpacked Debian, and somebody in front of it."""

    def __init__(self, archive: Path, place: Path) -> None:
        self.place = place
        place.mkdir()
        subprocess.run(["tar", "-C", place, "-xf", archive], check=True)
        self.home = place / HOME.lstrip("/")
        self.home.mkdir(mode=0o700)
        with (place / "etc" / "passwd").open("a") as passwd:
            passwd.write(f"ann:x:{WHO}:{WHO}::{HOME}:/bin/sh\n")

    def does(self, line: str, ends: int = 0) -> str:
        """Run a line of shell there, without any network; give what it said."""
        entering = ["unshare", "--mount", "--pid", "--fork", "--net", "sh", "-c", ENTER, "sh"]
        done = subprocess.run(
            [*entering, self.place, str(WHO), f"cd {HOME} && {line}"],
            env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": HOME, "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LONGEST_WAIT,
            check=False,
        )
        said = done.stdout.decode(errors="replace")
        expect(done.returncode == ends, f"{line} ends with {ends}, not {done.returncode}", said)
        return said

    def gives(self, name: str, octets: bytes) -> None:
        """Put a file into that person's home."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)
        self.hand_over()

    def hand_over(self) -> None:
        """Let everything there belong to that person."""
        subprocess.run(["chown", "-R", f"{WHO}:{WHO}", self.home], check=True)


def make_machine(release: str, folder: Path) -> Machine:
    """Make a Debian with the programs that docs/unseal.md and docs/looking.md name."""
    archive = folder / f"{release}.tar"
    making = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PROGRAMS)}"]
    if not archive.exists():
        subprocess.run([*making, release, archive], check=True)
    return Machine(archive, folder / release)


@contextmanager
def desk_key(folder: Path) -> Iterator[tuple[Ngo, NewMessageKeys]]:
    """Make the NGO's key here, and a session key as the service makes them."""
    empty = folder / "empty"
    empty.mkdir(mode=0o700, exist_ok=True)
    with new_home() as home:
        ngo = make_ngo(home, folder, "ed25519", "cv25519")
        yield ngo, SessionKeyMaker("gpg", empty, [ngo.certificate]).make()


def visit_offline(release: str, folder: Path) -> None:
    """Open, verify, look, clean and answer on one release; tell the figures."""
    tell("a root with the staff's programs")
    machine = make_machine(release, folder)
    machine.gives("unseal", zipped())
    versions = machine.does("python3 --version; gpg --version | head -1; mat2 --version")
    tell(", ".join(versions.split("\n")))
    with desk_key(folder) as (ngo, keys):
        carry_key(machine, ngo)
        (machine.home / "stick").mkdir()
        stick, reply_key = Stick(machine.home / "stick", keys), make_reply_key("reply to a source")
        sent = fill(machine, stick, reply_key)
        opens(machine, stick, sent)
        looks_and_cleans(machine)
        answers(machine, reply_key)
        measures(machine, keys)


def carry_key(machine: Machine, ngo: Ngo) -> None:
    """Bring the secret key over as people do: exported here, imported there."""
    machine.gives("key.asc", ngo.gpg("--armor", "--export-secret-keys").stdout)
    machine.does("mkdir -m 700 .gnupg && gpg --batch --quiet --import key.asc && rm key.asc")


def fill(machine: Machine, stick: Stick, reply_key: ReplyKey) -> dict[str, bytes]:
    """Seal here what a source could send; give the contents that must come out."""
    machine.does(
        "ffmpeg -v error -f lavfi -i testsrc=d=2:s=320x240 -metadata "
        f"artist='{MAKER}' film.mp4 && ffmpeg -v error -i film.mp4 -frames:v 1 photo.jpg && "
        f"exiftool -q -overwrite_original -Artist='{MAKER}' photo.jpg"
    )
    sent = {name: os.urandom(100_000) for name in NAMES}
    sent |= {name: (machine.home / name).read_bytes() for name in ("film.mp4", "photo.jpg")}
    for name, content in sent.items():
        stick.receive(content, name)
    stick.receive_message("Привет")
    stick.receive(reply_key.certificate, "reply-to-quiet-harbour.asc", modified=None)
    whole = os.urandom(300_000)
    for part in (2, 1):
        half = whole[(part - 1) * 150_000 : part * 150_000]
        stick.receive(half, f"joined.bin.{part:03}", set="s" * 26, part=part)
    stick.receive_until(200_001, whole, "unfinished.bin")
    changed: Sent = stick.receive(os.urandom(200_000), "changed.bin")
    stick.change(changed, 150_000)
    machine.hand_over()
    return sent | {"joined.bin": whole, "unfinished.bin.partial": whole[:200_001]}


def opens(machine: Machine, stick: Stick, sent: dict[str, bytes]) -> None:
    """Open, refuse what was changed, open again without it, check."""
    tell("opens: whole, in parts, unfinished with its tail; refuses what was changed")
    said = machine.does("python3 unseal stick --into opened", ends=1)
    expect("changed or damaged" in " ".join(said.split()), "the changed one is named", said)
    max(stick.folder.glob("*.tar.gpg")).unlink()
    said = machine.does("python3 unseal stick --into opened", ends=3)
    expect("\x1b" not in said, "nothing acts on the terminal", said)
    files = machine.home / "opened" / "quiet-harbour" / "data"
    found = sorted(path.read_bytes() for path in files.rglob("*") if path.is_file())
    missing = [name for name, content in sent.items() if content not in found]
    expect(not missing, "every content came out", repr(missing))
    expect((files / "files" / NAMES[0]).is_file(), "under its own name", said)
    machine.does("python3 unseal verify opened")


def looks_and_cleans(machine: Machine) -> None:
    """Make the contact sheet and clean copies, each in the sandbox."""
    tell("looks and cleans, in the sandbox")
    machine.does("python3 unseal look opened")
    page = (machine.home / "opened" / "quiet-harbour" / "index.html").read_text()
    expect("h264" in page and "0:00:02" in page, "the sheet knows the film", page[:3000])
    bag = "opened/quiet-harbour"
    machine.does(f"python3 unseal clean {bag} --into copies film.mp4 photo.jpg")
    for name in ("film.mp4", "photo.jpg"):
        kept = (machine.home / bag / "data" / "files" / name).read_bytes()
        expect(MAKER.encode() in kept, "the original has its metadata", name)
        copies = [p for p in (machine.home / "copies").rglob("*") if Path(name).stem in p.name]
        expect(len(copies) == 1, "there is one copy", repr(copies))
        expect(MAKER.encode() not in copies[0].read_bytes(), "the copy has none", name)
    machine.does("python3 unseal verify opened")


def answers(machine: Machine, reply_key: ReplyKey) -> None:
    """Write an answer there; open it here, as its source does."""
    tell("answers")
    machine.gives("editor", f"#!/bin/sh\nprintf '%s' '{ANSWER}' >\"$1\"\n".encode())
    line = "EDITOR=./editor python3 unseal answer quiet-harbour --stick stick --bags opened"
    said = machine.does(f"chmod 755 editor && {line}")
    replies = list((machine.home / "stick").rglob("*.asc"))
    expect(len(replies) == 1, "there is one reply on the stick", said)
    opened = open_reply(reply_key.secret, replies[0].read_bytes(), 1 << 16)
    expect(opened.strip() == ANSWER, "its source can read it", said)


def measures(machine: Machine, keys: NewMessageKeys) -> None:
    """Compare with `gpg -d` of the same files; tell, promise nothing."""
    for name, count, octets in (("large", 1, LARGE), ("many", MANY, 20_000)):
        folder = machine.home / name
        folder.mkdir()
        for number in range(count):
            Stick(folder, keys).receive(os.urandom(octets), f"{number}.mp4")
        machine.hand_over()
        alone = seconds(machine, f"for f in {name}/*; do gpg -q -d $f >out 2>/dev/null; done")
        ours = seconds(machine, f"python3 unseal {name} --into {name}-opened")
        tell(f"{count} of {octets:,} octets: gpg -d {alone:.1f} s, unseal {ours:.1f} s")
        shutil.rmtree(folder)


def seconds(machine: Machine, line: str) -> float:
    """Measure a line, with what enters and leaves the root in it."""
    before = time.monotonic()
    machine.does(line)
    return time.monotonic() - before
