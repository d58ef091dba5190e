"""Files and folders dragged from a file manager into the box on the source's page."""

import os
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, expect

from tests.browser.scripted import (
    DONE,
    NOT_ALL,
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
    source.page.locator(onto).scroll_into_view_if_needed()
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


# As if somebody had taken away one file and one folder between the choice and the reading.
UNREADABLE = """
window.unreadable = ["a.txt", "день 2"];
function guard(entry) {
    const isAway = () => window.unreadable.includes(entry.name);
    const read = entry.file?.bind(entry), open = entry.createReader?.bind(entry);
    entry.file = (give, fail) => (isAway() ? fail(new DOMException()) : read(give, fail));
    entry.createReader = () => {
        const reader = open();
        return { readEntries: (give, fail) => isAway() ? fail(new DOMException())
            : reader.readEntries((some) => give(some.map(guard)), fail) };
    };
    return entry;
}
const ask = DataTransferItem.prototype.webkitGetAsEntry;
DataTransferItem.prototype.webkitGetAsEntry = function () { return guard(ask.call(this)); };
"""


def test_what_cannot_be_read_is_named_and_the_rest_arrives(
    live: Live, browser: Browser, folder: Path
) -> None:
    """One unreadable file, one unreadable folder; both are read again when the source asks."""
    with arrivals(live) as arrived, sender(live, browser, opened=False) as source:
        source.context.add_init_script(UNREADABLE)
        source.opens()
        drag(source, "#send-drop", folder)
        source.hears(NOT_ALL)
        source.hears("Files that have arrived: 3. Files that have not: 2.")
        failed = source.page.locator("#send-failed li")
        expect(failed).to_have_count(2)
        expect(failed.filter(has_text="камера/a.txt")).to_contain_text("cannot read this file")
        expect(failed.filter(has_text="камера/день 2")).to_contain_text("cannot read this folder")
        assert source.count() == 3
        source.page.click("#send-again")
        source.hears("Files that have arrived: 3. Files that have not: 2.")
        source.page.evaluate("() => { window.unreadable = []; }")
        source.page.click("#send-again")
        source.hears(DONE)
        assert arrived() == as_sent(folder)
