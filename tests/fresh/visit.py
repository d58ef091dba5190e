"""What a newcomer does, and what must come of it."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.fresh.root import ROOT, SYSADMIN_AT_ANNS_DESK, Person, Root

LONGEST_WAIT = 2400  # seconds: an installation on a slow line and the whole test suite
LONGEST_END = 30  # seconds from Ctrl-C to the end


class BrokenPromiseError(Exception):
    """The newcomer did not get what the README promises."""


def expect(holds: bool, promise: str, seen: str) -> None:
    """Raise `BrokenPromiseError` with what was seen."""
    if not holds:
        raise BrokenPromiseError(f"{promise}\n--- what was seen:\n{seen}")


def run(root: Root, person: Person, line: str) -> tuple[int, str]:
    """Run a line to its end; give its exit code and all that it said."""
    process = root.start(person, line)
    with bounded(process):
        said, _ = process.communicate()
    return process.returncode, said


def is_told_one_line(root: Root, person: Person, command: str) -> None:
    """A person without root gets one line to run; root runs it as it was printed."""
    code, said = run(root, person, command)
    last = said.rstrip().splitlines()[-1].strip()
    expect(code == 1, f"{command} stops where it may not install", said)
    expect(last.startswith("su -c 'apt-get update && apt-get install "), "one line to run", said)
    code, said = run(root, SYSADMIN_AT_ANNS_DESK, last)
    expect(code == 0, "the printed line works", said)


def demo_serves(root: Root, person: Person) -> str:
    """Start the demo, fetch its page, press Ctrl-C; give all that it said."""
    port = free_port()
    demo = root.start(person, f"exec ./nightferry demo --port {port} --data ~/demo-data")
    with bounded(demo):
        said = wait_until_ready(demo, f"ready http://127.0.0.1:{port}")
        page = fetch(f"http://127.0.0.1:{port}/")
        expect("codename" in page, "the page speaks of codenames", page)
        said += press_ctrl_c(demo)
    expect(not (left := soon_nobody_in(root)), "no process is left behind", "\n".join(left))
    expect("Traceback" not in said, "Ctrl-C ends cleanly", said)
    return said


def wait_until_ready(demo: subprocess.Popen[str], ready: str) -> str:
    """Read what the demo says up to the line that names its address."""
    said = ""
    for line in demo.stdout or ():
        said += line
        if line.rstrip() == ready:
            return said
    raise BrokenPromiseError(f"the demo says {ready!r}\n--- what was seen:\n{said}")


def press_ctrl_c(demo: subprocess.Popen[str]) -> str:
    """Send what a terminal sends, and wait for an end that leaves nothing behind."""
    os.killpg(demo.pid, signal.SIGINT)
    said, _ = demo.communicate(timeout=LONGEST_END)
    expect(demo.returncode in {0, 130}, f"a clean end, not {demo.returncode}", said)
    return said


def soon_nobody_in(root: Root) -> list[str]:
    """Wait a little until no process lives in the root; give those that do not go."""
    deadline = time.monotonic() + LONGEST_END
    while (left := root.processes()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@contextmanager
def bounded(process: subprocess.Popen[str]) -> Iterator[None]:
    """Let a process and its children live no longer than this block, nor than the longest wait."""
    alarm = threading.Timer(LONGEST_WAIT, end_group, [process])
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
        end_group(process)


def end_group(process: subprocess.Popen[str]) -> None:
    """End whatever is left, after a promise was broken."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def fetch(address: str) -> str:
    """Fetch a page as a very small browser would."""
    request = urllib.request.Request(address, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def free_port() -> int:
    """Find a port that is free, and its neighbour too, which is the desk's."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            with suppress(OSError, OverflowError):  # The neighbour is taken, or no port at all.
                other.bind(("127.0.0.1", port + 1))
                return port


def is_silent(said: str) -> bool:
    """Tell whether nothing had to be installed."""
    return not re.search(r"^nightferry: ", said, re.MULTILINE)


def visit(root: Root, person: Person, *, also_test: bool) -> None:
    """Do all that the README promises to a newcomer."""
    root.settle(person)
    tell("help before anything is installed")
    code, said = run(root, person, "./nightferry help")
    expect(code == 0 and "demo" in said, "help needs nothing", said)
    if person != ROOT:
        tell("demo is refused, with one line to run")
        is_told_one_line(root, person, "./nightferry demo")
    tell("demo installs, serves and ends")
    expect(not is_silent(demo_serves(root, person)), "the first start says what it installs", "")
    tell("demo on the same data is silent")
    expect(is_silent(said := demo_serves(root, person)), "the second start installs nothing", said)
    tell("check")
    code, said = run(root, person, "./nightferry check")
    expect(code == 0, "check passes", said)
    if also_test:
        tests_pass(root, person)


def tests_pass(root: Root, person: Person) -> None:
    """Run the whole suite; a person without root is told a line for it too."""
    tell("test")
    if person != ROOT:
        is_told_one_line(root, person, "./nightferry test")
    code, said = run(root, person, "./nightferry test")
    expect(code == 0, "all tests pass", said)


def tell(what: str) -> None:
    """Say how far we are."""
    print(f"  {time.strftime('%H:%M:%S')} {what}", flush=True)
