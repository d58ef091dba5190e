"""The whole way of a source in Firefox ESR, private and without scripts: as in Tor Browser at Safest."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import load
from tests.browser.firefox import Firefox, firefox
from tests.browser.person import awaits
from tests.browser.steps import begin, come_back, count
from tests.live import Live, running
from tests.web.staff import Staff

MANY = 5000


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Give Firefox without scripts."""
    with firefox(tmp_path_factory.mktemp("firefox")) as started:
        yield started


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Give a server with nothing on it yet."""
    (tmp_path / "live").mkdir()
    with running(tmp_path / "live") as server:
        yield server


def write(folder: Path, *names: str) -> list[Path]:
    """Write a small file of each name."""
    folder.mkdir()
    files = [folder / name for name in names]
    for file in files:
        file.write_bytes(os.urandom(1000))
    return files


def test_the_whole_way_of_a_source(fox: Firefox, live: Live, tmp_path: Path) -> None:
    """Promise 4: codename, files, message, leaving, coming back, counts, and reading the reply."""
    codename = begin(fox, live.base)
    clips = write(tmp_path / "clips", "видео.mp4", "صور.jpg", 'say "hi".txt', "x" * 150)
    fox.chooses(clips)
    fox.presses("Send files")
    assert "4 files arrived complete" in awaits(fox, "All files arrived")
    fox.presses("Back to your page")
    awaits(fox, "What has arrived")
    fox.presses("Write or read messages")
    awaits(fox, "Write to us")
    fox.types("text", "Привет")
    fox.presses("Send message")
    awaits(fox, "Your message arrived")
    fox.presses("Leave")
    awaits(fox, "You have left")
    Staff(live.ngo, load(live.config)).answers("Thank you. שלום")
    shown = come_back(fox, live.base, codename)
    assert (count(shown, "file"), count(shown, "message")) == (4, 1)
    fox.presses("We have written to you")
    assert "Thank you. שלום" in awaits(fox, "Thank you")
    opened = {one.name: one.content for one in live.open_all(tmp_path / "opened")}
    assert {clip.name: clip.read_bytes() for clip in clips}.items() <= opened.items()


def test_a_mistyped_codename_is_helped(fox: Firefox, live: Live) -> None:
    """The word is named by its place; nothing is lost, and the right codename goes in."""
    codename = begin(fox, live.base)
    fox.begins_anew()
    fox.goes(live.base)
    fox.types("codename", " ".join([*codename.split()[:7], "abdomn"]))
    fox.presses("Go to my page")
    shown = awaits(fox, "Word number 8 is not in our list")
    assert "abdomn" not in shown
    fox.types("codename", codename)
    fox.presses("Go to my page")
    awaits(fox, "What has arrived")


def test_nothing_of_the_inside_is_left_after_leaving(fox: Firefox, live: Live) -> None:
    """Whoever presses Back on a borrowed computer finds no page of the inside, and no cookie."""
    codename = begin(fox, live.base)
    fox.presses("Leave")
    awaits(fox, "You have left")
    fox.driver.back()
    shown = awaits(fox, "Nightferry")
    assert not re.search("What has arrived|Type your codename", shown)
    assert codename.split()[0] not in fox.page()
    assert "nightferry" not in {cookie["name"] for cookie in fox.driver.get_cookies()}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_thousand_files_in_one_form(fox: Firefox, live: Live, tmp_path: Path) -> None:
    """Lessons 8: count in is count out, for a folder that takes the form's half."""
    begin(fox, live.base)
    fox.chooses(write(tmp_path / "clips", *(f"clip {number}.mp4" for number in range(MANY))))
    fox.presses("Send files")
    assert count(awaits(fox, "All files arrived", 800), "file") == MANY
    # And the certificate for replies, which is sealed with the first of them.
    assert len(list(live.uploads.glob("*.tar.gpg"))) == MANY + 1
