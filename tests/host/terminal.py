"""A person at a terminal: reads what a program asks, and types."""

import codecs
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress

from tests.host.machine import Said
from tests.host.promise import expect

_PATIENCE = 180.0  # seconds without a word
_WIDE = {"COLUMNS": "100", "LINES": "40"}


def converse(command: Sequence[str], answers: Sequence[tuple[str, str]]) -> Said:
    """Run a command on a terminal of its own; when it says a pattern, type the answer to it, once.

    Raises `BrokenPromiseError` if it ends, or falls silent, before it has asked everything.
    """
    ours, its = pty.openpty()
    process = subprocess.Popen(
        # With a terminal of its own, as its controlling one: passphrases are asked for on /dev/tty.
        ["setsid", "--ctty", "--wait", *command],
        stdin=its,
        stdout=its,
        stderr=its,
        env={**os.environ, **_WIDE},
        start_new_session=True,
    )
    os.close(its)
    try:
        said = _talk(ours, answers)
        code = process.wait(_PATIENCE)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return Said(code, said.replace("\r\n", "\n"))


def _talk(terminal: int, answers: Sequence[tuple[str, str]]) -> str:
    said, heard, left = "", 0, list(answers)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while octets := _read(terminal, said):
        said += decoder.decode(octets)
        while (asked := _first_asked(said, heard, left)) is not None:
            found, answer = asked
            heard = found.end()
            left.remove((found.re.pattern, answer))
            os.write(terminal, f"{answer}\n".encode())
    expect(not left, f"it asks {[pattern for pattern, _ in left]}", said)
    return said


def _first_asked(
    said: str, heard: int, left: Sequence[tuple[str, str]]
) -> tuple[re.Match[str], str] | None:
    """Find what was asked first of all that was not answered yet."""
    every = [(re.compile(pattern).search(said, heard), answer) for pattern, answer in left]
    asked = [(found, answer) for found, answer in every if found is not None]
    return min(asked, key=lambda each: each[0].start(), default=None)


def _read(terminal: int, said: str) -> bytes:
    """Read what comes; nothing once the program has ended."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 1.0)[0]:
            with suppress(OSError):  # EIO: nobody has the other end any more.
                return os.read(terminal, 4096)
            return b""
    expect(False, f"it says something within {_PATIENCE:.0f} s", said)
    return b""
