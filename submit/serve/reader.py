"""Reading from a source's connection: slow is fine, silent is not, and a stop is heard.

gunicorn waits for ever for the next octets of a body. Over Tor a frozen circuit is never
reported to anybody, so that would hold a thread for ever.

An octet now and then would hold it for ever, too. So a body has to come at a fair pace, unless
the application has given it a place for which it may take its time. And while many wait like
that at once, each has less time.
"""

import math
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gunicorn.http.unreader import SocketUnreader

_FAIR = 500  # octets a second: half of what the worst circuit on which anybody stays carries
_LOOK_UP = 500  # milliseconds between two looks at whether to go on waiting
_POLLED = select.POLLIN | select.POLLHUP | select.POLLERR
_READ_AT_ONCE = 1 << 19  # eight chunks: enough that the calls for each do not count


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds: for a whole request head, and for the next octet of a body.

    `body` is also how far a body may be behind the fair pace. `crowded` takes the place of both
    while too many others wait.
    """

    head: float
    body: float
    drain: float = 3
    crowded: float = 15


class Crowd:
    """The connections of a worker that wait for octets, each with a thread that pages need."""

    def __init__(self, many: int) -> None:
        """Tell from when on there are `many`."""
        self._many, self._waiting, self._lock = many, 0, threading.Lock()

    @property
    def is_large(self) -> bool:
        """Whether there are many now."""
        return self._waiting >= self._many

    @contextmanager
    def join(self) -> Iterator[None]:
        """Be one of them."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, step: int) -> None:
        with self._lock:
            self._waiting += step


class PatientUnreader(SocketUnreader):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn's source of octets; ends (as if the client had) when patience does.

    invariant: once a request's octets have ended early, they stay ended and `cut` is set; so is
    `late` if it was patience that ended.
    """

    max_body_chunk = _READ_AT_ONCE

    def __init__(
        self,
        sock: socket.socket,
        patience: Patience,
        is_stopping: Callable[[], bool],
        crowd: Crowd,
    ) -> None:
        """Read from `sock`; `is_stopping` tells whether the worker has been asked to stop."""
        super().__init__(sock)
        self._patience, self._is_stopping, self._crowd = patience, is_stopping, crowd
        self._poll = select.poll()
        self._poll.register(sock, _POLLED)
        self.begin_head()

    def begin_head(self) -> None:
        """Wait for a request head: all of it within its time, however it trickles."""
        self._renewed = 0.0
        self._hurry(self._patience.head)
        self._interrupted: Callable[[], bool] = lambda: False
        self.cut = self.late = self.reads_out = False

    def begin_body(self) -> None:
        """Wait for a body: every octet renews the patience, as far as the pace is fair."""
        self._renewed = self._patience.body
        self._hurry(self._patience.body)
        self._interrupted = self._is_stopping

    def take_time(self) -> None:
        """Wait for this body at any pace: every octet renews the patience."""
        self._latest = self._crowded = math.inf
        self._deadline = time.monotonic() + self._renewed

    def read_out(self) -> None:
        """Read the rest of the body and throw it away after the answer, however long that takes.

        Firefox looks for an answer only once it has sent everything; see docs/decisions/0011.
        """
        self.reads_out = True

    def begin_drain(self) -> None:
        """Wait a moment for what the client had sent before it could read the answer."""
        self._renewed = 0.0
        self._hurry(self._patience.drain)
        self._interrupted = self._is_stopping

    def stop_when(self, interrupted: Callable[[], bool]) -> None:
        """End the body soon after `interrupted()` has become true."""
        self._interrupted = lambda: self._is_stopping() or interrupted()

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Give the next octets; none when the client, or our patience, has ended."""
        size = min(size_hint, self.max_body_chunk) if size_hint else self.mxchunk
        octets = b"" if self.cut else self._receive(max(size, self.mxchunk))
        self.cut = not octets
        if self._renewed:
            self._latest += len(octets) / _FAIR
            self._crowded += len(octets) / _FAIR
            self._deadline = min(time.monotonic() + self._renewed, self._latest)
        return octets

    def _receive(self, size: int) -> bytes:
        while True:
            try:
                return bytes(self.sock.recv(size, socket.MSG_DONTWAIT))
            except BlockingIOError:
                self.late = self._is_late()
                if self.late or self._interrupted():
                    return b""
                self._wait()
            except OSError:  # reset by the client: what it sent before is in our hands
                return b""

    def _hurry(self, seconds: float) -> None:
        now = time.monotonic()
        self._deadline = self._latest = now + seconds
        self._crowded = now + min(seconds, self._patience.crowded)

    def _is_late(self) -> bool:
        now = time.monotonic()
        return now > self._deadline or (now > self._crowded and self._crowd.is_large)

    def _wait(self) -> None:
        if self._latest == math.inf:
            self._poll.poll(_LOOK_UP)
            return
        with self._crowd.join():
            self._poll.poll(_LOOK_UP)
