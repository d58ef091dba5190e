"""A Debian that nobody has used yet, in a folder."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[2]
PLAIN_USER = "ann"
PLAIN_ID = 1000

# What a running Debian has mounted. The mounts end with the process; the program keeps this
# process id, so that it can be signalled.
ENTER = (
    'mount -t proc proc "$1/proc" && '
    'mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm" && '
    'mount -t devpts -o newinstance,mode=620,ptmxmode=666,gid=5 devpts "$1/dev/pts" && '
    'mount --bind "$1/dev/pts/ptmx" "$1/dev/ptmx" && '
    'exec chroot --userspec="$2" "$1" sh -c "$3"'
)


@dataclass(frozen=True)
class Person:
    """Somebody who may log in to the root."""

    name: str
    identity: str
    home: str


ROOT = Person("root", "0:0", "/root")
ANN = Person(PLAIN_USER, f"{PLAIN_ID}:{PLAIN_ID}", f"/home/{PLAIN_USER}")
SYSADMIN_AT_ANNS_DESK = Person("root", "0:0", ANN.home)


def make_archive(release: str, archive: Path) -> None:
    """Make a minimal Debian as a tar archive, once."""
    subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", release, archive], check=True)


class Root:
    """One unpacked Debian with the tree in both homes."""

    def __init__(self, archive: Path, place: Path, environment: Mapping[str, str]) -> None:
        self.place = place
        self._environment = environment
        place.mkdir()
        subprocess.run(["tar", "-C", place, "-xf", archive], check=True)
        shutil.copy("/etc/resolv.conf", place / "etc" / "resolv.conf")
        self._add_person(ANN)

    def carry(self, source: Path, target: str) -> None:
        """Copy a file of this machine in, under the path it has there."""
        goal = self.place / target.lstrip("/")
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, goal)

    def settle(self, person: Person) -> None:
        """Put the committed tree into a person's home."""
        home = self.place / person.home.lstrip("/")
        subprocess.run(["git", "clone", "--quiet", HOUSE, home / "nightferry"], check=True)
        subprocess.run(["chown", "-R", person.identity, home], check=True)

    def start(self, person: Person, line: str) -> subprocess.Popen[str]:
        """Run a line of shell in the person's copy of the tree, as they would see it."""
        return subprocess.Popen(
            self._entrance(person, line),
            env={"HOME": person.home, "USER": person.name, **self._environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def processes(self) -> list[str]:
        """Give the command lines of all that runs in the root, whatever its session or group."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # It ended while we looked.
                if (entry / "root").readlink() == self.place:
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found

    def _entrance(self, person: Person, line: str) -> Sequence[str | os.PathLike[str]]:
        inside = f"cd {person.home}/nightferry && {line}"
        # What runs in the background of a shell, as this may, hands on that Ctrl-C is ignored.
        entering = ["env", "--default-signal=INT", "unshare", "--mount", "sh", "-c", ENTER, "sh"]
        return [*entering, self.place, person.identity, inside]

    def _add_person(self, person: Person) -> None:
        with (self.place / "etc" / "passwd").open("a") as passwd:
            passwd.write(f"{person.name}:x:{PLAIN_ID}:{PLAIN_ID}::{person.home}:/bin/sh\n")
        (self.place / person.home.lstrip("/")).mkdir()
