"""What a person sees when something goes wrong while the browser is still sending a form.

docs/decisions/0011 has what browsers do with an answer that comes early. LESSONS, user requests 6
and 7: it must end as a page in words, never as "connection reset".
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from tests.browser.chromium import chromium
from tests.browser.firefox import firefox
from tests.browser.person import BrokenConnectionError, Person, awaits, watches
from tests.browser.steps import begin, count
from tests.link import MBIT, Link
from tests.live import Live, running, wait_until
from tests.proxy import Fault, Kind, Proxy

LARGE = 12 << 20  # more than kernels hold: the browser is still sending when the answer comes
RATE = 40 * MBIT
ROUND_TRIP = 0.1
CLIP = 150_000


@pytest.fixture(scope="module", params=["firefox", "chromium"])
def person(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Person]:
    """Give somebody without scripts in front of each browser."""
    with ExitStack() as stack:
        if request.param == "firefox":
            yield stack.enter_context(firefox(tmp_path_factory.mktemp("firefox")))
        else:
            yield stack.enter_context(chromium())


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Give a server that takes files of a form up to 1 MiB."""
    with running(tmp_path_factory.mktemp("live"), max_form_file_length=1 << 20) as server:
        yield server


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Give a large file and a small one after it."""
    folder = tmp_path_factory.mktemp("large")
    files = [folder / "large.mp4", folder / "small.txt"]
    files[0].write_bytes(os.urandom(LARGE))
    files[1].write_bytes(b"small")
    return files


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Give twelve clips."""
    files = [tmp_path / f"clip {number:02}.mp4" for number in range(12)]
    for file in files:
        file.write_bytes(os.urandom(CLIP))
    return files


def end_all_sessions(live: Live) -> None:
    """Let time pass for sessions alone."""
    with closing(sqlite3.connect(live.data / "nightferry.db")) as database:
        database.execute("DELETE FROM sessions")
        database.commit()


def send_large(person: Person, live: Live, large: list[Path], before: Callable[[], None]) -> str:
    """Send the large form over a slow link; give the words of the page that comes of it.

    Nothing may have gone over the link twice: after a reset, Firefox sends all of it again.
    """
    with Link(live.port, rate=RATE, round_trip=ROUND_TRIP) as link:
        begin(person, link.base)
        person.chooses(large)
        before()
        person.presses("Send files")
        shown = watches(
            person, lambda words: "Choose one or more" not in words and bool(words), "answer", 120
        )
        assert link.up.octets < 1.2 * LARGE
    return shown


def test_a_file_over_the_limit_is_named_and_the_next_one_arrives(
    person: Person, live: Live, large: list[Path]
) -> None:
    """Lessons, users 7: the rest of it is read and thrown away, and the answer says so."""
    shown = send_large(person, live, large, lambda: None)
    assert "Not everything arrived" in shown
    assert "large.mp4" in shown
    assert count(shown, "file") == 1


def test_a_session_that_has_ended_says_so(person: Person, live: Live, large: list[Path]) -> None:
    """Lessons, users 4: refused before the first file is read, and with the way back in."""
    shown = send_large(person, live, large, lambda: end_all_sessions(live))
    assert "Enter your codename again" in shown
    assert "Go to my page" in shown


def test_a_full_disk_says_so(person: Person, large: list[Path], tmp_path: Path) -> None:
    """The form ends there; the page says what is kept and when to come back."""
    with running(tmp_path) as filling:
        before = partial(filling.restart_with, disk_reserve=1 << 50)
        shown = send_large(person, filling, large, before)
    assert "no room left" in shown


def test_trouble_with_the_key_says_so(person: Person, live: Live, large: list[Path]) -> None:
    """Lessons 42: nothing is taken that could not be sealed."""
    hidden = live.ngo.certificate.with_suffix(".hidden")

    def hide() -> None:
        live.ngo.certificate.rename(hidden)

    try:
        shown = send_large(person, live, large, hide)
    finally:
        hidden.rename(live.ngo.certificate)
    assert "cannot seal anything new" in shown


@pytest.mark.parametrize("kind", [Kind.CUT, Kind.END])
def test_a_form_that_the_browser_sends_again_arrives_once(
    person: Person, live: Live, clips: list[Path], kind: Kind
) -> None:
    """Both browsers repeat a form whose connection breaks, unasked: counts in are counts out."""
    with Proxy(live.port, [Fault(kind, "POST", skip=2, after=7 * CLIP)]) as proxy:
        begin(person, proxy.base)
        person.chooses(clips)
        person.presses("Send files")
        shown = awaits(person, "All files arrived")
        assert not proxy.faults_left
    assert "12 files arrived complete" in shown
    assert "In all we now have 12 files" in shown


def test_after_a_broken_form_the_next_page_says_exactly_what_arrived(
    person: Person, live: Live, clips: list[Path], tmp_path: Path
) -> None:
    """Whatever the page counts is what the NGO can open; then the rest completes it."""
    before = set(live.uploads.glob("*.tar.gpg"))
    again = [Fault(Kind.END, "POST", after=length * CLIP) for length in (7, 5, 6, 4)]
    with Proxy(live.port, [Fault(Kind.END, "POST", skip=2, after=5 * CLIP), *again]) as proxy:
        begin(person, proxy.base)
        person.chooses(clips)
        person.presses("Send files")
        with pytest.raises(BrokenConnectionError):
            awaits(person, "All files arrived")
    wait_until(lambda: arrived(person, live) == len(opened(live, before, tmp_path)))
    # The server may still be at the end of what the browser sent again.
    wait_until(lambda: says_where_to_go_on(look(person, live)))
    kept = count(look(person, live), "file")
    assert opened(live, before, tmp_path) == [clip.name for clip in clips[:kept]]
    person.chooses(clips[kept:])
    person.presses("Send files")
    assert "In all we now have 12 files" in awaits(person, "All files arrived")


def says_where_to_go_on(shown: str) -> bool:
    """Tell whether the next file to send is the one after those that arrived."""
    return f"Send the file at place {count(shown, 'file') + 1} and all after it again" in shown


def look(person: Person, live: Live) -> str:
    """Open the source's page, again and again until it knows of the last form's end."""

    def ended(shown: str) -> bool:
        if "not all of them arrived" not in shown:
            person.goes(f"{live.base}/drop")
        return "not all of them arrived" in shown

    person.goes(f"{live.base}/drop")
    return watches(person, ended, "the end of the last form", 60)


def arrived(person: Person, live: Live) -> int:
    """Read the count off the page, once the last form has ended."""
    return count(look(person, live), "file")


def opened(live: Live, before: set[Path], folder: Path) -> list[str]:
    """Give the names of the clips that the NGO can open."""
    sealed = set(live.uploads.glob("*.tar.gpg")) - before
    names = sorted(live.open(path, folder).name for path in sealed)
    return [name for name in names if name.startswith("clip")]
