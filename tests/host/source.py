"""A source at the onion's end: speaks tus over the site's socket, and holds the site to its word."""

import base64
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from tests.host.promise import BrokenPromiseError, expect

_TUS = {"Tus-Resumable": "1.0.0", "Accept": "application/json"}
_PATIENCE = 60.0  # seconds without an octet
_LONGEST_ABSENCE = 180.0  # seconds that the site may be away, restarts and upgrades included
_PACE = 0.25  # seconds between two pieces
_PAUSE = 0.05  # seconds between two attempts at a site that is away


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, place: Path, host: str) -> None:
        super().__init__(host, timeout=_PATIENCE)
        self._place = place

    def connect(self) -> None:
        """See `http.client`."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_PATIENCE)
        self.sock.connect(str(self._place))


@dataclass(frozen=True)
class Answer:
    """An answer that came whole."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Site:
    """A site by its socket, under its onion address."""

    socket: Callable[[], Path]
    host: str
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, route: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Send one request on a connection of its own. Raises OSError, HTTPException: it broke."""
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own = {"Cookie": kept} if kept else {}
        with closing(_UnixConnection(self.socket(), self.host)) as way:
            way.request(method, route, body or None, {**own, **(headers or {})})
            answer = way.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            for set_cookie in answer.headers.get_all("Set-Cookie", []):
                name, _, value = set_cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return Answer(answer.status, named, answer.read())

    def enter(self, codename: str = "") -> str:
        """Become a new source, or come back; give the codename."""
        fields = json.dumps({"codename": codename}).encode() if codename else b""
        headers = {**_TUS, "Content-Type": "application/json"} if codename else _TUS
        answer = self.ask("POST", "/session" if codename else "/source", headers, fields)
        expect(answer.status in {200, 201}, "a source comes in", answer.body.decode())
        return codename or str(json.loads(answer.body)["codename"])

    def create(self, name: str, length: int) -> str:
        """Make an upload; give its route."""
        metadata = f"filename {base64.b64encode(name.encode()).decode()}"
        headers = {**_TUS, "Upload-Length": str(length), "Upload-Metadata": metadata}
        answer = self.ask("POST", "/uploads", headers)
        expect(answer.status == HTTPStatus.CREATED, "an upload is made", answer.body.decode())
        return answer.headers["location"]

    def append(self, route: str, offset: int, octets: bytes) -> Answer:
        """Send one PATCH."""
        kind = "application/offset+octet-stream"
        headers = {**_TUS, "Upload-Offset": str(offset), "Content-Type": kind}
        return self.ask("PATCH", route, headers, octets)

    def offset(self, route: str) -> int:
        """Ask how far an upload is. BrokenPromiseError unless the answer is 200."""
        answer = self.ask("HEAD", route, _TUS)
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise http.client.HTTPException(f"HEAD: {answer.status}")
        expect(answer.status == HTTPStatus.OK, "HEAD gives the offset", f"status {answer.status}")
        return int(answer.headers["upload-offset"])


@dataclass
class Sending:
    """One upload that goes on in the background, piece after piece, until `finish`.

    It never ends by itself before `finish`: the last piece waits, so that whatever is done to the
    site is done during an upload. What was acknowledged may never be taken back.
    """

    site: Site
    route: str
    content: bytes
    piece: int = 1 << 17
    acknowledged: int = 0
    breaks: int = 0
    repeated: int = 0  # octets that had to be sent again
    longest_absence: float = 0.0  # seconds from a break to the next octet that arrived
    _error: list[BaseException] = field(default_factory=list)
    _hurry: threading.Event = field(default_factory=threading.Event)
    _moved: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None

    def start(self) -> "Sending":
        """Begin to send."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def moves(self) -> None:
        """Wait until some octets have arrived that had not when this was called."""
        before = self.acknowledged
        with self._moved:
            moved = self._moved.wait_for(
                lambda: self._error or self.acknowledged > before, _LONGEST_ABSENCE
            )
        self._raise_what_went_wrong()
        expect(bool(moved), "an upload goes on", f"it stays at {before}")

    def finish(self) -> None:
        """Send the rest at once, and wait until all has arrived."""
        self._hurry.set()
        if self._thread is not None:
            self._thread.join(_LONGEST_ABSENCE)
        self._raise_what_went_wrong()
        arrived = self.acknowledged == len(self.content)
        expect(arrived, "the upload arrives whole", f"{self.acknowledged} of {len(self.content)}")

    def _raise_what_went_wrong(self) -> None:
        if self._error:
            raise self._error[0]

    def _run(self) -> None:
        try:
            while self.acknowledged < len(self.content):
                self._hurry.wait(_PACE)
                self._send_piece()
        except BaseException as error:  # noqa: BLE001 # it is raised where it is waited for
            self._error.append(error)
        with self._moved:
            self._moved.notify_all()

    def _send_piece(self) -> None:
        """Send the next piece; the last waits for `finish`."""
        end = self.acknowledged + self.piece
        if end >= len(self.content):
            self._hurry.wait()
        try:
            answer = self.site.append(
                self.route, self.acknowledged, self.content[self.acknowledged : end]
            )
        except (OSError, http.client.HTTPException):
            self._come_back(end)
            return
        if answer.status == HTTPStatus.NO_CONTENT:
            self._advance(int(answer.headers["upload-offset"]))
        elif answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._come_back(end)
        else:
            raise BrokenPromiseError(f"PATCH: {answer.status} {answer.body.decode()}")

    def _come_back(self, sent: int) -> None:
        """Ask how much arrived until the site answers."""
        self.breaks += 1
        gone = time.monotonic()
        while (offset := self._offset_if_there()) is None:
            away = time.monotonic() - gone
            expect(away < _LONGEST_ABSENCE, "the site comes back", f"gone for {away:.0f} s")
            time.sleep(_PAUSE)
        self.longest_absence = max(self.longest_absence, time.monotonic() - gone)
        kept = offset >= self.acknowledged
        expect(kept, "what was acknowledged is kept", f"{self.acknowledged}, then {offset}")
        self.repeated += max(0, sent - offset)
        self._advance(offset)

    def _offset_if_there(self) -> int | None:
        try:
            return self.site.offset(self.route)
        except (OSError, http.client.HTTPException):
            return None

    def _advance(self, offset: int) -> None:
        with self._moved:
            self.acknowledged = offset
            self._moved.notify_all()
