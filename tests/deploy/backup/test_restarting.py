"""Restarts under systemd's socket, in the middle of an upload: nobody is turned away, nothing lost."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random

import pytest

from tests.crypto.keys.making import make_ngo, new_home
from tests.live import Live

CONTENT = Random(8).randbytes(6 << 20)
RESTARTS = 1
_ROOT = Path(__file__).parents[3]
_PATIENCE = 30  # seconds
_PIECE = 65536
_TUS = {"Tus-Resumable": "1.0.0"}
# What systemd does between fork and exec: sd_listen_fds(3).
_HAND_OVER = """\
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


class Unit:
    """The two units of a site: a socket that stays, and a service that comes and goes."""

    def __init__(self, live: Live, path: Path) -> None:
        self.live, self.path = live, path
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen(512)
        self._service: subprocess.Popen[bytes] | None = None

    def starts(self) -> None:
        serve = ["-m", "submit.cli", "serve", "source", "--activated", "--config"]
        handing = [sys.executable, "-c", _HAND_OVER, str(self._socket.fileno())]
        with self.live.log.open("ab") as log:
            self._service = subprocess.Popen(
                [*handing, sys.executable, *serve, str(self.live.config)],
                env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONSAFEPATH": "1"},
                pass_fds=[self._socket.fileno()],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stops(self) -> None:
        assert self._service is not None
        self._service.send_signal(signal.SIGTERM)
        assert self._service.wait(_PATIENCE) == 0
        self._service = None

    def ends(self) -> None:
        """Leave no process behind."""
        if self._service is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._service.pid, signal.SIGKILL)
            self._service.wait(_PATIENCE)
        self._socket.close()


class ThroughTor(http.client.HTTPConnection):
    """A connection as tor makes it."""

    def __init__(self, path: Path) -> None:
        super().__init__("127.0.0.1", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        """Connect; nobody may be turned away, so an error here is one of the test's findings."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_PATIENCE)
        self.sock.connect(str(self._path))


@dataclass
class Visitor:
    """A source that goes on after any break."""

    path: Path
    cookie: str = ""
    url: str = ""
    codename: str = ""
    offset: int = 0
    broken: int = 0
    half_way: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)

    def asks(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] = _TUS,
        body: Iterator[bytes] | None = None,
    ) -> http.client.HTTPResponse:
        more = {"Cookie": self.cookie, "Accept": "application/json"}
        with closing(ThroughTor(self.path)) as connection:
            connection.connect()
            connection.request(method, path, body=body, headers={**more, **headers})
            answer = connection.getresponse()
            answer.read()
            return answer

    def begins(self) -> None:
        arrived = self.asks("POST", "/source", {"Content-Length": "0"})
        assert arrived.status == HTTPStatus.CREATED
        self.cookie = str(arrived.headers["Set-Cookie"]).partition(";")[0]
        made = self.asks(
            "POST", "/uploads", {**_TUS, "Upload-Length": str(len(CONTENT)), "Content-Length": "0"}
        )
        assert made.status == HTTPStatus.CREATED
        self.url = str(made.headers["Location"])

    def sends(self) -> None:
        """Send all of it, in a few pieces; after a break ask how far it is."""
        while self.offset < len(CONTENT):
            end = min(len(CONTENT), self.offset + len(CONTENT) // (RESTARTS + 1))
            headers = {
                **_TUS,
                "Upload-Offset": str(self.offset),
                "Content-Type": "application/offset+octet-stream",
                "Content-Length": str(end - self.offset),
            }
            with suppress(http.client.HTTPException, ConnectionError):
                self.asks("PATCH", self.url, headers, self._body(self.offset, end))
            self._asks_how_far()

    def _asks_how_far(self) -> None:
        answer = self.asks("HEAD", self.url)
        assert answer.status == HTTPStatus.OK
        now = int(answer.headers["Upload-Offset"])
        # Half had been read by the server before it was told to end: that half is kept.
        assert now > self.offset
        self.offset = now

    def _body(self, begin: int, end: int) -> Iterator[bytes]:
        for at in range(begin, end, _PIECE):
            if at - begin >= (end - begin) // 2 and self.broken < RESTARTS:
                self.broken += 1
                self.half_way.set()
                assert self.goes_on.wait(_PATIENCE)
                self.goes_on.clear()
            yield CONTENT[at : min(at + _PIECE, end)]


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    with new_home() as home:
        path = home / "http.sock"  # pytest's own folders are too deep for a socket
        ngo = make_ngo(home, tmp_path, "ed25519", "cv25519")
        live = Live(tmp_path, ngo, listen=f"unix:{path}")
        unit = Unit(live, path)
        try:
            yield unit
        finally:
            unit.ends()


def test_restarts_in_the_middle_of_an_upload_lose_nothing_and_turn_nobody_away(
    unit: Unit, tmp_path: Path
) -> None:
    """Every connection is taken, every page comes, every octet that had arrived counts."""
    unit.starts()
    source, reader = Visitor(unit.path), Visitor(unit.path)
    source.begins()
    sending = threading.Thread(target=source.sends, daemon=True)
    sending.start()
    for _ in range(RESTARTS):
        assert source.half_way.wait(_PATIENCE)
        source.half_way.clear()
        unit.stops()
        source.goes_on.set()
        waiting = threading.Thread(target=unit.starts)
        waiting.start()
        # It connects while nobody serves, waits in the socket, and is answered.
        assert reader.asks("GET", "/").status == HTTPStatus.OK
        waiting.join()
    sending.join(_PATIENCE)
    assert (sending.is_alive(), source.offset) == (False, len(CONTENT))
    unit.stops()
    assert CONTENT in {each.content for each in unit.live.open_all(tmp_path / "opened")}
