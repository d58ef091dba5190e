"""A way to the desk that breaks to order: a SOCKS proxy as Tor is one, or a plain one in between.

Where it breaks is counted in octets of the desk's answers, so a break can be at any octet.
"""

import select
import socket
import struct
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_READ = 1 << 12  # octets: small, so that cuts are where they are ordered
_PATIENCE = 60.0
_LOOK_UP = 0.1  # seconds
_RESET = struct.pack("ii", 1, 0)
_SEALED = b"GET /sealed/"
_END_OF_HEAD = b"\r\n\r\n"
_GRANTED = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


class Circuit:
    """Passes connections on to a port on loopback until it is closed.

    `cuts`: after so many octets of answers the first connection is reset, then the second, and so
    on; connections beyond the list are whole. `flips`: so many times the content of a sealed file
    is given with one bit turned. `refusal`: a SOCKS proxy says this status instead of connecting.
    """

    def __init__(
        self,
        port: int,
        cuts: Sequence[int] = (),
        *,
        socks: bool = False,
        flips: int = 0,
        listen: int = 0,
    ) -> None:
        self._upstream, self._socks = port, socks
        self._cuts = list(cuts)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", listen))
        self.port: int = self._listener.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.flips = flips
        self.refusal: int | None = None
        self.refused = threading.Event()
        self.identities: list[tuple[bytes, bytes]] = []
        self.names: list[tuple[bytes, int]] = []
        self.asked = b""  # everything that clients have said
        self.connections = 0
        self.octets = 0  # of answers that were passed on
        self.broken = 0
        self.stall_after: int | None = None  # octets of answers in all, then nothing passes
        self.stalled = threading.Event()
        self.lose_next: int | None = None  # octets of the next answer, then a break

    def __enter__(self) -> Self:
        self._start(self._listen)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join(_PATIENCE)

    @property
    def cuts_left(self) -> int:
        return len(self._cuts)

    def lines(self, method: bytes = b"") -> list[bytes]:
        """Give the first lines of all requests of a method."""
        lines = self.asked.split(b"\r\n")
        return [line for line in lines if line.endswith(b" HTTP/1.1") and line.startswith(method)]

    def translated(self, octets: bytes) -> bytes:
        """Give what the desk is to hear."""
        return octets

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        with self._listener:
            while not self._closing.is_set():
                if select.select([self._listener], [], [], _LOOK_UP)[0]:
                    self._start(self._serve, self._listener.accept()[0])

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(_PATIENCE)
        with client:
            try:
                if self._socks and not self._greet(client):
                    return
                with socket.create_connection(("127.0.0.1", self._upstream), _PATIENCE) as desk:
                    self._carry(client, desk)
            except OSError:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def _greet(self, client: socket.socket) -> bool:
        """Be the SOCKS5 proxy of RFC 1928 and 1929."""
        client.recv(4)
        client.sendall(b"\x05\x02")
        said = client.recv(1024)
        name = said[2 : 2 + said[1]]
        password = said[3 + said[1] :]
        self.identities.append((name, password))
        client.sendall(b"\x01\x00")
        request = client.recv(1024)
        host = request[5 : 5 + request[4]]
        self.names.append((host, int.from_bytes(request[-2:], "big")))
        if self.refusal is not None:
            client.sendall(bytes([5, self.refusal]) + _GRANTED[2:])
            self.refused.set()
            return False
        client.sendall(_GRANTED)
        return True

    def _carry(self, client: socket.socket, desk: socket.socket) -> None:
        with self._lock:
            room = self._cuts.pop(0) if self._cuts else None
            self.connections += 1
        wants_sealed = False
        while not self._closing.is_set():
            ready = select.select([client, desk], [], [], _LOOK_UP)[0]
            if client in ready:
                octets = client.recv(1 << 16)
                if not octets:
                    return
                with self._lock:
                    self.asked += octets
                wants_sealed = octets.startswith(_SEALED) and b".tar.gpg " in octets[:80]
                desk.sendall(self.translated(octets))
            if desk in ready:
                octets = desk.recv(_READ)
                if not octets:
                    return
                if wants_sealed:
                    octets, wants_sealed = self._flipped(octets)
                room = self._pass_back(client, octets, room)

    def _pass_back(self, client: socket.socket, octets: bytes, room: int | None) -> int | None:
        self._maybe_stall()
        if self.lose_next is not None:
            room, self.lose_next = self.lose_next, None
        if room is not None and len(octets) >= room:
            client.sendall(octets[:room])
            with self._lock:
                self.broken += 1
            raise ConnectionResetError
        client.sendall(octets)
        with self._lock:
            self.octets += len(octets)
        return None if room is None else room - len(octets)

    def _maybe_stall(self) -> None:
        if self.stall_after is not None and self.octets >= self.stall_after:
            self.stalled.set()
            self._closing.wait(_PATIENCE)

    def _flipped(self, octets: bytes) -> tuple[bytes, bool]:
        """Turn a bit behind the head; tell whether there is still something to turn."""
        at = octets.find(_END_OF_HEAD) + len(_END_OF_HEAD) if octets.startswith(b"HTTP/1.1") else 0
        if self.flips == 0 or at == len(octets):
            return octets, self.flips > 0
        self.flips -= 1
        return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :], False
