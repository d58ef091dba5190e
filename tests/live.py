"""The real thing for tests: gunicorn with the production settings, killed and started at will."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.crypto.keys.making import Ngo, make_ngo, new_home

_ROOT = Path(__file__).parent.parent
_TUS = {"Tus-Resumable": "1.0.0"}
_PATIENCE = 30  # seconds for a start or an end, on a busy machine


@dataclass(frozen=True)
class Opened:
    """What `gpg -d FILE | tar x` gave of one sealed file."""

    name: str
    content: bytes


class Live:
    """A server on loopback, with its own data folder and recipient."""

    def __init__(self, folder: Path, ngo: Ngo, **settings: object) -> None:
        """Set it up; `start` starts it. `settings` override the shipped ones."""
        self.folder, self.ngo = folder, ngo
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.data = folder / "site"
        self.uploads = self.data / "uploads"
        self.config = folder / "nightferry.toml"
        self.log = folder / "log"
        self.desk_port = free_port()
        self.desk = f"http://127.0.0.1:{self.desk_port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._desk_process: subprocess.Popen[bytes] | None = None
        self._write_settings(settings)
        self.command("migrate", "--config", str(self.config))

    def command(self, *arguments: str) -> str:
        """Run one of the program's commands; give what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "submit.cli", *arguments],
            env=self._environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=_PATIENCE,
        )
        return done.stdout

    def restart_with(self, **settings: object) -> None:
        """Start it again with other settings than those it shipped with."""
        self.stop()
        self._write_settings(settings)
        self.start()

    def start(self, *wrapper: str) -> "Live":
        """Start the server and wait until it answers; `wrapper` is put before the command."""
        self._process = self._serve("source", *wrapper)
        wait_until(self.answers, self._process)
        return self

    def start_desk(self) -> "Live":
        """Start the staff's site and wait until it answers."""
        self._desk_process = self._serve("desk")
        wait_until(lambda: _answers(f"{self.desk}/login"), self._desk_process)
        return self

    def kill_desk(self) -> None:
        """Kill the staff's site at one stroke."""
        if self._desk_process is not None:
            os.killpg(self._desk_process.pid, signal.SIGKILL)
            self._desk_process.wait(_PATIENCE)
            self._desk_process = None

    def answers(self) -> bool:
        """Tell whether the first page comes."""
        return _answers(self.base)

    def _serve(self, site: str, *wrapper: str) -> subprocess.Popen[bytes]:
        serve = [sys.executable, "-m", "submit.cli", "serve", site, "--config"]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*wrapper, *serve, str(self.config)],
                env=self._environment(),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The master's process id."""
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process.pid

    def workers(self) -> list[int]:
        """The workers' process ids."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def stop(self) -> None:
        """Ask the server to end, and wait until it has."""
        os.kill(self.pid, signal.SIGTERM)
        self._wait()

    def interrupt(self) -> None:
        """Press Ctrl-C: the terminal tells every process of the group."""
        os.killpg(self.pid, signal.SIGINT)
        self._wait()

    def kill(self) -> None:
        """Kill master and workers at one stroke, as the machine's failure would."""
        os.killpg(self.pid, signal.SIGKILL)
        self._wait()

    def _wait(self) -> None:
        if self._process is not None:
            self._process.wait(_PATIENCE)
            self._process = None

    def end(self) -> None:
        """Leave no process behind."""
        self.kill_desk()
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def new_source(self) -> requests.Session:
        """Log a new source in; its codename is in the session's attribute `codename`."""
        session = requests.Session()
        session.headers["Accept"] = "application/json"
        answer = session.post(f"{self.base}/source", timeout=_PATIENCE)
        assert answer.status_code == requests.codes.created, answer.text
        session.codename = answer.json()["codename"]  # type: ignore[attr-defined] # for the test
        return session

    def create(self, source: requests.Session, length: int, metadata: str = "") -> str:
        """Make an upload; give its URL."""
        headers = {**_TUS, "Upload-Length": str(length), "Upload-Metadata": metadata}
        answer = source.post(f"{self.base}/uploads", headers=headers, timeout=_PATIENCE)
        assert answer.status_code == requests.codes.created, answer.text
        return self.base + answer.headers["Location"]

    def append(
        self, source: requests.Session, url: str, offset: int, octets: bytes
    ) -> requests.Response:
        """Send one PATCH."""
        headers = {
            **_TUS,
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        return source.patch(url, data=octets, headers=headers, timeout=_PATIENCE)

    def offset(self, source: requests.Session, url: str) -> int:
        """Ask how far an upload is."""
        answer = source.head(url, headers=_TUS, timeout=_PATIENCE)
        assert answer.status_code == requests.codes.ok, answer.status_code
        return int(answer.headers["Upload-Offset"])

    def sealed(self, url: str) -> Path:
        """Give the sealed file of an upload."""
        return self.uploads / f"{url.rpartition('/')[2]}.tar.gpg"

    def open_all(self, into: Path) -> list[Opened]:
        """Open everything that arrived with stock gpg and tar."""
        return [self.open(path, into) for path in sorted(self.uploads.glob("*.tar.gpg"))]

    def open(self, sealed: Path, into: Path) -> Opened:
        """Open one sealed file with stock gpg and tar."""
        folder = into / sealed.name
        folder.mkdir(parents=True)
        with subprocess.Popen(
            ["gpg", "--quiet", "--homedir", str(self.ngo.home), "-d", str(sealed)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as gpg:
            subprocess.run(["tar", "x", "-C", str(folder)], stdin=gpg.stdout, check=True)
        assert gpg.returncode == 0
        [file] = [path for path in folder.rglob("*") if path.is_file()]
        content = file.read_bytes()
        name = str(file.relative_to(folder))
        shutil.rmtree(folder)
        return Opened(name, content)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONSAFEPATH": "1"}

    def _write_settings(self, overrides: dict[str, object]) -> None:
        settings: dict[str, object] = {
            "data": str(self.data),
            "database": f"sqlite:///{self.data}/nightferry.db",
            "recipients": [str(self.ngo.certificate)],
            "hosts": ["127.0.0.1", "localhost"],
            "listen": f"127.0.0.1:{self.port}",
            "desk_listen": f"127.0.0.1:{self.desk_port}",
            "desk_hosts": ["127.0.0.1", "localhost"],
            "disk_reserve": 64 << 20,
            **overrides,
        }
        lines = [f"{key} = {_toml(value)}\n" for key, value in settings.items()]
        self.config.write_text("".join(lines))


@contextmanager
def running(folder: Path, **settings: object) -> Iterator[Live]:
    """Give a running server with a recipient of its own; end everything afterwards."""
    with new_home() as home:
        live = Live(folder, make_ngo(home, folder, "ed25519", "cv25519"), **settings)
        try:
            yield live.start()
        finally:
            live.end()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A running server for all tests of a module."""
    with running(tmp_path_factory.mktemp("live")) as live:
        yield live


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except requests.RequestException:
        return False


def free_port() -> int:
    """Give a port on loopback that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait, within patience, until something holds; AssertionError if it never does."""
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert process is None or process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
