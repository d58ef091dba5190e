"""What is shipped for systemd, tor, nftables and AppArmor, as it lies in the tree."""

import shutil
import subprocess
from pathlib import Path

DEPLOY = Path(__file__).parents[3] / "deploy"
UNITS = DEPLOY / "systemd"
PAGE = DEPLOY.parent / "docs" / "hardening.md"

# Not in everybody's PATH: these are root's programs.
_ROOTS_OWN = "/usr/local/sbin:/usr/sbin:/sbin"


def program(name: str) -> str:
    """Give where a program of the host lies; `./nightferry test` has installed it."""
    found = shutil.which(name) or shutil.which(name, path=_ROOTS_OWN)
    assert found is not None, f"{name} is missing; ./nightferry test names its package"
    return found


def ran(*command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program; both of what it says is in `stdout`."""
    return subprocess.run(
        [program(command[0]), *command[1:]],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )


def lines(path: Path) -> list[str]:
    """Give what a unit says: its lines without comments, with the section each stands in."""
    said = []
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif line and not line.startswith("#"):
            said.append(f"{section} {line}")
    return said
