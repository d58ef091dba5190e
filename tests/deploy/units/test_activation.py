"""The service takes the socket that systemd hands over, or does not start."""

import http.client
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crypto.keys.making import make_ngo, new_home
from tests.deploy.units.handing import Manager, listening, look
from tests.live import Live

_PATIENCE = 60


@dataclass
class Host:
    """A host with settings, a socket and a manager."""

    live: Live
    manager: Manager
    path: Path

    def refuses(self, handed: socket.socket, *words: str, count: str = "1", pid: str = "") -> str:
        """Start it; give what it says before it ends with status 1, having told nobody READY."""
        process = self.manager.start(handed, *words, count=count, pid=pid)
        _, said = process.communicate(timeout=_PATIENCE)
        assert process.returncode == 1, said.decode()
        assert self.manager.has_heard_nothing()
        return said.decode()


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """Give a host, in a short path: sockets lie in it."""
    with new_home() as home, tempfile.TemporaryDirectory(prefix="nf-") as name:
        folder = Path(name)
        path = folder / "http.sock"
        ngo = make_ngo(home, folder, "ed25519", "cv25519")
        live = Live(folder, ngo, listen=f"unix:{path}", workers=1)
        manager = Manager(folder, live.config)
        with manager.told:
            yield Host(live, manager, path)


@pytest.fixture
def made(host: Host) -> Iterator[socket.socket]:
    """Give the socket that the settings name."""
    host.path.unlink(missing_ok=True)
    with listening(host.path) as handed:
        yield handed


def ask(path: Path) -> http.client.HTTPConnection:
    """Connect, and ask for the first page; the answer may come much later."""
    client = http.client.HTTPConnection("localhost", timeout=_PATIENCE)
    client.sock = socket.socket(socket.AF_UNIX)
    client.sock.settimeout(_PATIENCE)
    client.sock.connect(str(path))
    client.request("GET", "/")
    return client


def status_of(client: http.client.HTTPConnection) -> int:
    """Wait for the answer."""
    with closing(client), client.getresponse() as answer:
        answer.read()
        return answer.status


def no_core_and_nothing_for_others(pid: int) -> bool:
    """Look at a running service: its limit on core files is 0, and its umask is its folder's."""
    limits = Path(f"/proc/{pid}/limits").read_text()
    [core] = [line.split() for line in limits.splitlines() if "core file" in line]
    return core[4:6] == ["0", "0"] and "Umask:\t0077" in Path(f"/proc/{pid}/status").read_text()


@contextmanager
def serving(host: Host, made: socket.socket) -> Iterator[int]:
    """Have the site run, from READY=1 to `systemctl stop`; give its process."""
    process = host.manager.start(made)
    try:
        assert "READY=1" in host.manager.hears()
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=_PATIENCE)


def test_whoever_comes_while_it_restarts_is_answered(host: Host, made: socket.socket) -> None:
    """The socket outlives the service: a visitor between two runs waits, and gets the page."""
    with serving(host, made) as pid:
        assert status_of(ask(host.path)) == http.HTTPStatus.OK
        assert no_core_and_nothing_for_others(pid)
    between = ask(host.path)
    with serving(host, made):
        assert status_of(between) == http.HTTPStatus.OK
    assert host.path.is_socket()


def test_a_socket_that_was_promised_and_is_not_there(host: Host, made: socket.socket) -> None:
    """FIELD: gunicorn would listen somewhere else in silence."""
    assert "handed over 0 sockets; expected one" in host.refuses(made, count="0")


@pytest.mark.parametrize(
    ("count", "pid", "words"),
    [("1", "", ""), ("2", "", "handed over 2 sockets"), ("1", "1", "handed over 0 sockets")],
    ids=["one", "two", "one, for another process"],
)
def test_exactly_one_socket_is_taken(
    host: Host, made: socket.socket, count: str, pid: str, words: str
) -> None:
    """PrivatePIDs= makes the third: the number of the process is another inside than outside."""
    said = look(made, f"unix:{host.path}", count, pid)
    assert words in said
    assert bool(words) == bool(said)


def test_a_socket_of_another_path_is_refused(host: Host, made: socket.socket) -> None:
    """The desk's socket must never get the source's site, nor the other way round."""
    with listening(host.live.folder / "desk.sock") as wrong:
        said = host.refuses(wrong)
    assert f"{host.live.folder}/desk.sock" in said
    assert f"the settings say unix:{host.path}" in said


def test_a_handed_socket_is_looked_at_without_the_word_too(host: Host, made: socket.socket) -> None:
    """A unit of somebody's own, without --activated, gets no wrong socket either."""
    with listening(host.live.folder / "own.sock") as wrong:
        assert "the settings say" in host.refuses(wrong, "--config", str(host.live.config))


def test_a_socket_that_does_not_listen_is_refused(host: Host) -> None:
    """A connection, as of a socket unit with Accept=yes, is none to serve on."""
    one, other = socket.socketpair()
    with one, other:
        assert "a socket that does not listen" in look(one, f"unix:{host.path}", "1")


def test_ready_is_not_said_before_the_certificates_were_looked_at(
    host: Host, made: socket.socket
) -> None:
    """A unit that is `active` can seal: a recipient's file that will not do ends the start."""
    certificate = host.live.ngo.certificate
    kept = certificate.read_bytes()
    certificate.write_bytes(b"no certificate")
    try:
        assert "nightferry: " in host.refuses(made)
    finally:
        certificate.write_bytes(kept)
