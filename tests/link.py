"""A slow, far and breaking link between a browser and the server: so much a second, so late, gone.

tests/proxy.py knows HTTP and breaks a request at an octet to order. This one knows nothing but
time: all its connections share one rate each way, every octet comes later by half the round trip,
and at given moments all that is open breaks.

Like a Tor stream, a connection has no half-open state: when either end has ended, what was on its
way still arrives, and then both ends are closed (tor answers an end with RELAY_END, which ends
both directions). With `half_open` an end is passed on as it is, as by a router.
"""

import random
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

MBIT = 125_000  # octets a second

_LOOK_UP = 0.1  # seconds between two looks at whether the link has broken
_PIECE = 4096  # octets: small against what passes in one delay
_WINDOW = 1 << 16  # octets that a client's kernel can be ahead of the link
_RESET = struct.pack("ii", 1, 0)  # linger on, for no time: close() sends RST


def moments(mean: float, seed: int) -> Iterator[float]:
    """Give the seconds between breaks that come at random, `mean` seconds apart."""
    chance = random.Random(seed)  # the same breaks in every run
    while True:
        yield chance.expovariate(1 / mean)


class Lane:
    """One direction of the link: a moment for every octet, whoever sends it."""

    def __init__(self, rate: float) -> None:
        """Pass `rate` octets a second; 0: as fast as they come."""
        self._rate = rate
        self._free = 0.0
        self._lock = threading.Lock()
        self.octets = 0

    def book(self, octets: int) -> float:
        """Give the moment at which the last of so many octets has left."""
        with self._lock:
            self.octets += octets
            self._free = max(self._free, time.monotonic())
            if self._rate:
                self._free += octets / self._rate
            return self._free


class Link:
    """Listens on a port of its own until it is closed. Rates in octets a second, delays in s."""

    def __init__(
        self,
        port: int,
        *,
        rate: float = 3 * MBIT,
        round_trip: float = 0.3,
        buffer: int = 1 << 18,
        breaks: Iterator[float] | None = None,
        half_open: bool = False,
    ) -> None:
        """Pass on to `port` on loopback. `buffer`: octets that wait in the link, each way.

        `breaks`: seconds from each break to the next.
        """
        self.up, self.down = Lane(rate), Lane(rate)
        self.delay, self.buffer, self.half_open = round_trip / 2, buffer, half_open
        self.broken = 0  # breaks so far
        self.ending = threading.Event()
        self._upstream, self._breaks = port, breaks
        self._open: set[_Stream] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW)
        self.port: int = self._listener.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._start(self._listen)
        if self._breaks:
            self._start(self._keep_breaking)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every connection and every thread."""
        self.ending.set()
        for thread in self._threads:
            thread.join()

    def cut(self) -> int:
        """Break all that is open, both ends with RST; give how many connections that were."""
        return self._strike(lambda stream: stream.cut.set())

    def freeze(self) -> int:
        """Let nothing pass any more on what is open; no end is told. New connections work."""
        return self._strike(lambda stream: stream.frozen.set())

    def forget(self, stream: "_Stream") -> None:
        """Take a connection off the list of those that are open."""
        self._open.discard(stream)

    def _strike(self, blow: Callable[["_Stream"], None]) -> int:
        struck = list(self._open)
        for stream in struck:
            blow(stream)
        self.broken += bool(struck)
        return len(struck)

    def _keep_breaking(self) -> None:
        for seconds in self._breaks or ():
            if self.ending.wait(seconds):
                return
            self.cut()

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        with self._listener:
            while not self.ending.is_set():
                if select.select([self._listener], [], [], _LOOK_UP)[0]:
                    self._connect(self._listener.accept()[0])

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._upstream))
        except OSError:
            client.close()
            return
        stream = _Stream(self, client, server)
        self._open.add(stream)
        self._start(stream.carry_up)
        self._start(stream.carry_down)


class _Stream:
    """One connection through the link, carried by two threads."""

    def __init__(self, link: Link, client: socket.socket, server: socket.socket) -> None:
        self._link, self._ends = link, (client, server)
        self.cut, self.frozen, self._over = (threading.Event() for _ in range(3))
        self._left = threading.Semaphore(1)  # for the direction that ends first
        # To ask for a connection at the other end costs a round trip before the first octet.
        self._ready = time.monotonic() + 2 * link.delay

    def carry_up(self) -> None:
        """Carry what the client sends."""
        self._carry(self._link.up, *self._ends)

    def carry_down(self) -> None:
        """Carry what the server sends."""
        self._carry(self._link.down, *reversed(self._ends))

    def _carry(self, lane: Lane, giver: socket.socket, taker: socket.socket) -> None:
        goes_on = False
        with suppress(OSError):
            self._pass(lane, giver, taker)
            if self._link.half_open:
                taker.shutdown(socket.SHUT_WR)
                goes_on = True
        if not goes_on:
            self._over.set()
        if not self._left.acquire(blocking=False):  # the other direction has ended before
            self._close()

    def _pass(self, lane: Lane, giver: socket.socket, taker: socket.socket) -> None:
        waiting: deque[tuple[float, bytes]] = deque()
        given = False
        while not given or waiting:
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                taker.sendall(waiting.popleft()[1])
            pause = min(_LOOK_UP, max(0.0, waiting[0][0] - now)) if waiting else _LOOK_UP
            if self._is_stopped():
                return
            if given or sum(len(octets) for _, octets in waiting) >= self._link.buffer:
                self._link.ending.wait(pause)
            elif select.select([giver], [], [], pause)[0]:
                octets = giver.recv(_PIECE)
                given = not octets
                left = max(lane.book(len(octets)), self._ready)
                waiting.append((left + self._link.delay, octets))

    def _is_stopped(self) -> bool:
        while self.frozen.is_set() and not self.cut.is_set():
            if self._link.ending.wait(_LOOK_UP):
                break
        return self.cut.is_set() or self._over.is_set() or self._link.ending.is_set()

    def _close(self) -> None:
        for end in self._ends:
            if self.cut.is_set():
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.close()
        self._link.forget(self)
