"""HTTP to the desk on one connection that is kept open: one attempt at a time, no redirects.

Whatever the network does is a BrokenError in words. Who calls decides about trying again.
"""

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from submit.fetch.address import Way
from submit.fetch.errors import BrokenError
from submit.fetch.socks import Identity, connect

_CONNECTING = 90.0  # seconds: Tor itself gives up on a way after 60 or so
_PATIENCE = 120.0  # seconds without an octet: a circuit that is dead tells nobody
_BLOCK = 1 << 16  # octets
_LONGEST_ANSWER = 1 << 26  # octets of JSON: a source with a hundred thousand files
_SILENT = "the desk does not answer."
_CUT = "the connection to the desk broke."


class Answer:
    """An answer whose body has not been read yet."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer
        self.status = answer.status

    def header(self, name: str) -> str:
        """Give a header, or nothing."""
        return self._answer.getheader(name) or ""

    @property
    def cookies(self) -> list[str]:
        """Give what the desk sets as cookies, as it came."""
        return self._answer.headers.get_all("Set-Cookie") or []

    def blocks(self) -> Iterator[bytes]:
        """Give the body as it arrives, all of it. Raises BrokenError."""
        while True:
            with _in_words():
                block = self._answer.read1(_BLOCK)
            if not block:
                break
            yield block
        if self._answer.length:  # Of the octets that were announced.
            raise BrokenError(_CUT)
        self._answer.close()  # The library itself would not notice, and the connection could go on.

    def json(self) -> object:
        """Give the body as JSON, None if it is none. Raises BrokenError."""
        octets = bytearray()
        for block in self.blocks():
            octets += block
            if len(octets) > _LONGEST_ANSWER:
                return None
        try:
            said: object = json.loads(octets)
        except (ValueError, RecursionError):
            return None
        return said


class _Connection(http.client.HTTPConnection):
    """A connection that the library, too, opens again only by the given way."""

    def __init__(self, way: Way) -> None:
        super().__init__(way.desk.host, way.desk.port, timeout=_CONNECTING)
        self._way = way

    def connect(self) -> None:
        """Connect, through the proxy if there is one on the way. Raises BrokenError, OSError."""
        if self._way.proxy is None:
            super().connect()
        else:
            self.sock = connect(self._way.proxy, self._way.desk, Identity(), _CONNECTING)


class Wire:
    """One connection to the desk; after a break it is made anew, on other circuits."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._connection: _Connection | None = None
        self._lock = threading.Lock()
        self._aborted = False

    @contextmanager
    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Iterator[Answer]:
        """Ask once. Raises BrokenError."""
        answered = False
        try:
            with _in_words():
                connection = self._connected()
                connection.sock.settimeout(_PATIENCE)
                connection.request(method, path, body, dict(headers))
                answer = connection.getresponse()
            yield Answer(answer)
            answered = answer.isclosed()
        finally:
            if not answered:  # What is left of the body would be taken for the next answer.
                self.close()

    def reach(self) -> None:
        """Connect, if there is no connection. Raises BrokenError."""
        with _in_words():
            self._connected()

    def close(self) -> None:
        """End the connection; the next request makes another."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def abort(self) -> None:
        """Wake up whoever waits on this connection, from another thread, for good."""
        with self._lock:
            self._aborted = True
            way = self._connection.sock if self._connection is not None else None
        if way is not None:
            try:
                way.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _connected(self) -> _Connection:
        with self._lock:
            if self._connection is not None and self._connection.sock is not None:
                return self._connection
        connection = _Connection(self._way)
        connection.connect()
        with self._lock:
            if self._aborted:
                connection.close()
                raise BrokenError(_CUT)
            self._connection = connection
        return connection


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise BrokenError(_SILENT) from None
    except (ConnectionRefusedError, socket.gaierror):
        raise BrokenError(_SILENT) from None
    except (OSError, http.client.HTTPException, ValueError):
        # ValueError: a thread that ends the run has closed what this one reads from.
        raise BrokenError(_CUT) from None
