"""What these tests share: both sites, and staff with empty sticks before a desk without sources."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.fetch.errand import Errand, clear, new_errand, new_member
from tests.live import Live, running


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Give both sites."""
    with running(tmp_path_factory.mktemp("fetch")) as live:
        yield live.start_desk()


@pytest.fixture(scope="session")
def cleaner(live: Live) -> requests.Session:
    """Give a program that is logged in at the desk."""
    return new_member(live).login()


@pytest.fixture
def errand(live: Live, cleaner: requests.Session, tmp_path: Path) -> Errand:
    """Give staff with an empty stick, and a desk where nothing has arrived yet."""
    clear(live, cleaner)
    return new_errand(live, tmp_path / "stick")
