"""What the story is told with can fail: it notices a site that breaks its word, and never hangs."""

import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from submit.fetch.address import End
from submit.fetch.errors import BrokenError
from submit.fetch.socks import Identity, connect
from tests.host.onions import Onions
from tests.host.package import later_version
from tests.host.promise import BrokenPromiseError
from tests.host.source import Sending, Site
from tests.host.terminal import converse

ONION = "a" * 56 + ".onion"


class Forgetful(socketserver.ThreadingUnixStreamServer):
    """Takes one piece, ends the next connection unanswered, and then has `left` octets."""

    daemon_threads = True
    left = 0
    patches = 0


class OneRequest(socketserver.StreamRequestHandler):
    server: Forgetful

    def handle(self) -> None:
        method = self.rfile.readline().split()[0]
        length = 0
        while line := self.rfile.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.rfile.read(length)
        self.server.patches += method == b"PATCH"
        if method == b"HEAD":
            self._answer(200, self.server.left)
        elif self.server.patches != 2:
            self._answer(204, length if self.server.patches == 1 else 30)

    def _answer(self, status: int, offset: int) -> None:
        head = f"HTTP/1.1 {status} X\r\nUpload-Offset: {offset}\r\nContent-Length: 0\r\n\r\n"
        self.wfile.write(head.encode())


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[Forgetful]:
    with Forgetful(str(tmp_path / "s"), OneRequest) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def send(server: Forgetful) -> Sending:
    place = Path(str(server.server_address))
    return Sending(Site(lambda: place, ONION), "/uploads/x", bytes(30), piece=10).start()


def test_octets_that_were_taken_back_are_noticed(forgetful: Forgetful) -> None:
    """A site that acknowledged ten octets and has nine after a break has broken its word."""
    forgetful.left = 9
    with pytest.raises(BrokenPromiseError, match="acknowledged is kept"):
        send(forgetful).finish()


def test_a_break_that_costs_nothing_is_none_of_ours(forgetful: Forgetful) -> None:
    """A site that has what it acknowledged is believed, and what was sent twice is counted."""
    forgetful.left = 10
    sending = send(forgetful)
    sending.finish()
    assert (sending.acknowledged, sending.breaks, sending.repeated) == (30, 1, 10)


def test_a_name_leads_to_its_socket_and_no_other_does(forgetful: Forgetful) -> None:
    """The proxy reaches what it was given, and says of every other name what tor would say."""
    place = Path(str(forgetful.server_address))
    with Onions({ONION: lambda: place}) as onions:
        proxy = End("127.0.0.1", onions.port)
        with connect(proxy, End(ONION, 80), Identity(), 10) as way:
            way.sendall(b"HEAD / HTTP/1.1\r\n\r\n")
            assert way.recv(12) == b"HTTP/1.1 200"
        with pytest.raises(BrokenError):
            connect(proxy, End("b" * 56 + ".onion", 80), Identity(), 10)


def test_a_person_answers_what_is_asked() -> None:
    """Typed answers reach a program that asks on its terminal, passphrases too."""
    script = "read -p 'name? ' n; read -s -p 'pass? ' p </dev/tty; echo; echo $n ${#p}; exit 3"
    said = converse(["bash", "-c", script], [("name", "ann"), ("pass", "secret")])
    assert said.code == 3
    assert said.text.splitlines()[-1] == "ann 6"


def test_a_question_that_is_not_asked_is_missed() -> None:
    """A program that ends without asking has not asked: the story says so."""
    with pytest.raises(BrokenPromiseError, match="it asks"):
        converse(["true"], [("name", "ann")])


def test_a_later_version_is_whole(tmp_path: Path) -> None:
    """What a version changed is in the package, and in the sums that dpkg compares with."""
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "file").write_text("old\n")
    control = "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: X <x@x>\nDescription: x\n"
    (tree / "DEBIAN" / "control").write_text(control)
    first = tmp_path / "x.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", tree, first], check=True, capture_output=True
    )
    later = later_version(first, "2", tmp_path, lambda root: _write(root / "file"))
    out = tmp_path / "out"
    subprocess.run(["dpkg-deb", "--raw-extract", later, out], check=True)
    assert (out / "file").read_text() == "new\n"
    assert "Version: 2\n" in (out / "DEBIAN" / "control").read_text()
    assert (out / "DEBIAN" / "md5sums").read_text() == "9cd599a3523898e6a12e13ec787da50a  file\n"


def _write(file: Path) -> None:
    file.write_text("new\n")
