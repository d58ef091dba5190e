"""The worker: gunicorn's threads, with deadlines, and with a stop that keeps what arrived.

Threads, because each slow upload holds one for hours at 80 KiB (docs/performance.md).
Closing is done by the request's own thread: gunicorn's main loop would wait there up to two
seconds for each refused client, and accept nobody meanwhile.
"""

import errno
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.errors import ParseException
from gunicorn.util import close_graceful
from gunicorn.workers import gthread

from submit.serve.answer import QuietResponse, constant_answer
from submit.serve.body import PatientBody
from submit.serve.reader import Crowd, Patience, PatientUnreader

READER = "nightferry.reader"  # where the application finds the reader in its environment

_SEND_TIMEOUT = struct.pack("ll", 120, 0)  # seconds, microseconds
# So that a client which is still sending can read the answer: seconds, octets.
_LINGER, _LAST_LINGER, _LINGER_OCTETS = 5.0, 1.0, 16 << 20
_CROWD = 10  # one thread in so many
_LAST_LOOK = (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK)

# gunicorn takes no response class by configuration.
wsgi.Response = QuietResponse

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Connection(gthread.TConn):  # type: ignore[misc] # gunicorn ships no types
    """A client's connection, read with patience."""

    def __init__(self, worker: "PatientWorker", sock: socket.socket, client: Any, own: Any) -> None:
        """Belong to a worker."""
        super().__init__(worker.cfg, sock, client, own)
        self._worker = worker

    def init(self) -> None:
        """See gunicorn."""
        fresh = not self.initialized
        super().init()
        if fresh:
            self.parser.unreader = PatientUnreader(
                self.sock, self._worker.patience, lambda: not self._worker.alive, self._worker.crowd
            )


class PatientWorker(gthread.ThreadWorker):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn's threaded worker; see the module."""

    patience = Patience(head=60, body=120)
    # Each may last for hours and holds a thread: no more at once than pages can spare.
    reading_out = threading.BoundedSemaphore(16)

    def init_process(self) -> None:
        """See gunicorn."""
        self._thread = threading.local()
        self.crowd = Crowd(max(1, self.cfg.threads // _CROWD))
        super().init_process()

    def load_wsgi(self) -> None:
        """See gunicorn."""
        super().load_wsgi()
        application: WsgiApp = self.app.wsgi()

        def with_reader(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            environ[READER] = self._thread.reader
            self._thread.body = PatientBody(environ["wsgi.input"], self._thread.reader)
            environ["wsgi.input"] = self._thread.body
            return application(environ, start)

        self.wsgi: WsgiApp = with_reader

    def accept(self, listener: socket.socket) -> None:
        """See gunicorn; a client that does not take its answer is dropped, too."""
        try:
            sock, address = listener.accept()
        except OSError as error:
            if error.errno not in _LAST_LOOK:
                raise
            return
        self.nr_conns += 1
        sock.setblocking(True)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
        self.enqueue_req(Connection(self, sock, address, listener.getsockname()))

    def handle(self, conn: Connection) -> Any:
        """See gunicorn. What does not go on is closed here, by its own thread."""
        if conn.initialized:
            conn.parser.unreader.begin_head()
        going_on = super().handle(conn)
        if going_on is False:
            close_graceful(conn.sock, _LINGER if self.alive else _LAST_LINGER, _LINGER_OCTETS)
        return going_on

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """See gunicorn. A body that ended early leaves nothing to go on with."""
        reader = self._thread.reader = conn.parser.unreader
        reader.begin_body()
        try:
            going_on = bool(super().handle_request(req, conn)) and not reader.cut
            if reader.reads_out:
                self._read_out()
        finally:
            reader.begin_drain()
        return going_on

    def _read_out(self) -> None:
        """Let a browser that has its answer, and does not look at it yet, send all it wants to."""
        if self.reading_out.acquire(blocking=False):
            try:
                self._thread.body.skip()
            finally:
                self.reading_out.release()

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:  # noqa: FBT001 # gunicorn's
        return bool(super()._keepalive_after(conn, keepalive)) and not conn.parser.unreader.cut

    def handle_quit(self, sig: int, frame: Any) -> None:
        """See gunicorn, which would drop what is on its way at Ctrl-C. This one stops as for TERM."""
        self.handle_exit(sig, frame)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer in constant words what gunicorn would answer with the client's own."""
        del req, addr
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        if isinstance(exc, ParseException):
            status = HTTPStatus.BAD_REQUEST
            self.log.warning("Invalid request")
        else:
            self.log.exception("fault")  # noqa: LOG004 # gunicorn calls this while it handles it
        try:
            client.sendall(constant_answer(status))
        except OSError:
            return
