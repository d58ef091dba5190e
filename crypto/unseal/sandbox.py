"""Run a stranger's file through somebody else's program, so that neither can do harm.

The program runs in a sandbox of its own (bubblewrap): no network, no process of ours in sight, and
of all files only /usr and the one it is about. Time, memory and output are limited; a program that
crashes, hangs or babbles gives None, and the run goes on.

Rule 1: without a sandbox nothing is run, unless a person has typed `--no-sandbox`.
Rule 2: what comes out is a stranger's too: it is only octets to whoever asked.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

FILE = "{file}"  # stands for the file's path in a command
_INSIDE = "/in/media"
_PROGRAMS = Path("/usr")
_TERMINAL_WORDS = 2000  # octets that a program may complain
_SURROUNDINGS = {"PATH": "/usr/bin", "HOME": "/tmp", "LC_ALL": "C.UTF-8"}  # noqa: S108  its own /tmp
_WALLS = (
    *("--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"),
    *(word for name, value in _SURROUNDINGS.items() for word in ("--setenv", name, value)),
    *("--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"),
    *("--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"),
    *("--ro-bind-try", "/etc/alternatives", "/etc/alternatives"),
    *("--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"),
    *("--proc", "/proc", "--dev", "/dev", "--size", str(64 << 20), "--tmpfs", "/tmp"),  # noqa: S108
    *("--chdir", "/tmp"),  # noqa: S108
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may take: seconds; octets of memory, that it says, and of a file it writes."""

    seconds: int
    memory: int
    output: int
    written: int = 64 << 20


def find_program(name: str) -> str | None:
    """Give where a program is, if it is where the sandbox shows it."""
    found = shutil.which(name)
    if found is None:
        return None
    path = Path(found).resolve()
    return str(path) if path.is_relative_to(_PROGRAMS) else None


@dataclass
class Sandbox:
    """A way to run programs. `walls` is the path of bwrap, or None if somebody typed that."""

    walls: str | None
    prlimit: str
    _running: set[int] = field(default_factory=set)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def works(self) -> bool:
        """Tell whether it starts at all; some systems forbid it."""
        limits = Limits(10, 1 << 30, 16)
        return self.run(["/usr/bin/true"], Path("/usr/bin/true"), limits) is not None

    def run(
        self,
        command: Sequence[str],
        file: Path,
        limits: Limits,
        *,
        ending: str = "",
        writable: Path | None = None,
    ) -> bytes | None:
        """Give what a program writes about a file; None if it failed or took too much.

        `ending`: what the file's name ends in inside; `writable`: a folder that is /out inside.
        """
        if self._stopped.is_set():
            return None
        words = self._command(command, file.absolute(), limits, ending, writable)
        try:
            process = subprocess.Popen(  # noqa: S603  programs of this machine, no shell
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_SURROUNDINGS,
                process_group=0,
            )
        except OSError:
            return None
        self._running.add(process.pid)
        timer = threading.Timer(limits.seconds, _kill, [process.pid])
        timer.daemon = True
        timer.start()
        try:
            return _result(process, limits.output, self._stopped)
        finally:
            timer.cancel()
            if process.returncode is None:  # Ctrl-C
                _kill(process.pid)
                process.wait()
            self._running.discard(process.pid)

    def stop(self) -> None:
        """End everything that runs."""
        self._stopped.set()
        for pid in list(self._running):
            _kill(pid)

    def _command(
        self,
        command: Sequence[str],
        file: Path,
        limits: Limits,
        ending: str,
        writable: Path | None,
    ) -> list[str]:
        limited = [
            self.prlimit,
            *(f"--as={limits.memory}", f"--cpu={limits.seconds}", "--core=0", "--nofile=256"),
            f"--fsize={limits.written}",
            "--",
            *command,
        ]
        if self.walls is None:
            outside = {FILE: str(file), "/out": str(writable)}
            return [outside.get(word, word.replace(FILE, str(file))) for word in limited]
        inside = _INSIDE + ending
        # A program that would build walls inside these cannot, and may think that it has to.
        shown = ["--ro-bind", "/dev/null", self.walls, "--ro-bind", str(file), inside]
        if writable:
            shown += ["--bind", str(writable), "/out"]
        return [self.walls, *_WALLS, *shown, "--"] + [w.replace(FILE, inside) for w in limited]


def _result(process: subprocess.Popen[bytes], most: int, stopped: threading.Event) -> bytes | None:
    assert process.stdout  # noqa: S101
    with process.stdout:
        octets = process.stdout.read(most + 1)
        if len(octets) > most or stopped.is_set():
            _kill(process.pid)
    code = process.wait()
    return octets if code == 0 and len(octets) <= most else None


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
