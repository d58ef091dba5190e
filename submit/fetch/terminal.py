"""What staff see: words, one line of progress, and questions.

Rule: nothing that the desk or a file's name says reaches the terminal as it is (`plain`).
"""

import getpass
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from submit.fetch.errors import FetchError

_WIDEST = 300  # characters of somebody else's words
_SECOND = 1.0
_QUIET_SECONDS = 60  # between two lines, if nobody watches


def plain(text: str) -> str:
    """Give somebody else's words for a terminal: what would act is written out, and it is short."""
    shown = "".join(c if _is_plain(c) else f"<U+{ord(c):04X}>" for c in text[:_WIDEST])
    return shown if len(text) <= _WIDEST else f"{shown}…"


class Terminal:
    """Says words on standard output, troubles on standard error. Safe from several threads."""

    def __init__(self) -> None:
        self._lively = sys.stdout.isatty()
        self._lock = threading.RLock()
        self._shown = False
        self._last_trouble = ""

    def say(self, text: str) -> None:
        """Say a line."""
        with self._lock:
            self._clear()
            _write(sys.stdout, text)

    def complain(self, text: str) -> None:
        """Say a line about a trouble."""
        with self._lock:
            self._clear()
            _write(sys.stderr, text)

    def complain_once(self, text: str) -> None:
        """Say a trouble unless it is what was said last: three lines break in the same way."""
        with self._lock:
            if text != self._last_trouble:
                self._last_trouble = text
                self.complain(text)

    def mended(self) -> None:
        """Note that octets flow: the next trouble is a new one."""
        self._last_trouble = ""

    def interrupted(self) -> None:
        """Go on without the thread that waits for an answer: nobody gives one any more."""
        self._lock = threading.RLock()

    def ask(self, question: str, *, hidden: bool) -> str:
        """Ask on the terminal, or read a line if there is none. Raises FetchError at its end."""
        with self._lock:
            self._clear()
            try:
                return self._answer(question, hidden=hidden).strip()
            except EOFError:
                raise FetchError(
                    "nobody is here to type a passphrase or code. What has come is kept. "
                    "Run it again on a terminal."
                ) from None

    @contextmanager
    def showing(self, line: Callable[[], str]) -> Iterator[None]:
        """Show the progress each second, or each minute if nobody watches."""
        ended = threading.Event()
        thread = threading.Thread(target=self._show, args=(line, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            with self._lock:
                self._clear()

    def _answer(self, question: str, *, hidden: bool) -> str:
        if not sys.stdin.isatty():
            typed = sys.stdin.readline()
            if not typed:
                raise EOFError
            return typed
        return getpass.getpass(question) if hidden else input(question)

    def _show(self, line: Callable[[], str], ended: threading.Event) -> None:
        seconds = 0
        while not ended.wait(_SECOND):
            seconds += 1
            if self._lively:
                self._paint(line())
            elif seconds % _QUIET_SECONDS == 0:
                self.say(line())

    def _paint(self, text: str) -> None:
        with self._lock:
            sys.stdout.write(f"\r\x1b[K{text}")
            sys.stdout.flush()
            self._shown = True

    def _clear(self) -> None:
        if self._shown:
            sys.stdout.write("\r\x1b[K")
            sys.stdout.flush()
            self._shown = False


def _write(stream: TextIO, text: str) -> None:
    stream.write(f"{text}\n")
    stream.flush()


def _is_plain(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] != "C" and (category[0] != "Z" or character == " ")
