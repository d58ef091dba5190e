"""The page's script in Firefox ESR, the base of Tor Browser, in private, with scripts on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from tests.browser.firefox import Firefox, firefox
from tests.browser.person import awaits
from tests.browser.scripted import MEBIBYTE, Arrived, arrivals
from tests.browser.steps import begin
from tests.live import Live, running
from tests.proxy import Fault, Kind, Proxy

LONG = 9 * MEBIBYTE + 1
TIME = 1_700_000_000


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A running server."""
    with running(tmp_path_factory.mktemp("firefox")) as server:
        yield server


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Somebody in front of Firefox."""
    with firefox(tmp_path_factory.mktemp("profile"), scripts=True) as started:
        yield started


@pytest.mark.timeout(600)
def test_files_arrive_over_breaking_connections(
    live: Live, person: Firefox, tmp_path: Path
) -> None:
    """Firefox sends requests again by itself, too: each clip arrives once, and whole."""
    clips = {f"видео {n}.mp4": os.urandom(size) for n, size in enumerate((LONG, 70_000, 0))}
    for name, content in clips.items():
        (tmp_path / name).write_bytes(content)
        os.utime(tmp_path / name, (TIME, TIME))
    faults = [
        Fault(Kind.LOSE, "POST"),
        Fault(Kind.CUT, "POST", after=30_000),
        Fault(Kind.CUT, after=300_000),
        Fault(Kind.GHOST, after=100_000),
    ]
    with Proxy(live.port, faults) as proxy, arrivals(live) as arrived:
        begin(person, live.base)
        person.goes(f"{proxy.base}/drop")  # cookies know no ports
        awaits(person, "Send files and folders")
        field = person.driver.find_element(By.ID, "send-files")
        field.send_keys("\n".join(str(tmp_path / name) for name in clips))
        awaits(person, "Done. All that you have chosen has arrived. Files: 3.")
        assert proxy.faults_left == []
        assert arrived() == [Arrived(name, TIME, content) for name, content in clips.items()]
