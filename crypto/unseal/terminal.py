"""What staff see while it works: words and one line of progress.

Rule 1: nothing that a stranger chose reaches the terminal as it is (`visible`).
Rule 2: no clock. A thread counts the seconds while it waits for the next line.
"""

import io
import sys
import textwrap
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_WIDEST = 200  # characters of a stranger's text on one line
_LINE = 78
_SECOND = 1.0
_QUIET_SECONDS = 60  # between two lines, if nobody watches
_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_THOUSAND = 1000
# Marks that turn or hide text, line ends, controls, unassigned and private characters: U+2028 and
# the categories whose name begins with C. A plain space is the only separator that stays.
_HARMLESS_SEPARATOR = " "


def is_plain(character: str) -> bool:
    """Tell whether a character shows as itself, and turns or hides no other."""
    if unicodedata.category(character)[0] == "C":
        return False
    return unicodedata.category(character)[0] != "Z" or character == _HARMLESS_SEPARATOR


def visible(text: str) -> str:
    """Give a stranger's text for a terminal: what would act is written out, and it is short."""
    shown = "".join(c if is_plain(c) else f"<U+{ord(c):04X}>" for c in text)
    return shown if len(shown) <= _WIDEST else shown[: _WIDEST - 1] + "…"


def wrapped(words: str) -> str:
    """Give a paragraph in lines that every terminal can hold, a little to the right."""
    return textwrap.fill(
        words,
        _LINE,
        initial_indent="  ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def counted(number: int, thing: str) -> str:
    """Give a number of things: `1 file`, `5,000 files`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def amount(octets: float) -> str:
    """Give a number of octets as people say it: `12.3 GB`."""
    unit = 0
    while octets >= _THOUSAND and unit < len(_UNITS) - 1:
        octets /= _THOUSAND
        unit += 1
    return f"{octets:.0f} {_UNITS[unit]}" if unit < 2 else f"{octets:.1f} {_UNITS[unit]}"  # noqa: PLR2004


def duration(seconds: float) -> str:
    """Give a length of time as people say it."""
    if seconds < 90:  # noqa: PLR2004
        return f"{seconds:.0f} seconds"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


class StoppedError(Exception):
    """The run is to end; what is being opened is dropped."""


@dataclass
class Progress:
    """How far the run is. Other threads add to it, one thread shows it."""

    files: int
    octets: int
    done_files: int = 0
    done_octets: int = 0
    seconds: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, octets: int) -> None:
        """Count sealed octets that GnuPG has been given. Raises StoppedError after `stop`."""
        if self._stopped.is_set():
            raise StoppedError
        with self._lock:
            self.done_octets += octets

    def stop(self) -> None:
        """Let every thread that adds to it end."""
        self._stopped.set()

    def line(self) -> str:
        """Give the one line."""
        parts = [
            f"{self.done_files:,} of {self.files:,} files",
            f"{amount(self.done_octets)} of {amount(self.octets)}",
        ]
        if self.seconds and self.done_octets:
            rate = self.done_octets / self.seconds
            parts.append(f"{amount(rate)}/s")
            left = max(0, self.octets - self.done_octets) / rate
            parts.append(f"about {duration(left)} left")
        return "  ".join(parts)


class Terminal:
    """Says words on standard output, and troubles on standard error."""

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        self._lively = sys.stdout.isatty()
        self._shown = False

    def say(self, text: str = "") -> None:
        """Say a line; our own words, or what `visible` let through."""
        self._clear()
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def complain(self, text: str) -> None:
        """Say a line about a trouble."""
        self._clear()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    @contextmanager
    def showing(self, progress: Progress) -> Iterator[None]:
        """Show the progress each second, or each minute if nobody watches."""
        ended = threading.Event()
        thread = threading.Thread(target=self._show, args=(progress, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self._clear()

    def _show(self, progress: Progress, ended: threading.Event) -> None:
        while not ended.wait(_SECOND):
            progress.seconds += 1
            if self._lively:
                sys.stdout.write(f"\r\x1b[K{progress.line()}")
                sys.stdout.flush()
                self._shown = True
            elif progress.seconds % _QUIET_SECONDS == 0:
                self.say(progress.line())

    def _clear(self) -> None:
        if self._shown:
            sys.stdout.write("\r\x1b[K")
            self._shown = False
