"""A connection that breaks to order: stands between a client and the server, and knows HTTP.

The schedule is data: a list of faults, each waiting for one request. So that what a broken
connection costs can be counted, every octet that left the client is.
"""

import fcntl
import select
import socket
import struct
import termios
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from tests.wire import Messages, Piece, body_of_answer, body_of_request, method_of, status_of

IN_HEAD = -1  # `after`: strike in the middle of the request's head

_LOOK_UP = 100  # milliseconds between two looks at whether the proxy ends
_READ = 1 << 16
_WINDOW = 1 << 16  # octets that a client can be ahead of what was passed on, roughly
_PATIENCE = 60  # seconds that any connection may stay silent
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR
_RESET = struct.pack("ii", 1, 0)  # linger on, for no time: close() sends RST


class Kind(StrEnum):
    """What happens to a connection."""

    CUT = "cut"  # both ends get RST
    END = "end"  # both ends get FIN
    GHOST = "ghost"  # the client gets RST, the server hears nothing: half-open
    STALL = "stall"  # nothing passes; the server never hears, not even when the client goes
    HOLD = "hold"  # the request passes, its answer never comes; the client's end is passed on
    LOSE = "lose"  # the request passes; when the whole answer came, it is dropped and both cut
    SLOW = "slow"  # the rest of the request passes at `amount` octets a second
    DELAY = "delay"  # the rest of the request waits `amount` seconds


@dataclass(frozen=True, slots=True)
class Fault:
    """Strikes the first request of its method after `skip` others, when its turn has come.

    `after`: so many octets of the body pass first (or all, if it is shorter), or IN_HEAD.
    """

    kind: Kind
    method: str = "PATCH"
    skip: int = 0
    after: int = 0
    amount: float = 0


class Proxy:
    """Listens on a port of its own until it is closed."""

    def __init__(self, port: int, faults: Sequence[Fault] = ()) -> None:
        """Pass on to `port` on loopback. The faults come in order, each for one request."""
        self._upstream = port
        self._faults = list(faults)
        self._skipped = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._ghosts: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        # A client's kernel would swallow megabytes at once; a circuit takes some cells.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW)
        self.port: int = self._listener.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.closing = threading.Event()
        self.answers: list[tuple[str, int]] = []  # method and status, also of answers not passed on
        self.octets = 0  # that clients have sent, heads included
        self.struck = threading.Event()  # set once the last fault has struck
        self.released = threading.Event()

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._start(self._listen)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every connection and every thread."""
        self.closing.set()
        self.release()
        for thread in self._threads:
            thread.join(_PATIENCE)
        for ghost in self._ghosts:
            ghost.close()

    def statuses(self, method: str) -> list[int]:
        """Give the statuses of all answers to requests of a method."""
        return [status for asked, status in self.answers if asked == method]

    def release(self) -> None:
        """Cut what is stalled or held now or later; for a stall, the server still hears nothing."""
        self.released.set()

    @property
    def faults_left(self) -> list[Fault]:
        """The faults that no request has met yet."""
        return list(self._faults)

    def take(self, method: str) -> Fault | None:
        """Give the fault whose turn it is, if it waits for this request."""
        with self._lock:
            if not self._faults or self._faults[0].method != method:
                return None
            if self._skipped < self._faults[0].skip:
                self._skipped += 1
                return None
            self._skipped = 0
            return self._faults.pop(0)

    def count(self, octets: int) -> None:
        """Count octets that left a client."""
        with self._lock:
            self.octets += octets

    def keep(self, server: socket.socket) -> None:
        """Keep a connection to the server open for as long as the proxy lives."""
        with self._lock:
            self._ghosts.append(server)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        with self._listener:
            while not self.closing.is_set():
                if select.select([self._listener], [], [], _LOOK_UP / 1000)[0]:
                    self._start(self._serve, self._listener.accept()[0])

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._upstream), _PATIENCE)
        except OSError:
            _reset(client)  # nobody there: as a circuit to a service that is down
            return
        _Connection(self, client, server).run()


class _BrokenError(Exception):
    """The connection is over; `reset`: by RST. `ghost`: the server is not told."""

    def __init__(self, *, reset: bool, ghost: bool = False) -> None:
        super().__init__()
        self.reset, self.ghost = reset, ghost


class _Connection:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._requests, self._answers = Messages(body_of_request), Messages(self._answer_body)
        self._asked: list[str] = []  # methods of requests without an answer yet
        self._fault: Fault | None = None  # has met its request, and waits for its octet
        self._room = 0  # octets until then
        self._withheld: Kind | None = None
        self._rate = 0.0

    def run(self) -> None:
        for end in (self._client, self._server):
            end.settimeout(_PATIENCE)
        try:
            self._carry()
        except _BrokenError as broken:
            self._close(broken)
        except OSError:
            self._close(_BrokenError(reset=True))
        else:
            self._close(_BrokenError(reset=False))

    def _carry(self) -> None:
        while True:
            ready = self._await_octets()
            if self._server in ready:
                octets = self._server.recv(_READ)
                self._pass_back(octets)
                if not octets:
                    return self._let_client_read()
            if self._client in ready:
                octets = self._client.recv(_READ)
                self._proxy.count(len(octets))
                self._pass_on(octets)
                if not octets:
                    return None

    def _await_octets(self) -> list[socket.socket]:
        deadline = time.monotonic() + _PATIENCE
        while True:
            ready = select.select([self._client, self._server], [], [], _LOOK_UP / 1000)[0]
            if ready:
                return ready
            if self._proxy.closing.is_set() or time.monotonic() > deadline:
                raise _BrokenError(reset=True)

    # --- from the client to the server ---

    def _pass_on(self, octets: bytes) -> None:
        for piece in self._requests.split(octets):
            if piece.is_head:
                self._begin(piece)
            self._until_fault(piece)

    def _begin(self, head: Piece) -> None:
        method = method_of(head.octets)
        self._asked.append(method)
        self._rate = 0
        self._fault = self._proxy.take(method)
        if self._fault is not None:
            in_head = self._fault.after == IN_HEAD
            self._room = len(head.octets) // 2 if in_head else len(head.octets) + self._fault.after

    def _until_fault(self, piece: Piece) -> None:
        octets = piece.octets
        if self._fault is not None and (len(octets) >= self._room or piece.ends):
            self._send(octets[: self._room])
            octets = octets[self._room :]
            self._strike(self._fault)
        self._room -= len(octets)
        self._send(octets)

    def _send(self, octets: bytes) -> None:
        if self._rate:
            self._proxy.closing.wait(len(octets) / self._rate)
        self._server.sendall(octets)

    def _strike(self, fault: Fault) -> None:
        self._fault = None
        if not self._proxy.faults_left:
            self._proxy.struck.set()
        match fault.kind:
            case Kind.CUT | Kind.END:
                raise _BrokenError(reset=fault.kind is Kind.CUT)
            case Kind.GHOST:
                raise _BrokenError(reset=True, ghost=True)
            case Kind.STALL:
                self._await_clients_end()
                raise _BrokenError(reset=True, ghost=True)
            case Kind.HOLD | Kind.LOSE:
                self._withheld = fault.kind
            case Kind.SLOW:
                self._rate = fault.amount
            case Kind.DELAY:
                self._proxy.closing.wait(fault.amount)

    # --- from the server to the client ---

    def _pass_back(self, octets: bytes) -> None:
        for piece in self._answers.split(octets):
            if piece.is_head:
                self._proxy.answers.append((self._asked.pop(0), status_of(piece.octets)))
            if self._withheld is Kind.HOLD:
                self._await_clients_end()
                raise _BrokenError(reset=False)
            if self._withheld is None:
                self._client.sendall(piece.octets)
            elif piece.ends:
                raise _BrokenError(reset=True)

    def _answer_body(self, head: bytes) -> int:
        return body_of_answer(head, self._asked[0])

    # --- the ends ---

    def _let_client_read(self) -> None:
        """Tell the client that the server has ended; RST now would take the answer away again."""
        self._client.shutdown(socket.SHUT_WR)
        while octets := self._client.recv(_READ):
            self._proxy.count(len(octets))

    def _close(self, broken: _BrokenError) -> None:
        self._count_unread()
        close = _reset if broken.reset else socket.socket.close
        close(self._client)
        if broken.ghost:
            self._proxy.keep(self._server)
        else:
            close(self._server)

    def _await_clients_end(self) -> None:
        poll = select.poll()
        poll.register(self._client, _GONE)
        deadline = time.monotonic() + _PATIENCE
        while not poll.poll(_LOOK_UP):
            if self._proxy.released.is_set() or time.monotonic() > deadline:
                return

    def _count_unread(self) -> None:
        """Count what the client had sent and nobody will read."""
        unread = struct.pack("i", 0)
        [octets] = struct.unpack("i", fcntl.ioctl(self._client, termios.FIONREAD, unread))
        self._proxy.count(octets)


def _reset(end: socket.socket) -> None:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    end.close()
