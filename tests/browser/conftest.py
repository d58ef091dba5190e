"""What the tests of the page's script share: a server, a browser, files to send."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.scripted import LONG, chromium, write
from tests.live import Live, running


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A running server."""
    with running(tmp_path_factory.mktemp("scripted")) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's browser, with scripts."""
    with chromium() as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a camera and a person have made it."""
    for name, content in (
        ("a.txt", b"hello"),
        ("день 1/видео.mp4", os.urandom(300_000)),
        ("день 1/видео\u202e4pm.exe", b"x"),
        ("день 2/видео.mp4", os.urandom(LONG)),
        ("empty", b""),
    ):
        write(tmp_path / "камера" / name, content)
    return tmp_path / "камера"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """One file of several requests."""
    return write(tmp_path / "clip.mp4", os.urandom(LONG))
