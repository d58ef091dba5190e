"""One tor: a folder, settings, a process, and questions over its control socket."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_PATIENCE = 120.0  # seconds for anything that a tor does by itself
_GLANCE = 0.2  # seconds between two looks
_ENDING = 10.0  # seconds that a tor may take to end when it is asked to
_ANSWERING = 20.0  # seconds
_LAST_LINES = 5  # of a log, when something went wrong


class OnionError(Exception):
    """The private network, or what is tried in it, does not do what it should. The text says what."""


class Tor:
    """A tor that is ours; no other is ever touched."""

    def __init__(self, base: Path, name: str) -> None:
        """Make its folder."""
        self.name, self.folder = name, base / name
        self.settings = self.folder / "torrc"
        self.control = self.folder / "control"
        self.cookie = self.folder / "control_auth_cookie"
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "keys").mkdir(mode=0o700, parents=True)
        self.folder.chmod(0o700)

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self.runs() and self._process else None

    def runs(self) -> bool:
        """Tell whether its process is there (perhaps frozen)."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, in a session of its own: Ctrl-C is for us, who then end it."""
        with (self.folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                ["tor", "--defaults-torrc", self.folder / "none", "-f", self.settings],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def ask(self, *commands: str) -> str:
        """Send commands; give all answers, "" if it does not answer."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as way:
            way.settimeout(_ANSWERING)
            way.connect(str(self.control))
            cookie = self.cookie.read_bytes().hex()
            way.sendall("\r\n".join([f"AUTHENTICATE {cookie}", *commands, "QUIT", ""]).encode())
            return b"".join(iter(lambda: way.recv(1 << 16), b"")).decode(errors="replace")
        return ""

    def hear(self, event: str, enough: Callable[[list[str]], bool], what: str) -> None:
        """Listen to what it tells of itself until that is enough. Raises OnionError."""
        heard = b""
        wait_until(lambda: bool(self.ask("GETINFO version")), f"{self.name} to start", tors=[self])
        deadline = time.monotonic() + _PATIENCE
        with socket.socket(socket.AF_UNIX) as way:
            way.settimeout(_GLANCE)
            way.connect(str(self.control))
            cookie = self.cookie.read_bytes().hex()
            way.sendall(f"AUTHENTICATE {cookie}\r\nSETEVENTS {event}\r\n".encode())
            while not enough(heard.decode(errors="replace").splitlines()):
                with contextlib.suppress(TimeoutError):
                    heard += way.recv(1 << 16)
                if time.monotonic() > deadline or not self.runs():
                    raise OnionError(f"waited {_PATIENCE:.0f} s for {what}: {self.last_words()}")

    def lines(self, command: str, prefix: str) -> list[str]:
        """Give the lines of an answer that begin so."""
        return [line for line in self.ask(command).splitlines() if line.startswith(prefix)]

    def is_ready(self) -> bool:
        """Tell whether it has what it needs of the network."""
        return "PROGRESS=100" in self.ask("GETINFO status/bootstrap-phase")

    def send(self, signum: signal.Signals) -> None:
        """Send its process a signal, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signum)

    def kill(self) -> None:
        """End it at one stroke: what it carries ends with it."""
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(_ENDING)

    def end(self) -> None:
        """Make sure that it is gone, also if it is frozen or does not listen."""
        if self._process is None:
            return
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)
        try:
            self._process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            self.kill()

    def last_words(self) -> str:
        """Give the end of what it has written."""
        said = self.folder / "said"
        lines = said.read_text(errors="replace").splitlines() if said.exists() else []
        return "\n".join(lines[-_LAST_LINES:])


def fill_in(template: str, **values: object) -> str:
    """Replace each @NAME@ by its value."""
    for name, value in values.items():
        template = template.replace(f"@{name}@", str(value))
    return template


def owner_line() -> str:
    """Give the line by which a tor ends within seconds when we are gone, however we went."""
    return f"__OwningControllerProcess {os.getpid()}\n"


def wait_until(
    holds: Callable[[], bool], what: str, patience: float = _PATIENCE, tors: list[Tor] | None = None
) -> None:
    """Wait for something. Raises OnionError, at once if one of the tors has ended."""
    deadline = time.monotonic() + patience
    while not holds():
        ended = [tor for tor in tors or [] if not tor.runs()]
        if ended:
            words = "\n".join(f"{tor.name}: {tor.last_words()}" for tor in ended)
            raise OnionError(f"waiting for {what}: a tor has ended\n{words}")
        if time.monotonic() > deadline:
            raise OnionError(f"waited {patience:.0f} s for {what}")
        time.sleep(_GLANCE)
