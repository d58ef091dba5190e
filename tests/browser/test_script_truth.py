"""With a script: what the page says of pausing, of failing and of being done is so."""

import base64
from pathlib import Path

from playwright.sync_api import Browser, Route, expect

from tests.browser.scripted import (
    DONE,
    TIME,
    Arrived,
    Sender,
    arrivals,
    sender,
    write,
)
from tests.live import Live

TUS = {"Tus-Resumable": "1.0.0"}
A_WHILE = 1500  # milliseconds; longer than any wait of the queue's own


def begin(source: Sender, path: Path) -> None:
    """Begin an upload as a program does that was stopped before its first octet."""
    facts = {"filename": path.name, "lastModified": str(TIME * 1000)}
    metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in facts.items())
    headers = {**TUS, "Upload-Length": str(path.stat().st_size), "Upload-Metadata": metadata}
    made = source.session.post(f"{source.live.base}/uploads", headers=headers, timeout=30)
    assert made.status_code == 201


def refuse_one(source: Sender, method: str, status: int, **answer: str) -> list[Route]:
    """Let the next request of a method be refused; give what was."""
    refused: list[Route] = []

    def refuse(route: Route) -> None:
        if route.request.method != method or refused:
            route.fallback()
            return
        refused.append(route)
        route.fulfill(status=status, **answer)  # type: ignore[arg-type] # body only

    source.page.route("**/uploads**", refuse)
    return refused


def test_pause_holds_while_the_site_is_asked_what_it_has(
    live: Live, browser: Browser, clip: Path
) -> None:
    """Pressed while that question is on its way: its answer does not begin to send."""
    with arrivals(live) as arrived, sender(live, browser, opened=False) as source:
        begin(source, clip)
        held: list[Route] = []
        asked: list[str] = []

        def hold_first(route: Route) -> None:
            asked.append(route.request.method)
            if held:
                route.continue_()
            else:
                held.append(route)

        source.page.route("**/uploads/*", hold_first)
        source.opens()
        source.chooses(clip)
        while not held:
            source.page.wait_for_timeout(50)
        source.page.click("#send-pause")
        source.hears("Paused. What has arrived is kept.")
        held[0].continue_()
        source.page.wait_for_timeout(A_WHILE)
        assert asked == ["HEAD"]
        source.page.click("#send-pause")
        source.hears(DONE)
        assert arrived() == [Arrived("clip.mp4", TIME, clip.read_bytes())]


def test_another_file_of_the_name_of_one_that_failed_is_no_second_chance_of_it(
    live: Live, browser: Browser, tmp_path: Path
) -> None:
    """Each card has an IMG_0001: the one that did not arrive stays named until it is chosen."""
    first = write(tmp_path / "1" / "IMG_0001.MP4", b"first")
    second = write(tmp_path / "2" / "IMG_0001.MP4", b"the second", TIME + 1)
    with sender(live, browser) as source:
        refused = refuse_one(source, "POST", 413, body="Too large.")
        source.chooses(first)
        source.hears("Files that have arrived: 0. Files that have not: 1.")
        assert len(refused) == 1
        source.chooses(second)
        source.hears("Files that have arrived: 1. Files that have not: 1.")
        expect(source.page.locator("#send-failed")).to_contain_text("IMG_0001.MP4")
        source.chooses(first)
        source.hears(DONE)
        assert source.count() == 2
