"""Trying again, for ever, with words: the network breaks, sessions end, and nothing is lost by it."""

import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

from submit.fetch.address import Way
from submit.fetch.credentials import Credentials
from submit.fetch.desk import Desk
from submit.fetch.errors import (
    BrokenError,
    FetchError,
    RefusedError,
    SessionEndedError,
    StoppedError,
)
from submit.fetch.terminal import Terminal
from submit.fetch.wire import Wire

_PAUSES = (0, 1, 2, 5, 10, 30, 60)  # seconds before another attempt; the last one from then on
_GOING_ON = "Trying again until it works; Ctrl-C stops, and what has come is kept."

T = TypeVar("T")


class Session:
    """The one login of all lines. The cookie is here and nowhere else."""

    def __init__(self, credentials: Credentials, terminal: Terminal) -> None:
        self.cookie = ""
        self._credentials, self._terminal = credentials, terminal
        self._lock = threading.Lock()

    def renew(self, line: "Line", stale: str) -> None:
        """Log in, unless another line just has. Raises FetchError if nobody types."""
        with self._lock:
            if self.cookie != stale:
                return
            if stale:
                self._terminal.complain("the session has expired: a new code is needed.")
            while not self._enter(line):
                self._credentials.forget()

    def _enter(self, line: "Line") -> bool:
        line.outside(lambda desk: desk.wire.reach())  # A code would be old when Tor is there.
        name, passphrase, code = self._credentials.ask()
        attempts = 0

        def enter(desk: Desk) -> str:
            nonlocal attempts
            attempts += 1
            return desk.enter(name, passphrase, code)

        try:
            self.cookie = line.outside(enter)
        except RefusedError as refused:
            if attempts > 1:
                self._terminal.complain(
                    "the connection broke during the login: a code was used up."
                )
            self._terminal.complain(str(refused))
            return False
        return True


class Line:
    """One connection to the desk that does not give up."""

    def __init__(
        self, way: Way, session: Session, terminal: Terminal, stopped: threading.Event
    ) -> None:
        self._wire = Wire(way)
        self._session, self._terminal, self._stopped = session, terminal, stopped

    def inside(self, action: Callable[[Desk], T], moved: Callable[[], int] = lambda: 0) -> T:
        """Do something that needs the login until it is done; `moved` tells how far it has come.

        Raises RefusedError, FetchError, StoppedError.
        """
        while True:
            cookie = self._session.cookie
            if cookie:
                with contextlib.suppress(SessionEndedError):
                    return self._until_done(Desk(self._wire, cookie), action, moved)
            self._session.renew(self, cookie)

    def outside(self, action: Callable[[Desk], T]) -> T:
        """Do something without a login until it is done."""
        return self._until_done(Desk(self._wire), action, lambda: 0)

    def require_going(self) -> None:
        """Raise StoppedError if the run is to end."""
        if self._stopped.is_set():
            raise StoppedError

    def once(self, action: Callable[[Desk], None]) -> None:
        """Try something that is only polite."""
        try:
            action(Desk(self._wire, self._session.cookie))
        except (BrokenError, SessionEndedError, RefusedError, FetchError):
            return

    def abort(self) -> None:
        """Wake this line up, for it to see that the run ends."""
        self._wire.abort()

    def close(self) -> None:
        """End the connection."""
        self._wire.close()

    def _until_done(self, desk: Desk, action: Callable[[Desk], T], moved: Callable[[], int]) -> T:
        vain, before = 0, moved()
        while True:
            self.require_going()
            try:
                done = action(desk)
            except BrokenError as broken:
                vain, before = (vain if moved() == before else 0), moved()
                self._pause(vain, broken)
                vain += 1
            else:
                self._terminal.mended()
                return done

    def _pause(self, vain: int, broken: BrokenError) -> None:
        self.require_going()
        if vain:
            self._terminal.complain_once(f"{broken} {_GOING_ON}")
        self._stopped.wait(_PAUSES[min(vain, len(_PAUSES) - 1)])
