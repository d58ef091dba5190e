"""Running GnuPG: it alone has the keys, by its agent, as staff are used to.

Rule 1: the staff's own GnuPG home and settings, one process for each file; passphrases and PINs are
        between the agent and its own window.
Rule 2: the status lines have a pipe of their own; what GnuPG says in words is for people.
Rule 3: nothing may be fetched from anywhere (`--disable-dirmngr`).
"""

import contextlib
import fcntl
import os
import select
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from crypto.unseal.errors import (
    NoGnuPGError,
    SealedFileError,
    StrangeGnuPGError,
    UnsealError,
)
from crypto.unseal.sealed import BLOCK
from crypto.unseal.statuses import OpenedWith, Report
from crypto.unseal.terminal import StoppedError

_OPTIONS = (
    *("--batch", "--no-tty", "--no-verbose", "--display-charset", "utf-8"),
    *("--disable-dirmngr", "--no-auto-key-retrieve", "--no-auto-key-locate"),
)
_LONGEST_STATUS = 1 << 18  # octets: GnuPG says about 1 KB for a message
_LONGEST_WORDS = 1 << 12


def find_gnupg() -> str:
    """Give the path of gpg. Raises NoGnuPGError."""
    path = shutil.which("gpg")
    if path is None:
        raise NoGnuPGError
    return path


def environment() -> dict[str, str]:
    """Give GnuPG its home and its agent's window, and English words."""
    given = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "en"}
    if "GPG_TTY" not in given:
        with contextlib.suppress(OSError):
            given["GPG_TTY"] = os.ttyname(0)
    return given


@dataclass(frozen=True, slots=True)
class GnuPG:
    """A GnuPG that can be started."""

    program: str
    surroundings: dict[str, str]

    def start(self, arguments: Iterable[str], pipes: "Pipes") -> subprocess.Popen[bytes]:
        """Start it. Raises NoGnuPGError."""
        command = [self.program, *_OPTIONS, "--status-fd", str(pipes.status_in), *arguments]
        try:
            return subprocess.Popen(  # noqa: S603  the program is found by name, no shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self.surroundings,
                pass_fds=(pipes.status_in,),
                process_group=0,  # Ctrl-C comes to us alone, and we end GnuPG
                bufsize=0,
            )
        except OSError:
            raise NoGnuPGError from None


@dataclass(slots=True)
class Pipes:
    """The pipe for status lines; ours is `status`."""

    status: int = -1
    status_in: int = -1

    def __post_init__(self) -> None:
        self.status, self.status_in = os.pipe()


def widened(pipe: int) -> int:
    """Let a pipe hold a block, if the system allows it; give what it holds."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, BLOCK)
    return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)


@dataclass
class Running:
    """One GnuPG at work on what `feed` gives: `blocks` has what it writes, then ask for a verdict."""

    gnupg: GnuPG
    arguments: tuple[str, ...]
    feed: Iterable[bytes]
    feed_length: int
    report: Report = field(default_factory=Report)
    octets: int = 0
    _trouble: UnsealError | None = None
    _words: bytearray = field(default_factory=bytearray)
    _status: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> Self:
        pipes = Pipes()
        try:
            self._process = self.gnupg.start(self.arguments, pipes)
        finally:
            os.close(pipes.status_in)
        self._status_pipe = pipes.status
        assert self._process.stdin and self._process.stdout and self._process.stderr  # noqa: S101, PT018
        self._out = self._process.stdout.fileno()
        widened(self._out)
        self._feeding: threading.Thread | None = None
        if self.feed_length <= widened(self._process.stdin.fileno()):
            self._give()  # all of it fits into the pipe: no thread is needed
        else:
            self._feeding = threading.Thread(target=self._give, daemon=True)
            self._feeding.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Its whole group: what it started would keep the pipes open.
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        if self._feeding:
            self._feeding.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()
        os.close(self._status_pipe)
        if self._trouble and isinstance(error, SealedFileError):
            # GnuPG had only the beginning, and no verdict on that says what happened.
            raise self._trouble from None

    def _give(self) -> None:
        """Give GnuPG all of the feed; GnuPG may end before it has read everything."""
        pipe = self._process.stdin
        assert pipe  # noqa: S101
        try:
            for block in self.feed:
                view = memoryview(block)
                while view:
                    view = view[pipe.write(view) or 0 :]
        except (OSError, ValueError, StoppedError):
            pass  # GnuPG has ended, or `__exit__` has closed the pipe, or the run is to end
        except UnsealError as trouble:
            self._trouble = trouble  # the feed could not be read
        with contextlib.suppress(OSError):
            pipe.close()

    def blocks(self) -> Iterator[memoryview]:
        """Give what GnuPG writes, a block at a time, and hear what it says meanwhile."""
        assert self._process.stderr  # noqa: S101
        open_pipes = {self._out, self._status_pipe, self._process.stderr.fileno()}
        poll = select.poll()
        for pipe in open_pipes:
            poll.register(pipe, select.POLLIN)
        block, filled = bytearray(BLOCK), 0
        while open_pipes:
            for pipe, _event in poll.poll():
                if pipe != self._out:
                    count = self._hear(pipe)
                else:
                    count = os.readv(pipe, [memoryview(block)[filled:]])
                    filled += count
                if count == 0:
                    poll.unregister(pipe)
                    open_pipes.discard(pipe)
            if filled == BLOCK or (filled and self._out not in open_pipes):
                self.octets += filled
                yield memoryview(block)[:filled]
                block, filled = bytearray(BLOCK), 0

    def _hear(self, pipe: int) -> int:
        said = os.read(pipe, 1 << 16)
        if pipe == self._status_pipe:
            self._status += said
            if len(self._status) > _LONGEST_STATUS:
                raise StrangeGnuPGError(line="very many status lines")
        else:
            self._words += said[: _LONGEST_WORDS - len(self._words)]
        return len(said)

    @property
    def said(self) -> str:
        """Give GnuPG's words, for people."""
        lines = self._words.decode(errors="replace").splitlines()
        plain = [line.removeprefix("gpg: ") for line in lines if line.startswith("gpg: ")]
        return "; ".join(line for line in plain if not line.startswith("encrypted with"))

    def status_words(self) -> list[bytes]:
        """Give the first word of each status line, for what is not a decryption."""
        lines = bytes(self._status).splitlines()
        self._status.clear()
        return [line.split(b" ")[1] if b" " in line else b"" for line in lines]

    def ended(self) -> int:
        """Wait until GnuPG has ended, read its status lines, and give its exit status."""
        for _block in self.blocks():
            pass
        code = self._process.wait()
        if self._feeding:
            self._feeding.join()
        if self._trouble:
            raise self._trouble
        for line in bytes(self._status).splitlines():
            self.report.take(line)
        self._status.clear()
        return code

    def require_good(self) -> OpenedWith:
        """Give the key, if GnuPG says in every way it has that all is good. Raises UnsealError."""
        code = self.ended()
        return self.report.require_good(code, self.octets, self.said)
