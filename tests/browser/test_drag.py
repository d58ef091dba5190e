"""Files and folders dragged from a file manager into the box on the source's page."""

import os
from pathlib import Path

from playwright.sync_api import Browser, CDPSession

from tests.browser.scripted import (
    DONE,
    TIME,
    Arrived,
    Sender,
    arrivals,
    as_sent,
    sender,
    write,
)
from tests.live import Live

COPY = 1  # DevTools protocol, Input.DragData: the operations that are allowed
MANY = 105  # entries of a folder: browsers give a hundred at a time


def drag(source: Sender, onto: str, *paths: Path) -> None:
    """Drag files of the disk over the page and let them fall onto an element, as a mouse does."""
    box = source.page.locator(onto).bounding_box()
    assert box is not None
    hand: CDPSession = source.context.new_cdp_session(source.page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": COPY}
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind in ("dragEnter", "dragOver", "drop"):
        hand.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})


def test_dragged_folders_and_files_arrive(
    live: Live, browser: Browser, folder: Path, tmp_path: Path
) -> None:
    """All of a large folder, folders in folders, a file beside them: with their paths and times."""
    for number in range(MANY):
        write(folder / "день 3" / f"{number}.jpg", os.urandom(100))
    alone = write(tmp_path / "alone.mp4", os.urandom(200_000))
    with arrivals(live) as arrived, sender(live, browser) as source:
        drag(source, "#send-drop", folder, alone)
        source.hears(DONE)
        assert source.count() == MANY + 6
        beside = Arrived("alone.mp4", TIME, alone.read_bytes())
        assert arrived() == [beside, *as_sent(folder)]


def test_what_falls_beside_the_box_is_not_opened(live: Live, browser: Browser, clip: Path) -> None:
    """A browser would leave the page to show the file, and every upload with it."""
    with sender(live, browser) as source:
        address = source.page.url
        drag(source, "h1", clip)
        drag(source, "#send-drop", clip)
        source.hears(DONE)
        assert source.page.url == address
        assert source.count() == 1
