"""Counts what a program gives to Tor and gets from it: stands before a SOCKS port, changes nothing."""

import contextlib
import re
import socket
import threading
from types import TracebackType
from typing import Self

_READ = 1 << 16  # octets
_WINDOW = 1 << 16  # octets that the program can be ahead of what Tor took, roughly
_LOOK_UP = 0.2  # seconds between two looks at whether it is over
# What only somebody who goes on asks: how far an upload is, or a part of a file.
_RESUMPTION = re.compile(rb"HEAD /uploads/|[\r]\nRange: bytes=[1-9]", re.IGNORECASE)
_OVERLAP = 32  # octets: a question may lie across two reads


class Meter:
    """Listens on a port of its own until it is closed. Counts are of all connections together."""

    def __init__(self, socks_port: int) -> None:
        """Pass everything on to a SOCKS port on loopback."""
        self._upstream = socks_port
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        # A kernel's own buffers would swallow megabytes that Tor never gets.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW)
        self._listener.settimeout(_LOOK_UP)
        self.port: int = self._listener.getsockname()[1]
        self.given, self.got, self.connections, self.resumptions = 0, 0, 0, 0

    def __enter__(self) -> Self:
        """Begin."""
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Break what is left, and end."""
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
            tor = socket.create_connection(("127.0.0.1", self._upstream))
        except OSError:
            program.close()
            return
        tor.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WINDOW)
        with self._lock:
            self.connections += 1
        self._start(self._pump, program, tor, self._count_given)
        self._start(self._pump, tor, program, self._count_got)

    def _pump(self, source: socket.socket, sink: socket.socket, count: object) -> None:
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
                count(tail, octets)  # type: ignore[operator] # one of the two below
                tail = (tail + octets)[-_OVERLAP:]
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _send_all(self, sink: socket.socket, octets: bytes) -> None:
        left = memoryview(octets)
        while left and not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                left = left[sink.send(left) :]

    def _count_given(self, tail: bytes, octets: bytes) -> None:
        found = len(_RESUMPTION.findall(tail + octets)) - len(_RESUMPTION.findall(tail))
        with self._lock:
            self.given += len(octets)
            self.resumptions += found

    def _count_got(self, _tail: bytes, octets: bytes) -> None:
        with self._lock:
            self.got += len(octets)
