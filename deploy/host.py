"""A machine: its files, below a root, and its programs."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 120  # seconds for any one program


@dataclass(frozen=True, slots=True)
class Host:
    """This machine, or in tests a folder that holds another's files.

    `path` gives where a file of the host lies; `run` starts a program, in that root if it is another.
    """

    root: Path = Path("/")

    def path(self, absolute: Path) -> Path:
        """Where the host's own `absolute` path lies."""
        return self.root / absolute.relative_to("/")

    def run(self, *command: str, given: bytes = b"") -> "Ran":
        """Run a program to its end. A program that is not there has the code 127, as in a shell."""
        elsewhere = ("chroot", str(self.root)) if self.root != Path("/") else ()
        try:
            done = subprocess.run(  # noqa: S603 # no shell
                [*elsewhere, *command],
                input=given,
                capture_output=True,
                check=False,
                timeout=_PATIENCE,
            )
        except FileNotFoundError:
            return Ran(127, "", f"{command[0]}: not found")
        except subprocess.TimeoutExpired:
            return Ran(124, "", f"{command[0]}: no end after {_PATIENCE} s")
        return Ran(done.returncode, _text(done.stdout), _text(done.stderr))


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program that has ended left behind."""

    code: int
    said: str
    complained: str


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
