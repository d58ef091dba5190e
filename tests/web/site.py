"""Who the tests are: a browser without scripts, a program, and what lies on the server's disk."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

BOUNDARY = "----formboundary7f3a"
File = tuple[str, bytes]

# With the first thing that a source sends, the staff get the certificate to answer it with.
INTRODUCTION = 1


@dataclass(frozen=True)
class Site:
    """The site, and its folder."""

    app: Flask
    data: Path

    def at_rest(self) -> dict[str, bytes]:
        """Read every sealed file: what a request must not have changed."""
        return {path.name: path.read_bytes() for path in (self.data / "uploads").iterdir()}

    def sealed(self) -> list[str]:
        """Name the files that are complete."""
        return sorted(name for name in self.at_rest() if name.endswith(".tar.gpg"))


class Page(HTMLParser):
    """What a browser sees of a page: its text, its forms, its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "input", "br", "hr", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All words, with single spaces."""
        return " ".join("".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Give the attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


class Browser:
    """Fills in forms as a person with a browser does: only what the page offers."""

    def __init__(self, site: Site, host: str = "localhost") -> None:
        self.client: FlaskClient = site.app.test_client()
        self.base = f"http://{host}"
        self.codename = ""

    def get(self, address: str, **headers: str) -> TestResponse:
        return self.client.get(address, base_url=self.base, headers=headers)

    def post(self, address: str, fields: Mapping[str, str], **headers: str) -> TestResponse:
        """Send a form as browsers do under `Referrer-Policy: no-referrer`."""
        sent = {"Origin": "null", **headers}
        return self.client.post(address, base_url=self.base, data=fields, headers=sent)

    def token(self, page: str) -> str:
        """Read the token out of a page's last form with one: the first is the way out."""
        found = re.findall(r'name="token" value="([^"]+)"', self.get(page).text)
        assert found, f"{page} has no token"
        return str(found[-1])

    def session(self) -> str:
        """Give the value of the session cookie."""
        cookie = self.client.get_cookie("nightferry")
        return cookie.value if cookie else ""

    def begins(self) -> TestResponse:
        """Get a codename, and type it back."""
        answer = self.asks_for_codename()
        self.types_back(self.codename)
        return answer

    def asks_for_codename(self) -> TestResponse:
        """Get a codename, and stop at the page that shows it."""
        answer = self.post("/source", {"token": self.token("/")})
        self.codename = " ".join(re.findall(r"<li>([a-z-]+)</li>", answer.text))
        return answer

    def types_back(self, codename: str) -> TestResponse:
        """Type a codename into the page after the one that shows it."""
        return self.post("/codename", {"token": self.token("/codename"), "codename": codename})

    def opens(self, address: str, accepted: str = "") -> TestResponse:
        """Open a page as somebody who may see it: a codename is typed back only once."""
        self.asks_for_codename()
        if address != "/codename":
            self.types_back(self.codename)
        return self.get(address, **{"Accept-Language": accepted})

    def enters(self, codename: str) -> TestResponse:
        """Type a codename into the first page."""
        return self.post("/session", {"token": self.token("/"), "codename": codename})

    def leaves(self) -> TestResponse:
        """Press "Leave", and see where that leads."""
        answer = self.post("/session/end", {"token": self.token("/drop")})
        return self.get(answer.headers["Location"])

    def writes(self, text: str) -> TestResponse:
        return self.post("/drop/messages", {"token": self.token("/drop"), "text": text})

    def sends(self, *files: File) -> TestResponse:
        """Choose files and press the button."""
        return self.posts_body(write_form(self.token("/drop"), *files))

    def posts_body(self, body: bytes, *, cut: bool = False) -> TestResponse:
        """Send the octets of a form; `cut` if the connection breaks after them.

        As our server gives it on: what a broken connection leaves out is not there, and no error
        says so.
        """
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return self.client.post(
            "/drop/files",
            base_url=self.base,
            data=body,
            headers={"Origin": "null"},
            content_type=kind,
            environ_overrides={"wsgi.input_terminated": True} if cut else {},
        )

    def posts_slowly(self, *steps: Callable[[], bytes]) -> TestResponse:
        """Send the octets of a form piece by piece; a step without octets only does something."""
        return self.client.post(
            "/drop/files",
            base_url=self.base,
            data=b"without data the client would write a form and a boundary of its own",
            headers={"Origin": "null"},
            content_type=f"multipart/form-data; boundary={BOUNDARY}",
            environ_overrides={"wsgi.input": Slow(steps), "wsgi.input_terminated": True},
        )

    def counts(self) -> tuple[int, int]:
        """Read files and messages off the page."""
        text = Page(self.get("/drop").text).text
        found = re.search(r"(\d+) files? (\d+) messages?", text)
        return (int(found[1]), int(found[2])) if found else (0, 0)


class Slow:
    """A body that takes its time."""

    def __init__(self, steps: Iterable[Callable[[], bytes]]) -> None:
        self._steps = iter(steps)

    def read(self, _octets: int = -1) -> bytes:
        return next((octets for step in self._steps if (octets := step())), b"")


class Machine:
    """A program: no page, no token, JSON both ways."""

    def __init__(self, site: Site) -> None:
        self.client: FlaskClient = site.app.test_client()

    def get(self, address: str) -> TestResponse:
        return self.client.get(address, headers={"Accept": "application/json"})

    def post(self, address: str, fields: Mapping[str, object], **headers: str) -> TestResponse:
        sent = {"Accept": "application/json", **headers}
        return self.client.post(address, json=fields, headers=sent)

    def sends(self, *files: File) -> TestResponse:
        return self.client.post(
            "/drop/files",
            data=write_form(None, *files),
            headers={"Accept": "application/json"},
            content_type=f"multipart/form-data; boundary={BOUNDARY}",
        )


def write_form(token: str | None, *files: File) -> bytes:
    """Write the form of the drop page, as browsers write it."""
    parts = [] if token is None else [_part('name="token"', token.encode())]
    parts += [
        _part(f'name="files"; filename="{_escape(name)}"', content) for name, content in files
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _part(disposition: str, content: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def _escape(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
