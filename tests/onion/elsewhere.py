"""A site whose answers lead to another one, which notes whoever comes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any


class Pointing(Enum):
    """By which answer the site leads elsewhere."""

    LOGIN = "a redirect of the login"
    LOOK = "a redirect of the look at what is unfinished"
    UNFINISHED = "the address of an unfinished upload"
    CREATION = "a redirect of the creation"
    CREATED = "the address of the upload that was created"


class Site(HTTPServer):
    """Answers as a Nightferry would, until it points to `other`; notes what it is asked."""

    def __init__(self, way: Pointing | None = None, other: str = "", name: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.way, self.other, self.name = way, other, name
        self.asked: list[str] = []

    @property
    def end(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.server_port}"


@contextmanager
def running(site: Site) -> Iterator[Site]:
    """Let it answer."""
    thread = Thread(target=site.serve_forever, args=(0.05,))
    with site:
        thread.start()
        try:
            yield site
        finally:
            site.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(f"POST {self.path}")
        if self.path == "/source":
            self._answer(Pointing.LOGIN, 201, {"codename": "words"})
        else:
            created = f"http://{self.server.other}" if self._is(Pointing.CREATED) else ""
            self._answer(Pointing.CREATION, 201, {}, f"{created}/uploads/x")

    def do_GET(self) -> None:
        self.server.asked.append(f"GET {self.path}")
        url = f"@{self.server.other}/x"
        one = {"url": url, "name": self.server.name, "length": 1}
        unfinished = [one] if self._is(Pointing.UNFINISHED) else []
        self._answer(Pointing.LOOK, 200, {"unfinished": unfinished})

    def do_HEAD(self) -> None:
        self.server.asked.append(f"HEAD {self.path}")
        self.send_error(404)

    def do_PATCH(self) -> None:
        self.server.asked.append(f"PATCH {self.path}")
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _is(self, way: Pointing) -> bool:
        return self.server.way is way

    def _answer(
        self, way: Pointing, status: int, facts: dict[str, Any], location: str = ""
    ) -> None:
        content = json.dumps(facts).encode()
        self.send_response(307 if self._is(way) else status)
        if self._is(way) or location:
            there = f"http://{self.server.other}{self.path}"
            self.send_header("Location", there if self._is(way) else location)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
