"""What tor does for the host, without a network: a SOCKS proxy that knows two onion addresses."""

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_READ = 1 << 16
_PATIENCE = 120.0  # seconds that any connection may stay silent
_BY_NAME, _BY_PASSWORD, _NO_PASSWORD = 3, 2, 0
_GRANTED = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
_REFUSED = b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"


class Onions:
    """Listens on loopback until it is closed; each name leads to a socket in the file system."""

    def __init__(self, places: Mapping[str, Callable[[], Path]]) -> None:
        """Ask `places` at each connection: after a new start a machine's files lie elsewhere."""
        self._places = places
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in [self._listener, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):  # It was closed.
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(_PATIENCE)
        self._open.add(client)
        with suppress(OSError, EOFError), client, socket.socket(socket.AF_UNIX) as site:
            name = _asked_name(client)
            try:
                site.connect(str(self._places[name]()))
            except (OSError, KeyError):
                client.sendall(_REFUSED)
                return
            client.sendall(_GRANTED)
            self._join(client, site)

    def _join(self, client: socket.socket, site: socket.socket) -> None:
        site.settimeout(_PATIENCE)
        self._open.add(site)
        back = threading.Thread(target=_pass_on, args=[site, client], daemon=True)
        back.start()
        _pass_on(client, site)
        back.join()
        self._open -= {client, site}


def _asked_name(client: socket.socket) -> str:
    """Go through SOCKS5 (RFC 1928, 1929) up to the name that the client wants to reach."""
    _, count = _read(client, 2)
    if _BY_PASSWORD in _read(client, count):
        client.sendall(bytes([5, _BY_PASSWORD]))
        _, length = _read(client, 2)
        _read(client, length)
        _read(client, _read(client, 1)[0])
        client.sendall(b"\x01\x00")
    else:
        client.sendall(bytes([5, _NO_PASSWORD]))
    kind = _read(client, 4)[3]
    if kind != _BY_NAME:
        raise EOFError
    name = _read(client, _read(client, 1)[0]).decode("ascii")
    _read(client, 2)
    return name


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    """Pass octets on until an end; like a Tor stream, it ends both directions."""
    with suppress(OSError):
        while octets := one.recv(_READ):
            other.sendall(octets)
    for ended in (one, other):
        with suppress(OSError):
            ended.shutdown(socket.SHUT_RDWR)


def _read(way: socket.socket, length: int) -> bytes:
    octets = b""
    while len(octets) < length:
        if not (more := way.recv(length - len(octets))):
            raise EOFError
        octets += more
    return octets
