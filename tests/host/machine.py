"""A machine: a Debian root with a real systemd as its first process, in namespaces of its own.

Rule 1: whatever happens here, no process of it outlives this one; the kernel sees to it.
Rule 2: nothing in it reaches the devices, mounts, network, clock or settings of the real machine.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_BOOT = Path(__file__).with_name("boot.sh")
_PATIENCE = 120  # seconds for a start, an end, or any one command
_NAMESPACES = ("--mount", "--pid", "--cgroup", "--uts", "--ipc", "--net")

# What would act on the real kernel, which the machine shares.
_DROPPED = "sys_module,sys_time,sys_rawio,syslog,mac_admin,mac_override,wake_alarm,audit_control"
_BOUNDS = ",".join(f"-{name}" for name in _DROPPED.split(","))

_ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
    "TERM=dumb",
    "DEBIAN_FRONTEND=noninteractive",
)


class MachineError(Exception):
    """The machine itself did not do what any Debian does: no finding about the package."""


@dataclass(frozen=True)
class Said:
    """What a command that has ended left: its exit code, and both its outputs as a person sees them."""

    code: int
    text: str


class Machine:
    """One Debian. `start` boots it; `stop` shuts it down; `pull_plug` does not ask."""

    def __init__(self, root: Path) -> None:
        """Take a root that `archive.unpack` made."""
        self.root = root
        self._cgroup = _own_cgroup() / f"nightferry-{os.getpid()}-{root.name}"
        self._outside: subprocess.Popen[bytes] | None = None
        self._first = 0

    def start(self) -> str:
        """Boot; give what systemd thinks of itself when all is started: running, or degraded."""
        self._cgroup.mkdir()
        enter = 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"'
        # The kernel ends `unshare` when this process ends, and with it the whole machine.
        bound = ["setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child"]
        boot = [*_NAMESPACES, "--propagation", "private", str(_BOOT), str(self.root), _BOUNDS]
        self._outside = subprocess.Popen(
            ["sh", "-c", enter, "sh", str(self._cgroup), *bound, *boot],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; we then stop the machine.
        )
        self._first = self._wait_for_init(self._outside)
        self._wait(lambda: self.path("/run/systemd/private").exists(), "systemd listens")
        return self.run("systemctl", "is-system-running", "--wait").text.strip()

    def entrance(self, *command: str, user: str = "root") -> list[str]:
        """Give the words that run a command inside."""
        enter = ["nsenter", f"--target={self._first}", *_NAMESPACES, "--"]
        person = [] if user == "root" else ["runuser", f"--user={user}", "--"]
        bounded = ["setpriv", f"--bounding-set={_BOUNDS}", "env", "-i", *_ENVIRONMENT]
        return [*enter, *bounded, *person, *command]

    def run(
        self, *command: str, user: str = "root", given: str = "", patience: int = _PATIENCE
    ) -> Said:
        """Run a command inside, to its end."""
        done = subprocess.run(
            self.entrance(*command, user=user),
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=patience,
            start_new_session=True,
        )
        return Said(done.returncode, done.stdout)

    def path(self, inside: str) -> Path:
        """Where a path of the machine lies, seen from here, with what is mounted in it."""
        return Path(f"/proc/{self._first}/root") / inside.lstrip("/")

    def copy_in(self, source: Path, inside: str, mode: int = 0o644) -> None:
        """Copy a file in, as root's."""
        target = self.path(inside)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(mode)

    def main_pid(self, unit: str) -> int:
        """Give the process id of a service's main process, as it is inside; 0 if it does not run."""
        return int(self.run("systemctl", "show", "--value", "--property=MainPID", unit).text)

    def journal(self, *words: str) -> str:
        """Give what the journal has, in all its namespaces."""
        return self.run("journalctl", "--no-pager", "--quiet", "--namespace=*", *words).text

    def stop(self) -> None:
        """Shut down as `poweroff` does; what does not go is ended."""
        if self._outside is None:
            return
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.kill(self._first, signal.SIGRTMIN + 4)  # systemd(1): starts poweroff.target
            self._outside.wait(_PATIENCE)
        self.pull_plug()

    def pull_plug(self) -> None:
        """End every process at one stroke."""
        if self._outside is None:
            return
        (self._cgroup / "cgroup.kill").write_text("1")
        self._outside.wait(_PATIENCE)
        self._outside, self._first = None, 0
        self._wait(self._is_empty, "every process has ended")
        for folder, _, _ in os.walk(self._cgroup, topdown=False):
            Path(folder).rmdir()

    def _is_empty(self) -> bool:
        return "populated 0" in (self._cgroup / "cgroup.events").read_text()

    def _wait_for_init(self, outside: subprocess.Popen[bytes]) -> int:
        """Give the first process's id, as it is outside, once it is systemd."""
        children = Path(f"/proc/{outside.pid}/task/{outside.pid}/children")
        found: list[int] = []

        def has_become_systemd() -> bool:
            if outside.poll() is not None:
                raise MachineError(f"the machine did not start: exit status {outside.returncode}")
            found[:] = [int(pid) for pid in children.read_text().split()]
            return bool(found) and Path(f"/proc/{found[0]}/comm").read_text() == "systemd\n"

        self._wait(has_become_systemd, "systemd is started")
        return found[0]

    def _wait(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                raise MachineError(f"waited {_PATIENCE} s in vain until {what}")
            time.sleep(0.02)


@contextmanager
def booted(root: Path) -> Iterator[Machine]:
    """Give a machine that runs, and leave nothing of it behind but its root."""
    machine = Machine(root)
    try:
        machine.start()
        yield machine
    finally:
        machine.pull_plug()


def _own_cgroup() -> Path:
    """Find the folder of the control group that this process is in."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    [place, *_] = [fields[1] for fields in mounts if fields[2] == "cgroup2"] or [""]
    if not place:
        raise MachineError("this machine has no cgroup2 mounted, which systemd needs")
    groups = Path("/proc/self/cgroup").read_text().splitlines()
    [own] = [line.removeprefix("0::") for line in groups if line.startswith("0::")]
    return Path(place) / own.lstrip("/")
