"""The real server with the source's site and the desk as two users of the operating system."""

import os
import subprocess
import sys
from pathlib import Path

from tests.crypto.keys.making import Ngo
from tests.live import Live

_ROOT = Path(__file__).parents[3]
# Numbers that no system gives away by itself; names are not needed.
SOURCE_USER, DESK_USER, GROUP = 61_841, 61_842, 61_840
_PATIENCE = 60

# Code and Python may lie in a home that other users cannot enter. In a mount namespace of its own
# they lie where everybody can; nothing else of the file system is changed.
_ENTER = """\
mount -t tmpfs -o mode=755 tmpfs /mnt && mkdir /mnt/house /mnt/python && mount --bind "$1" /mnt/house &&
    mount --bind "$2" /mnt/python && exec setpriv --reuid "$3" --regid "$4" --clear-groups sh -c '
        umask 022; shift 4; exec "$@"' sh "$@"
"""


class TwoUsers(Live):
    """Both sites on loopback; the folder that they share is as a host has it."""

    def __init__(self, folder: Path, ngo: Ngo) -> None:
        """Make the folder that the package makes, and the database, as the source's user."""
        folder.chmod(0o755)
        data = folder / "site"
        data.mkdir()
        os.chown(data, SOURCE_USER, GROUP)
        data.chmod(0o2770)
        super().__init__(folder, ngo)

    def command(self, *arguments: str) -> str:
        """Run one of the program's commands as the source's user."""
        done = subprocess.run(
            as_user(SOURCE_USER, "-m", "submit.cli", *arguments),
            env=_environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=True,
            timeout=_PATIENCE,
        )
        return done.stdout

    def _serve(self, site: str, *wrapper: str) -> subprocess.Popen[bytes]:
        user = DESK_USER if site == "desk" else SOURCE_USER
        serve = as_user(user, "-m", "submit.cli", "serve", site, "--config", str(self.config))
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*wrapper, *serve],
                env=_environment(),
                cwd="/",
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def as_user(user: int, *arguments: str) -> list[str]:
    """Give the words that start this Python as another user."""
    prefix = Path(sys.base_prefix)
    python = f"/mnt/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    enter = ["unshare", "--mount", "sh", "-c", _ENTER, "sh"]
    return [*enter, str(_ROOT), str(prefix), str(user), str(GROUP), python, *arguments]


def _environment() -> dict[str, str]:
    packages = Path(sys.prefix).relative_to(_ROOT) / "lib"
    packages /= f"python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "LD_LIBRARY_PATH": "/mnt/python/lib",  # where its own libpython lies
        "PYTHONPATH": f"/mnt/house:/mnt/house/{packages}",
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
