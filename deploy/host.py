"""A machine: its files, below a root, and its programs."""

import errno
import os
import secrets
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import DeployError

_PATIENCE = 120  # seconds for any one program
_SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Host:
    """This machine, or in tests a folder that holds another's files.

    `path` gives where a file of the host lies; `run` starts a program, in that root if it is another.
    With `programs`, a folder, only what lies there is ever started, not in that root, and finds the
    root in its variable ROOT.
    """

    root: Path = Path("/")
    programs: Path | None = None

    def path(self, absolute: Path) -> Path:
        """Where the host's own `absolute` path lies."""
        return self.root / absolute.relative_to("/")

    def as_seen(self, absolute: Path) -> str:
        """Give the name by which a program that `run` starts finds a path of the host."""
        return str(absolute if self._enters_root() else self.path(absolute))

    def run(self, *command: str, given: bytes = b"") -> "Ran":
        """Run a program to its end. A program that is not there has the code 127, as in a shell."""
        ran = self.run_raw(*command, given=given)
        return Ran(ran.code, _text(ran.said), _text(ran.complained))

    def run_raw(self, *command: str, given: bytes = b"") -> "RanRaw":
        """Run a program as `run` does, and give the octets that it wrote."""
        searched = _SEARCHED if self.programs is None else str(self.programs)
        missing = RanRaw(127, b"", f"{command[0]}: not found".encode())
        words = self._found(command, searched)
        if words is None:
            return missing
        try:
            done = subprocess.run(  # noqa: S603 # no shell
                words,
                input=given,
                capture_output=True,
                check=False,
                timeout=_PATIENCE,
                env={"PATH": searched, "LC_ALL": "C.UTF-8", "ROOT": str(self.root)},
            )
        except FileNotFoundError:
            return missing
        except subprocess.TimeoutExpired:
            return RanRaw(124, b"", f"{command[0]}: no end after {_PATIENCE} s".encode())
        return RanRaw(done.returncode, done.stdout, done.stderr)

    def user_id(self, name: str) -> int | None:
        """Give the number of a user of the host, None if there is no such user."""
        return _number(self.path(Path("/etc/passwd")), name)

    def group_id(self, name: str) -> int | None:
        """Give the number of a group of the host, None if there is no such group."""
        return _number(self.path(Path("/etc/group")), name)

    def is_owned(self, absolute: Path, user: str, group: str, mode: int) -> bool:
        """Tell whether something is there that belongs to these, with this mode and no other."""
        try:
            found = self.path(absolute).lstat()
        except OSError:
            return False
        owners = (self.user_id(user), self.group_id(group))
        return (found.st_uid, found.st_gid) == owners and stat.S_IMODE(found.st_mode) == mode

    def give(self, absolute: Path, user: str, group: str, mode: int) -> None:
        """Make a file or folder belong to these, with this mode. Raises DeployError."""
        owner, owners = self.user_id(user), self.group_id(group)
        if owner is None or owners is None:
            raise DeployError(f"{absolute}: this host has no user {user} or no group {group}")
        try:
            # A link that the service's user put there must not give away what it points to.
            found = os.open(self.path(absolute), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise DeployError(
                f"{absolute}: is a symbolic link; put what it points to in its place"
            ) from None
        try:
            os.fchown(found, owner, owners)
            os.fchmod(found, mode)  # after the owner: a change of owner takes the setgid bit away
        finally:
            os.close(found)

    def write(self, absolute: Path, content: bytes, user: str, group: str, mode: int) -> None:
        """Put a file in place, whole or not at all, durable, its owner and mode right from the start.

        Raises DeployError, in words, for an unknown owner or a disk that will not.
        """
        try:
            self._write(absolute, content, (user, group, mode))
        except OSError as error:
            raise DeployError(
                f"{absolute}: cannot be written: {error.strerror}. What was there is as it was."
            ) from None

    def _write(self, absolute: Path, content: bytes, owned: tuple[str, str, int]) -> None:
        new = absolute.with_name(absolute.name + ".new")
        path = self.path(new)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                self.give(new, *owned)
                file.flush()
                os.fsync(file.fileno())
            path.rename(self.path(absolute))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)

    def _enters_root(self) -> bool:
        return self.root != Path("/") and self.programs is None

    def _found(self, command: tuple[str, ...], searched: str) -> list[str] | None:
        """Give the words to start: another root's programs run in it, unless they are elsewhere."""
        if self._enters_root():
            return ["/usr/sbin/chroot", str(self.root), *command]
        program = shutil.which(command[0], path=searched)
        return None if program is None else [program, *command[1:]]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program that has ended left behind."""

    code: int
    said: str
    complained: str


@dataclass(frozen=True, slots=True)
class RanRaw:
    """The same, in octets."""

    code: int
    said: bytes
    complained: bytes


@contextmanager
def private_folder(host: Host) -> Iterator[Path]:
    """Lend an empty folder, in memory, that nobody else may enter; gone afterwards.

    GnuPG runs in it, and what must be read by a program as a file lies in it.
    """
    folder = Path("/run") / f"nightferry-{secrets.token_hex(8)}"
    host.path(folder).mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(host.path(folder))


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


def _number(listing: Path, name: str) -> int | None:
    """passwd(5), group(5): name:password:number:..."""
    try:
        lines = listing.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    entries = (line.split(":") for line in lines)
    return next(
        (int(entry[2]) for entry in entries if entry[0] == name and entry[2].isdigit()), None
    )


def sync_folder(folder: Path) -> None:
    """Make durable which names a folder of this machine holds."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
