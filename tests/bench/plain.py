"""What uploads cost when nothing is sealed: the same gunicorn, a body discarded or written.

python -m tests.bench.plain discard|write PORT FOLDER
"""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from submit.serve.log import QuietLogger
from submit.serve.worker import PatientWorker

_READ = 1 << 19  # as ours
Start = Callable[[str, list[tuple[str, str]]], object]


class Plain(BaseApplication):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn with our worker around a few lines."""

    def __init__(self, kind: str, port: int, folder: Path) -> None:
        self._kind, self._port, self._folder = kind, port, folder
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": [f"127.0.0.1:{self._port}"],
            "worker_class": PatientWorker,
            "workers": 2,
            "threads": 400,
            "worker_connections": 1000,
            "keepalive": 30,
            "loglevel": "warning",
            "control_socket_disable": True,
            "logger_class": QuietLogger,
        }
        for key, value in options.items():
            self.cfg.set(key, value)

    def load(self) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
        return self._answer

    def _answer(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            start("201 Created", [("Location", "/uploads/x"), ("Content-Length", "0")])
            return []
        octets = int(environ["CONTENT_LENGTH"])
        if self._kind == "write":
            self._write(environ["wsgi.input"], octets)
        else:
            while octets:
                octets -= len(environ["wsgi.input"].read_some(_READ))
        start("204 No Content", [])
        return []

    def _write(self, body: Any, octets: int) -> None:
        with (self._folder / "plain").open("wb", buffering=0) as file:
            while octets:
                content = body.read_some(_READ)
                octets -= len(content)
                file.write(content)
            os.fsync(file.fileno())


if __name__ == "__main__":
    Plain(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])).run()
