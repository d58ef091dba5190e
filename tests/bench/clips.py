"""A thousand clips over a slow, far and breaking link: a form without scripts, and the script.

Each way has its own server, link and browser; both run at once. Without scripts a person sends
forms of some files; when the browser shows an error they open their page, read how many files
have arrived, and go on from there. With scripts they choose all files once, and watch.
"""

import argparse
import hashlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import TimeoutError as TimedOutError

from tests.browser.chromium import Chromium, chromium
from tests.browser.firefox import firefox
from tests.browser.person import BrokenConnectionError, Person, awaits, watches
from tests.browser.steps import begin, count
from tests.link import Link, moments
from tests.live import Live, running

LENGTH = 1_000_000
_SEED = 3
_ON_ITS_WAY = "still on their way, or the connection broke"
_DONE = "All that you have chosen has arrived"
_PATIENCE = 3600.0  # seconds for one form


@dataclass
class Figures:
    """What one way cost. `errors`: pages of the browser's own that the person saw."""

    way: str
    seconds: float = 0
    octets: int = 0
    answers: int = 0
    breaks: int = 0
    errors: int = 0
    arrived: int = 0
    duplicates: int = 0

    def row(self, clips: int) -> str:
        """Write one line of the table."""
        share = self.octets / (clips * LENGTH)
        return (
            f"| {self.way} | {self.seconds:.0f} | {self.octets} | {share:.3f} | {self.answers} "
            f"| {self.breaks} | {self.errors} | {self.arrived} | {self.duplicates} |"
        )


T = TypeVar("T")
Way = Callable[[Link, Path, Sequence[Path], Figures], None]


def run(folder: Path, options: argparse.Namespace) -> None:
    """Measure both ways at once and print a table."""
    clips = _write_clips(folder / "clips", options.clips)
    ways: dict[str, Way] = {
        f"no scripts, Firefox ESR, forms of {options.form} files": _by_forms(options.form),
        "script, Chromium, all files chosen at once": _by_script,
    }
    with ThreadPoolExecutor(len(ways)) as pool:
        jobs = [
            pool.submit(_measure, name, way, folder / f"way {number}", clips, options.mean)
            for number, (name, way) in enumerate(ways.items())
        ]
        figures = [job.result() for job in jobs]
    print(
        f"\n{len(clips)} clips of {LENGTH} octets, a break every {options.mean:.0f} s on average\n"
    )
    print(
        "| way | seconds | octets sent | of the files' | octets of answers | breaks | error", end=""
    )
    print(" pages seen | files arrived | duplicates |\n|" + " --- |" * 9)
    for one in figures:
        print(one.row(len(clips)), flush=True)


def _measure(name: str, way: Way, folder: Path, clips: Sequence[Path], mean: float) -> Figures:
    folder.mkdir()
    (folder / "home").mkdir()
    figures = Figures(name)
    with running(folder / "home") as live:
        with Link(live.port, breaks=moments(mean, _SEED)) as link:
            begun = time.monotonic()
            try:
                way(link, folder, clips, figures)
            except Exception as error:  # noqa: BLE001 # what there is by then is counted
                print(f"{name}: given up: {error!r}", file=sys.stderr, flush=True)
            figures.seconds = time.monotonic() - begun
            figures.octets, figures.answers = link.up.octets, link.down.octets
            figures.breaks = link.broken
        _compare(live, folder, clips, figures)
    return figures


def _by_forms(size: int) -> Way:
    def send(link: Link, folder: Path, clips: Sequence[Path], figures: Figures) -> None:
        with firefox(folder) as person:
            _patiently(lambda: begin(person, link.base), figures)
            while (arrived := _patiently(lambda: _look(person, link), figures)) < len(clips):
                _log(figures.way, f"{arrived} arrived, {link.broken} breaks")
                try:
                    person.chooses(clips[arrived : arrived + size])
                    person.presses("Send files")
                    awaits(person, "In all we now have", _PATIENCE)
                except BrokenConnectionError:
                    figures.errors += 1

    return send


def _look(person: Person, link: Link) -> int:
    """Open the source's page until nothing is on its way; give how many files it says arrived."""

    def settled(shown: str) -> bool:
        if "What has arrived" in shown and _ON_ITS_WAY in shown:
            person.goes(f"{link.base}/drop")
            return False
        return "What has arrived" in shown

    person.goes(f"{link.base}/drop")
    shown = watches(person, settled, "the end of the last form", _PATIENCE)
    return 0 if "Nothing yet." in shown else count(shown, "file")


def _patiently(step: Callable[[], T], figures: Figures) -> T:
    """Load a page again when the browser could not."""
    while True:
        try:
            return step()
        except BrokenConnectionError:
            figures.errors += 1


def _by_script(link: Link, _folder: Path, clips: Sequence[Path], figures: Figures) -> None:
    with chromium(scripts=True) as person:
        _patiently(lambda: begin(person, link.base), figures)
        _await_script(person, link, figures)
        person.tab.set_input_files("#send-files", clips)
        _watch(person, link, figures)


def _await_script(person: Chromium, link: Link, figures: Figures) -> None:
    """Wait until the script shows its box; load the page again if a break took part of it."""
    while True:
        try:
            person.tab.wait_for_selector("#send", timeout=60_000)
        except TimedOutError:
            figures.errors += 1
            _patiently(lambda: person.goes(f"{link.base}/drop"), figures)
        else:
            return


def _watch(person: Chromium, link: Link, figures: Figures) -> None:
    deadline = time.monotonic() + 4 * _PATIENCE
    while _DONE not in person.tab.inner_text("#send-state"):
        if time.monotonic() > deadline:
            raise TimeoutError(person.tab.inner_text("#send-state"))
        _log(figures.way, f"{person.tab.inner_text('#send-line')}, {link.broken} breaks")
        person.tab.wait_for_timeout(5000)


def _log(way: str, said: str) -> None:
    print(f"{time.monotonic():.0f} {way}: {said}", file=sys.stderr, flush=True)


def _write_clips(folder: Path, number: int) -> list[Path]:
    folder.mkdir()
    clips = [folder / f"clip {place:04}.mp4" for place in range(number)]
    for clip in clips:
        clip.write_bytes(os.urandom(LENGTH))
    return clips


def _compare(live: Live, folder: Path, clips: Sequence[Path], figures: Figures) -> None:
    """Open all that arrived with stock gpg, and compare every octet."""
    opened = Counter(
        (one.name, hashlib.sha256(one.content).digest())
        for one in (live.open(path, folder / "open") for path in live.uploads.glob("*.tar.gpg"))
    )
    copies = [opened[clip.name, hashlib.sha256(clip.read_bytes()).digest()] for clip in clips]
    figures.arrived = sum(map(bool, copies))
    figures.duplicates = sum(copies) - figures.arrived
