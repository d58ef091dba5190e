"""A source and somebody of the staff, each with their own tor; what they run is the real programs."""

import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from submit.fetch.address import End
from submit.fetch.errors import BrokenError
from submit.fetch.socks import Identity, connect
from tests.fetch.errand import new_member
from tests.onion.network import Client
from tests.onion.sites import Sites
from tests.onion.tors import OnionError

_ROOT = Path(__file__).parents[2]
_PATIENCE = 90.0  # seconds for a way through Tor
_ENDING = 30.0  # seconds for a program that is no longer wanted
_BLOCK = 1 << 20  # octets


class Program:
    """One of our commands at work; it ends with the `with` block at the latest."""

    def __init__(self, *arguments: object, said: Path, typed: str = "") -> None:
        """Start a module with arguments; what it says is kept in a file."""
        self._said = said
        with said.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONSAFEPATH": "1"},
                start_new_session=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(typed.encode())
        self._process.stdin.close()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(_ENDING)

    def has_ended(self) -> bool:
        """Tell whether it has. Raises OnionError if not well."""
        code = self._process.poll()
        if code:
            raise OnionError(f"it ended with {code}")
        return code is not None

    @contextmanager
    def quoted(self) -> Iterator[None]:
        """Add what it said to what went wrong."""
        try:
            yield
        except OnionError as error:
            raise OnionError(f"{error}; it said: {self.said()[-500:]}") from None

    def said(self) -> str:
        """Give what it has said until now."""
        return self._said.read_text(errors="replace").replace("\r", "\n")


def send(folder: Path, base: str, port: int, *files: Path) -> Program:
    """Be a new source that sends files by `./nightferry send`."""
    to = ("--to", base, "--socks", f"127.0.0.1:{port}", "--new")
    return Program("submit.cli", "send", *to, *files, said=folder / "send said")


def fetch(folder: Path, sites: Sites, port: int) -> Program:
    """Be staff with an empty stick; run `./nightferry fetch`."""
    member = new_member(sites)
    credentials, stick = folder / "credentials.toml", folder / "stick"
    credentials.touch(mode=0o600)
    credentials.write_text(f'name = "{member.name}"\npassphrase = "{member.passphrase}"\n')
    stick.mkdir()
    return Program(
        *("submit.fetch", "--desk", sites.desk, "--to", stick, "--credentials", credentials),
        *("--socks", f"127.0.0.1:{port}"),
        said=folder / "fetch said",
        typed=f"{member.phone.code()}\n{member.phone.code()}\n",
    )


def page(client: Client, onion: str, path: str) -> bytes:
    """Ask for a page through Tor; give the whole answer. Raises BrokenError in words."""
    with connection(client, onion, Identity()) as way:
        way.sendall(question(path, onion))
        return b"".join(iter(lambda: way.recv(_BLOCK), b""))


def question(path: str, onion: str) -> bytes:
    """Ask for a page, once on this connection."""
    return f"GET {path} HTTP/1.1\r\nHost: {onion}\r\nConnection: close\r\n\r\n".encode()


@contextmanager
def connection(client: Client, onion: str, identity: Identity) -> Iterator[socket.socket]:
    """Connect to an onion through a client's tor. Raises BrokenError in words."""
    way = connect(End("127.0.0.1", client.socks_port), End(onion, 80), identity, _PATIENCE)
    with way:
        yield way


def answers(client: Client, onion: str, path: str) -> bool:
    """Tell whether a page comes through Tor, now."""
    try:
        return page(client, onion, path).startswith(b"HTTP/1.1 200 ")
    except (BrokenError, OSError):
        return False


def refusal(client: Client, onion: str) -> str:
    """Give the words with which Tor says no. Raises OnionError if it lets in."""
    try:
        page(client, onion, "/login")
    except BrokenError as broken:
        return str(broken)
    raise OnionError(f"{onion} lets in who has no key")


def write(path: Path, octets: int) -> Path:
    """Write a file of random octets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(octets))
    return path


def digest(content: bytes) -> str:
    """Give the SHA-256."""
    return hashlib.sha256(content).hexdigest()
