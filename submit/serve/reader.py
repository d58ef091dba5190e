"""Reading from a source's connection: slow is fine, silent is not, and a stop is heard.

gunicorn waits for ever for the next octets of a body. Over Tor a frozen circuit is never
reported to anybody, so that would hold a thread for ever.
"""

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from gunicorn.http.unreader import SocketUnreader

_LOOK_UP = 500  # milliseconds between two looks at whether to go on waiting
_POLLED = select.POLLIN | select.POLLHUP | select.POLLERR
_READ_AT_ONCE = 1 << 19  # eight chunks: enough that the calls for each do not count


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds: for a whole request head, and for the next octet of a body."""

    head: float
    body: float
    drain: float = 3


class PatientUnreader(SocketUnreader):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn's source of octets; ends (as if the client had) when patience does.

    invariant: once a request's octets have ended early, they stay ended and `cut` is set.
    """

    max_body_chunk = _READ_AT_ONCE

    def __init__(
        self, sock: socket.socket, patience: Patience, is_stopping: Callable[[], bool]
    ) -> None:
        """Read from `sock`; `is_stopping` tells whether the worker has been asked to stop."""
        super().__init__(sock)
        self._patience, self._is_stopping = patience, is_stopping
        self._poll = select.poll()
        self._poll.register(sock, _POLLED)
        self.begin_head()

    def begin_head(self) -> None:
        """Wait for a request head: all of it within its time, however it trickles."""
        self._renewed, self._deadline = 0.0, time.monotonic() + self._patience.head
        self._interrupted: Callable[[], bool] = lambda: False
        self.cut = self.reads_out = False

    def begin_body(self) -> None:
        """Wait for a body: every octet renews the patience."""
        self._renewed = self._patience.body
        self._deadline = time.monotonic() + self._renewed
        self._interrupted = self._is_stopping

    def read_out(self) -> None:
        """Read the rest of the body and throw it away after the answer, however long that takes.

        Firefox looks for an answer only once it has sent everything; see docs/decisions/0011.
        """
        self.reads_out = True

    def begin_drain(self) -> None:
        """Wait a moment for what the client had sent before it could read the answer."""
        self._renewed, self._deadline = 0.0, time.monotonic() + self._patience.drain
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
            self._deadline = time.monotonic() + self._renewed
        return octets

    def _receive(self, size: int) -> bytes:
        while True:
            try:
                return bytes(self.sock.recv(size, socket.MSG_DONTWAIT))
            except BlockingIOError:
                if time.monotonic() > self._deadline or self._interrupted():
                    return b""
                self._poll.poll(_LOOK_UP)
            except OSError:  # reset by the client: what it sent before is in our hands
                return b""
