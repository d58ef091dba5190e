"""Counts what a program gives to Tor and gets from it: stands before a SOCKS port, changes nothing."""

import contextlib
import re
import socket
import threading
import time
from types import TracebackType
from typing import Self

from tests.onion.network import Client

_READ = 1 << 16  # octets
_WINDOW = 1 << 16  # octets that the program can be ahead of what Tor took, roughly
_LOOK_UP = 0.2  # seconds between two looks at whether it is over
# What only somebody who goes on asks: how far an upload is, or a part of a file.
_RESUMPTION = re.compile(rb"HEAD /uploads/|[\r]\nRange: bytes=[1-9]", re.IGNORECASE)
_OVERLAP = 32  # octets: a question may lie across two reads


class Meter:
    """Listens on a port of its own until it is closed. Counts are of all connections together.

    `counted`: octets that the program gave to Tor or got from it; `wire`: that Tor itself wrote or
    read meanwhile, cells and all; `seconds`: how long it was open.
    """

    def __init__(self, client: Client, direction: str) -> None:
        """Pass everything on to a client's SOCKS port; count what is `read` or `written`."""
        self._client, self._direction = client, direction
        self.seconds, self.wire = 0.0, 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        # A kernel's own buffers would swallow megabytes that Tor never gets.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW)
        self._listener.settimeout(_LOOK_UP)
        self.port: int = self._listener.getsockname()[1]
        self.counted, self.resumptions = 0, 0

    def __enter__(self) -> Self:
        """Begin."""
        self._start(self._accept)
        self.begin()
        return self

    def begin(self) -> None:
        """Count from here on."""
        self._begun = time.monotonic()
        self._wire = self._client.traffic(self._direction)
        self.counted, self.resumptions = 0, 0

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Break what is left, and end."""
        self.seconds = time.monotonic() - self._begun
        self.wire = self._client.traffic(self._direction) - self._wire
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)  # type: ignore[arg-type] # always a method
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                self._pass_on(self._listener.accept()[0])

    def _pass_on(self, program: socket.socket) -> None:
        try:
            tor = socket.create_connection(("127.0.0.1", self._client.socks_port))
        except OSError:
            program.close()
            return
        tor.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WINDOW)
        self._start(self._pump, program, tor, "written")
        self._start(self._pump, tor, program, "read")

    def _pump(self, source: socket.socket, sink: socket.socket, direction: str) -> None:
        """Pass one direction on; when one end breaks, both are closed."""
        source.settimeout(_LOOK_UP)
        tail = b""
        with contextlib.suppress(OSError):
            while not self._closing.is_set():
                try:
                    octets = source.recv(_READ)
                except TimeoutError:
                    continue
                if not octets:
                    break
                self._send_all(sink, octets)
                self._count(direction, tail, octets)
                tail = (tail + octets)[-_OVERLAP:]
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _send_all(self, sink: socket.socket, octets: bytes) -> None:
        left = memoryview(octets)
        while left and not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                left = left[sink.send(left) :]

    def _count(self, direction: str, tail: bytes, octets: bytes) -> None:
        found = len(_RESUMPTION.findall(tail + octets)) - len(_RESUMPTION.findall(tail))
        with self._lock:
            self.resumptions += found if direction == "written" else 0
            self.counted += len(octets) if direction == self._direction else 0
