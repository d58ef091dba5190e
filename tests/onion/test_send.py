"""`./nightferry send` to an onion: through Tor alone, on new circuits after each break."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from submit.cli.__main__ import main
from tests.fetch.circuit import Circuit
from tests.live import Live, free_port, running
from tests.onion import elsewhere
from tests.onion.elsewhere import Pointing

# The Tor Project's own onion address: its checksum is somebody else's work.
ONION = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that is named as the onion, too."""
    with running(tmp_path_factory.mktemp("onion"), hosts=["127.0.0.1", ONION]) as live:
        yield live


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A file of several pieces."""
    path = tmp_path / "видео.mp4"
    path.write_bytes(os.urandom((7 << 20) + 1))
    return path


def send_here(to: str, path: Path, *more: str) -> int:
    """Run it in this process: for what ends before anything is sent."""
    return main(["send", "--to", to, "--new", *more, str(path)])


def send(to: str, path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run it as a new source."""
    return subprocess.run(
        [sys.executable, "-m", "submit.cli", "send", "--to", to, "--new", *more, str(path)],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONSAFEPATH": "1",
            "http_proxy": "http://x",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_a_file_arrives_through_breaking_circuits(site: Live, clip: Path, tmp_path: Path) -> None:
    """Tor alone gets the name; each break is followed by a connection with a name of its own."""
    # Octets of answers: the first breaks among the pieces, the second when it asks how far it is.
    with Circuit(site.port, [2600, 100], socks=True) as tor:
        done = send(f"http://{ONION}", clip, "--socks", f"127.0.0.1:{tor.port}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert (tor.cuts_left, tor.broken) == (0, 2)
        assert set(tor.names) == {(ONION.encode(), 80)}
        assert len(set(tor.identities)) == tor.connections == 3
    opened = {one.name: one.content for one in site.open_all(tmp_path / "opened")}
    assert opened["видео.mp4"] == clip.read_bytes()


def test_without_tor_it_says_what_to_do(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing goes past Tor; the words name the port of Tor Browser's."""
    assert send_here(f"http://{ONION}", clip, "--socks", f"127.0.0.1:{free_port()}") == 1
    said = capsys.readouterr().err
    assert "Nothing was sent." in said
    assert "127.0.0.1:9150" in said


@pytest.mark.parametrize(
    ("to", "more", "words"),
    [
        (f"http://a{ONION[1:]}", (), "mistyped"),
        (f"https://{ONION}", (), "http://"),
        ("http://site.example", ("--socks", "127.0.0.1:9050"), "Tor's exit) could read your code"),
        (f"http://{ONION}", ("--socks", "9050"), "HOST:PORT"),
    ],
)
def test_what_would_show_who_sends_is_refused(
    clip: Path, capsys: pytest.CaptureFixture[str], to: str, more: tuple[str, ...], words: str
) -> None:
    """Before anybody is asked for anything."""
    assert send_here(to, clip, *more) == 1
    assert words in capsys.readouterr().err


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every name that somebody asks the resolver for; it knows none."""
    names: list[str] = []

    def refuse(host: str, *_: object, **__: object) -> None:
        names.append(host)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return names


@pytest.mark.parametrize("more", [(), ("--socks", "127.0.0.1:9050")])
@pytest.mark.parametrize(
    ("host", "meant"),
    [
        (f"{ONION}.ly", f"--to http://{ONION}"),
        (f"{ONION}.ly.", f"--to http://{ONION}"),
        (f"{ONION}.ly:8080", f"--to http://{ONION}"),
        (ONION.removesuffix(".onion"), f"--to http://{ONION}"),
        (f"{ONION}..", "http://….onion"),
        (f"{ONION}@site.example", "http://….onion"),
        (f"site.example\\@{ONION}", "http://….onion"),
        (f"site.example#.{ONION}", "http://….onion"),
        (f"{ONION}/drop", "http://….onion"),
        ("site.example", "http://….onion"),
        ("192.0.2.1", "http://….onion"),
        ("[2001:db8::1]", "http://….onion"),
        ("127.1", "http://….onion"),
        ("127.0.0.1.site.example", "http://….onion"),
        ("localhost.site.example", "http://….onion"),
        ("", "http://….onion"),
    ],
)
def test_what_is_no_onion_is_never_looked_up(
    clip: Path,
    capsys: pytest.CaptureFixture[str],
    looked_up: list[str],
    host: str,
    meant: str,
    more: tuple[str, ...],
) -> None:
    """A gateway, a forgotten ending: nobody is asked for it, and the words say what to type."""
    assert send_here(f"http://{host}", clip, *more) == 1
    said = capsys.readouterr().err
    assert "othing was sent" in said
    assert meant in said
    assert looked_up == []


def test_an_onion_with_a_dot_at_its_end_goes_through_tor(site: Live, tmp_path: Path) -> None:
    """It is the same name; Tor gets it without the dot."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    with Circuit(site.port, socks=True) as tor:
        done = send(f"http://{ONION.upper()}./", clip, "--socks", f"127.0.0.1:{tor.port}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert set(tor.names) == {(ONION.encode(), 80)}


def test_this_machine_is_reached_past_every_proxy(site: Live, tmp_path: Path) -> None:
    """The environment names a proxy, which is not asked."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    done = send(site.base, clip)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "localhost.", "[::1]"])
def test_this_machine_is_not_looked_for_through_tor(
    clip: Path, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    """Without Tor it is asked, and is away; with --socks the words say that Tor is not the way."""
    here = f"http://{host}:{free_port()}"
    assert send_here(here, clip) == 1
    assert "does not answer" in capsys.readouterr().err
    assert send_here(here, clip, "--socks", "127.0.0.1:9050") == 1
    assert "leave out --socks" in capsys.readouterr().err


@pytest.mark.parametrize("way", list(Pointing))
def test_no_answer_leads_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], way: Pointing
) -> None:
    """A redirect, or an address of another site in an answer: nobody goes there, and it is said."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"x")
    with (
        elsewhere.running(elsewhere.Site()) as other,
        elsewhere.running(elsewhere.Site(way, other.end, clip.name)) as site,
    ):
        assert send_here(f"http://{site.end}", clip) == 1
    assert site.asked[0] == "POST /source"
    assert other.asked == []
    assert "leads to another address" in capsys.readouterr().err
