"""One source's whole visit, with every word and octet of it marked."""

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

import requests

from tests.crypto.keys.making import gpg, new_home
from tests.faults.canary import (
    Marked,
    at_rest,
    codename_needles,
    make_marked,
    make_text,
    needles_of,
    process_lists,
)
from tests.live import Live, wait_until

_TUS = {"Tus-Resumable": "1.0.0"}
_PATIENCE = 30
LENGTH = 2_109_497  # octets: a number that is no other
CUTS = (0, 70_001, 1_000_003, LENGTH)


@dataclass
class Story:
    """What was sent to a server, and where it is looked for."""

    live: Live
    since: float
    uploaded: Marked = field(default_factory=lambda: make_marked(LENGTH))
    formed: Marked = field(default_factory=lambda: make_marked(700_001))
    broken: Marked = field(default_factory=lambda: make_marked(LENGTH))
    message: str = field(default_factory=make_text)
    machine_message: str = field(default_factory=make_text)
    agent: str = field(default_factory=make_text)
    header: str = field(default_factory=make_text)
    query: str = field(default_factory=make_text)
    folder: str = field(default_factory=make_text)
    stray: str = field(default_factory=make_text)
    part: str = field(default_factory=make_text)
    reply: str = field(default_factory=make_text)
    # What our page's script sends besides: by these it knows a long file, or a creation, again.
    sample: str = field(default_factory=lambda: token_hex(32))
    creation_key: str = field(default_factory=lambda: token_hex(20))
    session: requests.Session = field(default_factory=requests.Session)
    codename: str = ""
    certificate: bytes = b""

    def tell(self) -> None:
        """Do everything that a source can do."""
        self.session = self.live.new_source()
        self.codename = self.session.codename  # type: ignore[attr-defined] # set by Live
        self.session.headers.update({"User-Agent": self.agent, "X-Word": self.header})
        self._upload()
        self._send_form()
        self._write()
        self._send_a_part()
        self._get_an_answer()
        self._come_back()
        self._go_astray()

    def _upload(self) -> None:
        address = f"/uploads?word={self.query}"
        headers = {
            **_TUS,
            "Upload-Length": str(LENGTH),
            "Upload-Metadata": self._metadata(self.uploaded),
            "Idempotency-Key": self.creation_key,
        }
        answer = self.session.post(self.live.base + address, headers=headers, timeout=_PATIENCE)
        assert answer.status_code == 201
        url = f"{self.live.base}{answer.headers['Location']}?word={self.query}"
        for begin, piece in zip(CUTS, self.pieces(), strict=False):
            digest = base64.b64encode(sha256(piece).digest()).decode()
            headers = {**_TUS, "Upload-Offset": str(begin), "Upload-Checksum": f"sha256 {digest}"}
            headers["Content-Type"] = "application/offset+octet-stream"
            answer = self.session.patch(url, data=piece, headers=headers, timeout=_PATIENCE)
            assert answer.status_code == 204

    def pieces(self) -> list[bytes]:
        """Give the octets of each PATCH of the upload."""
        return [self.uploaded.content[begin:end] for begin, end in pairwise(CUTS)]

    def _metadata(self, marked: Marked) -> str:
        path = f"{self.folder}/{marked.name}"
        words = {"filename": marked.name, "relativePath": path, "sample": self.sample}
        return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in words.items())

    def _send_form(self) -> None:
        files = [("files", (self.formed.name, self.formed.content))]
        self._post("/drop/files", files=files)

    def _send_a_part(self) -> None:
        """Send parts of a large file, of which one is missing, and have all files remembered."""
        self._ask("/drop/sent/remember")
        parts = [(f"{self.part}.{number:03}", b"part") for number in (1, 3)]
        self._post("/drop/files", files=[("files", part) for part in parts])

    def _get_an_answer(self) -> None:
        """Have staff answer with what they have opened, and read it."""
        with TemporaryDirectory() as folder, new_home() as home:
            opened = self.live.open_all(Path(folder))
            certificate = home / "reply-to.asc"
            [introduction] = [each for each in opened if each.name.startswith("reply-to-")]
            self.certificate = introduction.content
            certificate.write_bytes(self.certificate)
            to = ("-e", "--recipient-file", str(certificate))
            message = home / "message.gpg"
            message.write_bytes(gpg(home, *to, given=self.reply.encode()).stdout)
            words = introduction.name.removeprefix("reply-to-").removesuffix(".asc")
            designation = words.replace("-", " ")
            config = ("--config", str(self.live.config))
            self.live.command("reply", *config, designation, str(message))
        shown = self.session.get(f"{self.live.base}/drop", timeout=_PATIENCE).json()
        assert [reply["text"] for reply in shown["replies"]] == [self.reply]
        given_away = self._ask("/drop/messages", text=f"I am {self.codename}")
        assert given_away.status_code == 400

    def _ask(self, address: str, **fields: str) -> requests.Response:
        url = f"{self.live.base}{address}?word={self.query}"
        return self.session.post(url, data=fields, timeout=_PATIENCE)

    def _write(self) -> None:
        self._post("/drop/messages", data={"text": self.message})
        self._post("/drop/messages", json={"text": self.machine_message})

    def _post(self, address: str, **body: object) -> None:
        url = f"{self.live.base}{address}?word={self.query}"
        answer = self.session.post(url, timeout=_PATIENCE, **body)  # type: ignore[arg-type] # one of three
        assert answer.status_code == 201, answer.text

    def _come_back(self) -> None:
        """Return with the codename: once mistyped, once in another order, once right."""
        words = self.codename.split()
        for typed, status in (([*words[:7], "qqqqq"], 403), (words[1:], 403), (words, 200)):
            headers = {"Accept": "application/json", "User-Agent": self.agent}
            fields = {"codename": " ".join(typed)}
            url = f"{self.live.base}/session"
            answer = requests.post(url, data=fields, headers=headers, timeout=_PATIENCE)
            assert answer.status_code == status

    def _go_astray(self) -> None:
        """Send what nobody understands: it is logged most readily."""
        word = self.stray
        for line in (
            f"GET /{word}?{word} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: {word}\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: {word}.example\r\n\r\n",
            f"{word} / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            f"GET / {word}\r\n\r\n",
            f"POST /drop/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n{word} no colon\r\n\r\n",
            f"POST /source HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {word}\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", self.live.port), _PATIENCE) as sock:
                sock.sendall(line.encode())
                assert sock.recv(65536).startswith(b"HTTP/1.1 4")

    @contextmanager
    def half_sent(self) -> Iterator[str]:
        """Hold an upload half-way through a PATCH; give its URL path."""
        metadata = self._metadata(self.broken)
        url = self.live.create(self.session, LENGTH, metadata)
        path = url.removeprefix(self.live.base)
        cookies = "; ".join(f"{name}={value}" for name, value in self.session.cookies.items())
        head = (
            f"PATCH {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTus-Resumable: 1.0.0\r\n"
            f"Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n"
            f"Cookie: {cookies}\r\nContent-Length: {LENGTH}\r\n\r\n"
        )
        sealed = self.live.uploads / f"{path[-26:]}.tar.gpg"
        with socket.create_connection(("127.0.0.1", self.live.port), _PATIENCE) as sock:
            sock.sendall(head.encode() + self.broken.content[: LENGTH // 2])
            wait_until(lambda: sealed.stat().st_size > LENGTH // 2 - (1 << 17))
            yield path

    def marks(self) -> dict[bytes, str]:
        """Give everything that must not be found."""
        texts = {
            name: value.encode()
            for name, value in vars(self).items()
            if isinstance(value, str) and name != "codename"
        }
        contents: dict[str, bytes] = {}
        for what in ("uploaded", "formed", "broken"):
            marked: Marked = getattr(self, what)
            contents |= {f"{what} content": marked.mark, f"{what} name": marked.name.encode()}
            contents[f"{what} name in JSON"] = json.dumps(marked.name).strip('"').encode()
        cookies = {
            f"cookie {cookie.name}": (cookie.value or "").encode()
            for cookie in self.session.cookies
        }
        decoded = {f"decoded {k}": base64.urlsafe_b64decode(v + b"=") for k, v in cookies.items()}
        needles = codename_needles(self.codename)
        for what, secret in {**texts, **contents, **cookies, **decoded}.items():
            needles |= needles_of(what, secret)
        return needles

    def on_disk(self) -> dict[str, bytes]:
        """Read the data folder and the log."""
        return {**at_rest(self.live.data), "the log": self.live.log.read_bytes()}

    def where_it_could_be(self) -> dict[str, bytes]:
        """Read the disk, the server's own temporary folder, and what lists of processes show."""
        temporary = at_rest(self.live.folder / "tmp")
        return {**self.on_disk(), **temporary, **process_lists(self.live.pid)}
