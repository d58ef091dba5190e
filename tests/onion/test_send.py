"""`./nightferry send` to an onion: through Tor alone, on new circuits after each break."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from submit.cli.__main__ import main
from tests.fetch.circuit import Circuit
from tests.live import Live, free_port, running

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
        ("http://site.example", ("--socks", "127.0.0.1:9050"), "exit could read your codename"),
        (f"http://{ONION}", ("--socks", "9050"), "HOST:PORT"),
    ],
)
def test_what_would_show_who_sends_is_refused(
    clip: Path, capsys: pytest.CaptureFixture[str], to: str, more: tuple[str, ...], words: str
) -> None:
    """Before anybody is asked for anything."""
    assert send_here(to, clip, *more) == 1
    assert words in capsys.readouterr().err
