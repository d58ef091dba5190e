"""With a script: broken, frozen and closed connections are gone on with, by the same file alone."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.scripted import (
    DONE,
    LONG,
    MEBIBYTE,
    NOT_ALL,
    TIME,
    Arrived,
    Sender,
    arrivals,
    log_out,
    sender,
    write,
)
from tests.live import Live, wait_until
from tests.proxy import Fault, Kind, Proxy


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(Kind.CUT, after=300_000), Fault(Kind.GHOST, after=100_000)],
        [Fault(Kind.CUT, "POST", after=500_000), Fault(Kind.LOSE)],
        [Fault(Kind.LOSE, "POST"), Fault(Kind.CUT, after=300_000), Fault(Kind.CUT, "HEAD")],
    ],
)
def test_a_broken_connection_is_gone_on_with(
    live: Live, browser: Browser, clip: Path, faults: list[Fault]
) -> None:
    """Cut in any request, or its answer lost: it goes on by itself, and the file is whole."""
    with (
        Proxy(live.port, faults) as proxy,
        arrivals(live) as arrived,
        sender(live, browser, proxy.base) as source,
    ):
        source.chooses(clip)
        source.hears(DONE)
        # A PATCH that was cut on a kept connection Chromium may send again by itself; if nothing of
        # it had been kept, that one is taken, and nobody has to ask for the offset.
        assert [fault for fault in proxy.faults_left if fault.method != "HEAD"] == []
        assert arrived() == [Arrived("clip.mp4", TIME, clip.read_bytes())]


def test_a_lost_answer_makes_no_second_clip(live: Live, browser: Browser, tmp_path: Path) -> None:
    """A short file is one POST; its answer is lost, twice, after all of it has arrived."""
    short = write(tmp_path / "short.mp4", os.urandom(100_000))
    faults = [Fault(Kind.LOSE, "POST"), Fault(Kind.LOSE, "POST")]
    with (
        Proxy(live.port, faults) as proxy,
        arrivals(live) as arrived,
        sender(live, browser, proxy.base) as source,
    ):
        source.chooses(short)
        source.hears(DONE)
        assert proxy.faults_left == []
        assert source.count() == 1
        assert len(arrived()) == 1


def test_a_frozen_connection_is_given_up_for_a_new_one(
    live: Live, browser: Browser, clip: Path
) -> None:
    """No error comes: silence is noticed, said, and after the second time there is advice."""
    faults = [Fault(Kind.STALL, after=200_000), Fault(Kind.STALL, after=200_000)]
    with (
        Proxy(live.port, faults) as proxy,
        arrivals(live) as arrived,
        sender(live, browser, proxy.base, opened=False) as source,
    ):
        source.page.clock.install()
        source.opens()
        source.chooses(clip)
        for left in (1, 0):
            wait_until(lambda left=left: len(proxy.faults_left) == left)  # type: ignore[misc]
            # What the browser has handed over counts for nothing.
            assert source.shown_octets() <= source.offset()
            source.page.clock.fast_forward("02:00")
            source.page.clock.fast_forward("00:10")
        source.hears(DONE)
        assert "gone silent" in said(source)
        assert "New Tor circuit for this site" in said(source)
        assert arrived() == [Arrived("clip.mp4", TIME, clip.read_bytes())]


def said(source: Sender) -> str:
    """All that the page has told a screen reader."""
    return str(source.page.evaluate("() => window.heard.join(' ')"))


def test_slow_is_not_frozen(live: Live, browser: Browser, clip: Path) -> None:
    """The site's offset moves within a request that takes minutes: nobody gives that up."""
    with (
        Proxy(live.port, [Fault(Kind.SLOW, after=100_000, amount=100_000)]) as proxy,
        sender(live, browser, proxy.base, opened=False) as source,
    ):
        source.page.clock.install()
        source.opens()
        source.chooses(clip)
        wait_until(lambda: proxy.faults_left == [])
        before = source.offset()
        for _ in range(4):
            source.waits_for_offset(before + 1)
            before = source.offset()
            source.page.clock.fast_forward("00:35")
            expect(source.page.locator("#send-mood")).to_have_text("Sending.")
        assert proxy.statuses("HEAD") == []
        proxy.release()


def test_pause_stops_and_go_on_goes_on(live: Live, browser: Browser, clip: Path) -> None:
    """Nothing is sent in between, and what had arrived is not sent again."""
    slow = Fault(Kind.SLOW, skip=1, after=100_000, amount=300_000)
    with (
        Proxy(live.port, [slow]) as proxy,
        arrivals(live) as arrived,
        sender(live, browser, proxy.base) as source,
    ):
        source.chooses(clip)
        wait_until(lambda: proxy.faults_left == [])
        source.page.click("#send-pause")
        source.hears("Paused. What has arrived is kept.")
        requests_so_far = len(proxy.answers)
        source.page.wait_for_timeout(1500)  # longer than any wait of the queue's own
        assert len(proxy.answers) <= requests_so_far + 1
        source.page.click("#send-pause")
        source.hears(DONE)
        assert arrived() == [Arrived("clip.mp4", TIME, clip.read_bytes())]


def test_closed_browser_goes_on_where_it_stopped(live: Live, browser: Browser, clip: Path) -> None:
    """User request 9: another day, another browser, the codename: only the rest is sent."""
    with arrivals(live) as arrived:
        hold = [Fault(Kind.STALL, skip=1, after=100_000)]
        with (
            Proxy(live.port, hold) as proxy,
            sender(live, browser, proxy.base) as source,
        ):
            source.chooses(clip)
            wait_until(lambda: proxy.faults_left == [])
            had = source.offset()
        assert had >= MEBIBYTE
        with (
            Proxy(live.port) as proxy,
            sender(live, browser, proxy.base, opened=False) as again,
        ):
            come_back(again, source.codename)
            expect(again.page.locator("#send-unfinished")).to_contain_text("clip.mp4")
            again.chooses(clip)
            again.hears(DONE)
            assert proxy.octets < LONG - had + 200_000
        assert arrived() == [Arrived("clip.mp4", TIME, clip.read_bytes())]


def come_back(source: Sender, codename: str) -> None:
    """Enter by the first page, as a person does."""
    source.page.goto(source.base)
    source.page.fill("[name=codename]", codename)
    source.page.click("button:has-text('Go to my page')")
    source.page.locator("#send").wait_for()


def unfinished(live: Live, source: Sender, path: Path) -> int:
    """Begin to send a file, and stop; give the offset."""
    fault = [Fault(Kind.STALL, skip=1, after=100_000)]
    with Proxy(live.port, fault) as proxy, source.context.browser.new_context() as context:  # type: ignore[union-attr] # it has one
        first = Sender.__new__(Sender)
        first.__dict__ |= {**source.__dict__, "context": context, "base": proxy.base}
        first.page = first._new_page()
        first.opens()
        first.chooses(path)
        wait_until(lambda: proxy.faults_left == [])
        return source.offset()


@pytest.mark.parametrize("change", ["length", "content"])
def test_another_file_of_the_same_name_is_refused(
    live: Live, browser: Browser, clip: Path, tmp_path: Path, change: str
) -> None:
    """Two files must not become one; the others still arrive, and the first can be finished."""
    with arrivals(live) as arrived, sender(live, browser, opened=False) as source:
        content = clip.read_bytes()
        unfinished(live, source, clip)
        other = os.urandom(LONG) if change == "content" else content + b"1"
        source.opens()
        source.chooses(
            write(tmp_path / "other" / "clip.mp4", other), write(tmp_path / "b.mp4", b"b")
        )
        source.hears(NOT_ALL)
        expect(source.page.locator("#send-failed")).to_contain_text("this is a different file")
        assert source.count() == 1
        source.chooses(clip)
        wait_until(lambda: source.count() == 2)
        if change == "length":  # seen to be another file before anything of it is read
            source.hears("Files that have arrived: 2. Files that have not: 1.")
        else:
            source.hears(DONE)
        assert [(file.path, file.content) for file in arrived()] == [
            ("b.mp4", b"b"),
            ("clip.mp4", content),
        ]


def test_the_same_file_with_another_time_is_the_same(
    live: Live, browser: Browser, clip: Path
) -> None:
    """One stick shows other times on another computer: the sample decides."""
    with arrivals(live) as arrived, sender(live, browser, opened=False) as source:
        unfinished(live, source, clip)
        os.utime(clip, (TIME + 3600, TIME + 3600))
        source.opens()
        source.chooses(clip)
        source.hears(DONE)
        assert arrived() == [Arrived("clip.mp4", TIME, clip.read_bytes())]


def test_an_ended_session_is_said_and_can_be_gone_on_with(
    live: Live, browser: Browser, clip: Path
) -> None:
    """Nothing is called lost or refused: log in again, press the button, and it goes on."""
    slow = Fault(Kind.CUT, skip=1, after=100_000)
    with (
        Proxy(live.port, [slow]) as proxy,
        arrivals(live) as arrived,
        sender(live, browser, proxy.base) as source,
    ):
        source.page.route("**/uploads/*", lambda route: log_out_before(source, route))
        source.chooses(clip)
        source.hears("You are no longer logged in.")
        source.page.unroute("**/uploads/*")
        tab = source.context.new_page()
        tab.goto(source.base)
        tab.fill("[name=codename]", source.codename)
        tab.click("button:has-text('Go to my page')")
        tab.get_by_text("What has arrived").wait_for()
        source.page.click("#send-pause")
        source.hears(DONE)
        assert arrived() == [Arrived("clip.mp4", TIME, clip.read_bytes())]


def log_out_before(source: Sender, route: Route) -> None:
    """End the session before the first request that goes on with an upload."""
    if source.session.cookies.get("nightferry"):
        log_out(source.live, source.session)
        source.session.cookies.clear()
    route.continue_()
