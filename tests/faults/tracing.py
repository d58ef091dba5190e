"""strace: what a process asked of the kernel, and faults put in between."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live import wait_until

WRITES = "pwrite64,pwritev,pwritev2"
WRITING = f"{WRITES},fsync,fdatasync,rename,unlink,ftruncate"
_CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (\S+)(.*)$")
_UNFINISHED = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (\S+)(.*)$")
_ON_PATH = re.compile(r"^\d+<([^>]*)>")


@dataclass(frozen=True)
class Call:
    """One system call as strace saw it."""

    process: int
    name: str
    arguments: str
    result: str
    remark: str

    @property
    def path(self) -> str:
        """The path behind the descriptor that is the first argument (strace -y)."""
        found = _ON_PATH.match(self.arguments)
        return found[1] if found else ""

    @property
    def injected(self) -> bool:
        return "(INJECTED)" in self.remark


def read_trace(path: Path) -> list[Call]:
    """Read what `strace -f -y -o` wrote; a call that another one interrupted is put together."""
    calls, begun = [], {}
    for line in path.read_text("utf-8", "replace").splitlines():
        if found := _UNFINISHED.match(line):
            begun[found[1], found[2]] = found[3]
        elif found := _RESUMED.match(line):
            arguments = begun.pop((found[1], found[2]), "") + found[3]
            calls.append(Call(int(found[1]), found[2], arguments, found[4], found[5]))
        elif found := _CALL.match(line):
            calls.append(Call(int(found[1]), *found.group(2, 3, 4, 5)))
    return calls


@contextmanager
def attached(process: int, output: Path, *options: str) -> Iterator[None]:
    """Let strace sit on a running process and all its threads."""
    strace = subprocess.Popen(
        [_strace(), "-f", "-y", "-o", str(output), *options, "-p", str(process)],
        stderr=subprocess.PIPE,
    )
    try:
        wait_until(lambda: strace.poll() is not None or _is_traced(process))
        if strace.poll() is not None:
            assert strace.stderr is not None
            pytest.skip(f"strace may not attach here: {strace.stderr.read().decode()}")
        yield
    finally:
        _detach(strace, process)


def _detach(strace: subprocess.Popen[bytes], process: int) -> None:
    """End strace: by itself after a process that died, at our word beside one that lives."""
    if _is_alive(process):
        strace.terminate()
    try:
        strace.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        # Seen when threads die while it is told to end; what it traced goes on without it.
        strace.kill()
        strace.communicate(timeout=10)


def _is_alive(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
    return not re.search(r"^State:\s+[ZX]", status, re.MULTILINE)


def inject(call: str, fault: str, when: int) -> list[str]:
    """Give the options that make a thread's `when`-th `call` meet a fault."""
    return ["-e", f"trace={WRITING}", "-e", f"inject={call}:{fault}:when={when}"]


def tracing(output: Path, calls: str) -> list[str]:
    """Give the command that starts another one under strace."""
    probe = subprocess.run([_strace(), "-o", "/dev/null", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"strace may not trace here: {probe.stderr.decode()}")
    quiet = ["--seccomp-bpf", "-f", "-y", "-v", "-s", "65536"]
    return [_strace(), *quiet, "-o", str(output), "-e", f"trace={calls}"]


def _strace() -> str:
    program = shutil.which("strace")
    assert program, "strace is missing: apt-get install strace"
    return program


def _is_traced(process: int) -> bool:
    try:
        statuses = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/status")]
    except OSError:  # a thread ended between the two looks
        return False
    return not any("TracerPid:\t0\n" in status for status in statuses)
