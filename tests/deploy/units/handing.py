"""What systemd does when it starts a unit with a socket: hands it over, and waits for READY=1."""

import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_PATIENCE = 60

# sd_listen_fds(3): the descriptors begin at 3, and LISTEN_PID is the process's own.
_START = """\
import os, sys
descriptor, count, pid, *command = sys.argv[1:]
os.dup2(int(descriptor), 3)
os.environ.update(LISTEN_FDS=count, LISTEN_PID=pid or str(os.getpid()))
os.execv(command[0], command)
"""
# What a service does first, without what takes it a second to load.
_LOOK = """\
import os, sys
from submit.serve.handed import NotHandedOverError, require_handed_over
try:
    require_handed_over(sys.argv[1], os.environ)
except NotHandedOverError as error:
    sys.exit(str(error))
"""


def look(handed: socket.socket, listen: str, count: str, pid: str = "") -> str:
    """Hand a socket over to a process that expects `listen`; give why it refuses it, or nothing."""
    words = [_START, str(handed.fileno()), count, pid, sys.executable, "-c", _LOOK, listen]
    done = subprocess.run(
        [sys.executable, "-c", *words],
        env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONSAFEPATH": "1"},
        pass_fds=(handed.fileno(),),
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE,
    )
    return done.stderr


def listening(path: Path) -> socket.socket:
    """Make the socket, as a .socket unit does, before anybody serves there."""
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.listen(64)
    return made


@dataclass
class Manager:
    """A small systemd: it starts one service."""

    folder: Path
    config: Path
    told: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        """Listen for what services tell: sd_notify(3)."""
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.bind(str(self.folder / "notify"))
        self.told.settimeout(_PATIENCE)

    def start(
        self, handed: socket.socket, *words: str, count: str = "1", pid: str = ""
    ) -> subprocess.Popen[bytes]:
        """Start the source's site with a socket; `count` and `pid` are what it is told of it."""
        serve = [sys.executable, "-m", "submit.cli", "serve", "source"]
        start = [sys.executable, "-c", _START, str(handed.fileno()), count, pid]
        return subprocess.Popen(
            [*start, *serve, "--config", str(self.config), *(words or ("--activated",))],
            env={
                **os.environ,
                "PYTHONPATH": str(_ROOT),
                "PYTHONSAFEPATH": "1",
                "NOTIFY_SOCKET": str(self.folder / "notify"),
            },
            cwd=self.folder,
            pass_fds=(handed.fileno(),),
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def hears(self) -> str:
        """Wait for the next thing that the service tells."""
        return self.told.recv(4096).decode()

    def has_heard_nothing(self) -> bool:
        """Tell whether the service has said nothing at all."""
        self.told.setblocking(False)
        try:
            return not self.told.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self.told.settimeout(_PATIENCE)
