"""Other people's tus clients, each in a process of its own, told what to do in one way."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self

import requests

_HERE = Path(__file__).parent
_PATIENCE = 100  # seconds for everything that one client does
COMMANDS = {
    "tuspy": [sys.executable, str(_HERE / "tus_python.py")],
    "tus-js-client": ["node", str(_HERE / "tus_js.mjs")],
}


@dataclass(frozen=True, slots=True)
class Order:
    """One file to be sent under a name. Durations in milliseconds."""

    endpoint: str
    cookie: str
    path: str
    name: str
    # An upload that is begun already.
    url: str | None = None
    # Octets in one PATCH.
    chunk: int = 1 << 20
    # Between attempts; tus-js-client begins with the first again once it has got further.
    delays: tuple[int, ...] = (100,) * 30
    # So long without progress until it gives its connection up.
    stall: int = 30_000
    # Whether the first octets come with the creation; tuspy cannot do that.
    together: bool = False


def cookie_of(source: requests.Session) -> str:
    """Give the Cookie header of a source that is logged in."""
    return "; ".join(f"{name}={value}" for name, value in source.cookies.items())


class Client:
    """A client at work on some orders at once. It ends with the `with` block at the latest."""

    def __init__(self, name: str, orders: Sequence[Order]) -> None:
        """Start one of COMMANDS."""
        with TemporaryFile("w+") as written:
            json.dump([asdict(order) for order in orders], written)
            written.seek(0)
            self._process = subprocess.Popen(
                COMMANDS[name],
                stdin=written,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "NO_PROXY": "*"},
            )

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        self._process.kill()
        self._process.communicate()

    def outcomes(self) -> list[dict[str, str]]:
        """Wait until it ends; give `url` or `error` for each order."""
        output, errors = self._process.communicate(timeout=_PATIENCE)
        assert self._process.returncode == 0, errors
        outcomes: list[dict[str, str]] = json.loads(output)
        return outcomes

    def urls(self) -> list[str]:
        """Wait until everything is sent; give where to."""
        outcomes = self.outcomes()
        assert all("url" in outcome for outcome in outcomes), outcomes
        return [outcome["url"] for outcome in outcomes]
