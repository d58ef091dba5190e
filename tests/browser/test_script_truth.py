"""With a script: what the page says of pausing, of failing and of being done is so."""

import base64
import re
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


def enters(source: Sender, codename: str) -> None:
    """Come in with a codename by another tab of the same browser."""
    tab = source.context.new_page()
    tab.goto(source.base)
    if tab.locator("button:has-text('Leave')").count():
        tab.locator("button:has-text('Leave')").first.click()
        tab.get_by_text("You have left").wait_for()
        tab.goto(source.base)
    tab.fill("[name=codename]", codename)
    tab.click("button:has-text('Go to my page')")
    tab.get_by_text("What has arrived").wait_for()
    tab.close()


def test_a_page_sends_nothing_under_another_codename(
    live: Live, browser: Browser, clip: Path, tmp_path: Path
) -> None:
    """Another tab comes in with another one: the page stops, says so, and joins the two nowhere."""
    other = live.new_source()
    with arrivals(live) as arrived, sender(live, browser) as source:
        held: list[Route] = []

        def hold_first(route: Route) -> None:
            if route.request.method == "PATCH" and not held:
                held.append(route)
            else:
                route.continue_()

        source.page.route("**/uploads/*", hold_first)
        source.chooses(clip)
        while not held:
            source.page.wait_for_timeout(50)
        enters(source, other.codename)  # type: ignore[attr-defined] # set by Live
        source.chooses(write(tmp_path / "b.mp4", b"b"))
        held[0].abort()
        source.hears("This browser is logged in with another codename now")
        source.page.wait_for_timeout(A_WHILE)
        shown = other.get(f"{live.base}/drop", timeout=30).json()
        assert (shown["received"]["files"], shown["unfinished"]) == (0, [])
        enters(source, source.codename)
        source.page.click("#send-pause")
        source.hears(DONE)
        assert arrived() == [
            Arrived("b.mp4", TIME, b"b"),
            Arrived("clip.mp4", TIME, clip.read_bytes()),
        ]


def test_a_site_that_cannot_say_what_it_has_is_given_time(
    live: Live, browser: Browser, clip: Path
) -> None:
    """An upload is unknown and the source's page is out of order: no storm, and words."""
    with arrivals(live) as arrived, sender(live, browser) as source:
        questions: list[str] = []

        def break_down(route: Route) -> None:
            if route.request.method == "PATCH" or questions:
                questions.append(route.request.url)
                is_page = route.request.url.endswith("/drop")
                said = '{"error": "Being repaired."}' if is_page else "Unknown."
                route.fulfill(status=503 if is_page else 404, body=said)
            else:
                route.continue_()

        source.page.route(re.compile("/(drop|uploads)(/.*)?$"), break_down)
        source.chooses(clip)
        source.hears("The site says: Being repaired. The next try comes by itself, in 2 s.")
        assert len(questions) == 2
        source.page.unroute_all()
        source.hears(DONE)
        assert arrived() == [Arrived("clip.mp4", TIME, clip.read_bytes())]


def test_what_had_arrived_whole_long_ago_is_not_sent_again(
    live: Live, browser: Browser, clip: Path
) -> None:
    """The last answer was lost and a day went by: 410 that says “complete” is the end of it."""
    with sender(live, browser) as source:
        asked: list[str] = []

        def forget(route: Route) -> None:
            asked.append(route.request.method)
            if route.request.method == "PATCH":
                route.abort()
            elif route.request.method == "HEAD":
                route.fulfill(status=410, headers={**TUS, "Upload-Complete": "?1"})
            else:
                route.continue_()

        source.page.route("**/uploads**", forget)
        source.chooses(clip)
        source.hears(DONE)
        assert asked.count("POST") == 1
        assert source.shown_octets() == clip.stat().st_size
