"""Sources that do not give up: they send on through kills, and note what was acknowledged."""

import io
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import requests

from tests.live import Live

_TUS = {"Tus-Resumable": "1.0.0"}
_APPEND = {**_TUS, "Content-Type": "application/offset+octet-stream"}
_PATIENCE = 30  # seconds for one answer
_CREATED, _NO_CONTENT, _OK = 201, 204, 200


class SlowBody(io.BytesIO):
    """A body that trickles, so that a kill finds it on its way."""

    def read(self, size: int | None = -1) -> bytes:
        time.sleep(0.0005)
        return super().read(size)


@dataclass
class Upload:
    """One upload as its source knows it."""

    content: bytes
    url: str = ""
    acknowledged: int = 0

    @property
    def is_complete(self) -> bool:
        return bool(self.url) and self.acknowledged == len(self.content)


@dataclass
class TusSource:
    """Sends upload after upload; after any break it asks HEAD how far it is."""

    live: Live
    random: Random
    longest: int
    session: requests.Session = field(init=False)
    uploads: list[Upload] = field(default_factory=list)
    resumed: int = 0

    def __post_init__(self) -> None:
        self.session = self.live.new_source()

    def send_one(self) -> None:
        """Send one upload, however long it takes."""
        upload = Upload(self.random.randbytes(self.random.randint(1, self.longest)))
        self.uploads.append(upload)
        while not upload.is_complete:
            try:
                self._go_on(upload)
            except requests.RequestException:
                self._ask(upload)

    def _go_on(self, upload: Upload) -> None:
        if upload.url:
            self._append(upload)
        else:
            self._create(upload)

    def _create(self, upload: Upload) -> None:
        headers = {**_TUS, "Upload-Length": str(len(upload.content))}
        answer = self.session.post(f"{self.live.base}/uploads", headers=headers, timeout=_PATIENCE)
        assert answer.status_code == _CREATED, answer.text
        upload.url = self.live.base + answer.headers["Location"]

    def _append(self, upload: Upload) -> None:
        begin = upload.acknowledged
        end = min(len(upload.content), begin + self.random.randint(1, 1 << 20))
        headers = {**_APPEND, "Upload-Offset": str(begin)}
        body = SlowBody(upload.content[begin:end])
        answer = self.session.patch(upload.url, data=body, headers=headers, timeout=_PATIENCE)
        assert answer.status_code == _NO_CONTENT, answer.text
        assert answer.headers["Upload-Offset"] == str(end)
        upload.acknowledged = end

    def _ask(self, upload: Upload) -> None:
        """Ask until the server is back: nothing that it had acknowledged may be missing."""
        if not upload.url:
            time.sleep(0.05)
            return
        answer = self._head(upload)
        assert answer.status_code == _OK, answer.status_code
        offset = int(answer.headers["Upload-Offset"])
        assert upload.acknowledged <= offset <= len(upload.content)
        self.resumed += offset < len(upload.content)
        upload.acknowledged = offset

    def _head(self, upload: Upload) -> requests.Response:
        while True:
            with suppress(requests.RequestException):
                return self.session.head(upload.url, headers=_TUS, timeout=_PATIENCE)
            time.sleep(0.05)


@dataclass
class FormSource:
    """Sends plain forms with two files, and messages between them."""

    live: Live
    random: Random
    longest: int
    session: requests.Session = field(init=False)
    sent: set[bytes] = field(default_factory=set)
    acknowledged: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.session = self.live.new_source()

    def send_one(self) -> None:
        """Send a form and a message; what is acknowledged is noted."""
        files = [self.random.randbytes(self.random.randint(1, self.longest)) for _ in range(2)]
        message = self.random.randbytes(20).hex().encode()
        self.sent |= {*files, message}
        self._try(files, lambda: self._post_form(files))
        self._try([message], lambda: self._post_message(message))

    def _try(self, contents: list[bytes], post: Callable[[], requests.Response]) -> None:
        try:
            answer = post()
        except requests.RequestException:
            time.sleep(0.05)
            return
        assert answer.status_code == _CREATED, answer.text
        self.acknowledged |= set(contents)

    def _post_form(self, files: list[bytes]) -> requests.Response:
        parts = [("files", (f"{place}.mp4", content)) for place, content in enumerate(files)]
        form = requests.Request("POST", f"{self.live.base}/drop/files", files=parts)
        prepared = self.session.prepare_request(form)
        assert isinstance(prepared.body, bytes)
        prepared.body = SlowBody(prepared.body)  # type: ignore[assignment] # as requests streams it
        return self.session.send(prepared, timeout=_PATIENCE)

    def _post_message(self, text: bytes) -> requests.Response:
        fields = {"text": text.decode()}
        return self.session.post(f"{self.live.base}/drop/messages", data=fields, timeout=_PATIENCE)


Source = TusSource | FormSource


class Crowd:
    """Several sources that send at once, each in a thread of its own, until told to stop."""

    def __init__(self, sources: list[Source]) -> None:
        self._stop = threading.Event()
        self.failures: list[BaseException] = []
        self._threads = [
            # Nobody waits for them if the test fails before `finish`.
            threading.Thread(target=self._send, args=(one,), daemon=True)
            for one in sources
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Let everybody finish what they have begun; the first failure of any of them is raised."""
        self._stop.set()
        for thread in self._threads:
            thread.join(100)
            assert not thread.is_alive(), "a source never finished"
        if self.failures:
            raise self.failures[0]

    def _send(self, source: Source) -> None:
        try:
            while not self._stop.is_set() and not self.failures:
                source.send_one()
        except BaseException as failure:  # noqa: BLE001 # raised again by `finish`
            self.failures.append(failure)
