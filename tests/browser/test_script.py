"""With a script: whole folders arrive, the page stays small, and nothing stays in the browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, expect

from tests.browser.scripted import (
    DONE,
    NOT_ALL,
    TIME,
    Sender,
    arrivals,
    as_sent,
    sender,
    write,
)
from tests.live import Live, wait_until
from tests.proxy import Fault, Kind, Proxy

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


def test_a_folder_arrives_with_paths_and_times(live: Live, browser: Browser, folder: Path) -> None:
    """Names in any script, an empty file and a long one, each under its path, with its time."""
    with arrivals(live) as arrived, sender(live, browser) as source:
        source.chooses(folder)
        source.hears(DONE)
        assert source.count() == 5
        assert arrived() == as_sent(folder)


def test_nothing_stays_in_the_browser(live: Live, browser: Browser, folder: Path) -> None:
    """LESSONS, traps: no store of the browser's holds a thing, and the page could not write any."""
    with sender(live, browser) as source:
        source.chooses(folder)
        source.hears(DONE)
        refused = source.page.evaluate(
            """() => ["localStorage", "sessionStorage", "indexedDB", "caches"].filter((name) => {
                try { window[name]; return false; } catch { return true; }})"""
        )
        assert len(refused) == 4
        other = source.context.new_page()  # of the same origin, without our script
        other.goto(f"{live.base}/key.asc")
        assert other.evaluate("() => [localStorage.length, sessionStorage.length]") == [0, 0]
        assert other.evaluate("() => indexedDB.databases().then((all) => all.length)") == 0
        assert other.evaluate("() => caches.keys().then((all) => all.length)") == 0
        assert source.context.storage_state()["origins"] == []


def test_what_was_sent_before_is_not_sent_again(live: Live, browser: Browser, folder: Path) -> None:
    """User request 9: a folder is continued weeks later; only what is new in it is sent."""
    with arrivals(live) as arrived, sender(live, browser) as source:
        accept = {"Accept": "application/json"}
        remember = f"{live.base}/drop/sent/remember"
        assert source.session.post(remember, headers=accept, timeout=30).ok
        source.chooses(folder)
        source.hears(DONE)
        write(folder / "new.mp4", b"new")
        source.opens()
        source.chooses(folder)
        source.hears("so they are not sent again: 5.")
        source.hears(DONE)
        source.opens()
        source.chooses(folder)
        source.hears("so they are not sent again: 6.")
        source.hears(DONE)
        assert source.count() == 6
        assert arrived() == as_sent(folder)


def test_the_page_promises_no_more_than_it_does(live: Live, browser: Browser, folder: Path) -> None:
    """Who is not remembered is told that whole files are sent again, and they are."""
    with sender(live, browser) as source:
        words = source.page.inner_text("#send") + source.page.inner_html("#words")
        assert "only what is missing is sent" not in words
        assert words.count("what was begun goes on where it stopped") == 2
        assert "Files that had arrived whole are sent again" in words
        for count in (5, 10):
            source.opens()
            source.chooses(folder)
            source.hears(DONE)
            assert source.count() == count
        source.page.click("#send-remember")
        source.page.click("button:has-text('Remember from now on')")
        source.page.locator("#send").wait_for()
        words = source.page.inner_text("#send") + source.page.inner_html("#words")
        assert words.count("only what is missing is sent") == 2
        assert "had arrived before we began to remember are sent once more" in words


def test_being_remembered_can_be_chosen_where_files_are_chosen(
    live: Live, browser: Browser
) -> None:
    """By keyboard alone: the link opens the choice, with its risk, and leads to the button."""
    with browser.new_context(bypass_csp=True) as context:
        source = Sender(live, context, live.base)
        source.opens()
        assert axe(source) == []
        source.page.locator("#send-remember").focus()
        source.page.keyboard.press("Enter")
        expect(source.page.locator("#remember-choice")).to_be_focused()
        expect(source.page.get_by_text("The risk: whoever gets hold")).to_be_visible()
        assert axe(source) == []
        source.page.keyboard.press("Tab")
        source.page.keyboard.press("Enter")
        source.page.get_by_text("Forget what I have sent").wait_for()
        assert source.drop()["remembers"] is True
        assert source.page.locator("#send-remember").count() == 0
        assert axe(source) == []


def test_three_hundred_files_arrive_on_a_small_page(
    live: Live, browser: Browser, tmp_path: Path
) -> None:
    """A row for each file would make a page that nobody can use."""
    for number in range(300):
        write(tmp_path / "many" / f"{number % 7}" / f"{number}.jpg", b"%d" % number)
    with arrivals(live) as arrived, sender(live, browser) as source:
        empty = source.elements()
        source.chooses(tmp_path / "many")
        most = 0
        while not source.is_done():
            most = max(most, source.elements())
        assert most <= empty + 30
        assert source.count() == 300
        some = arrived(every=10)
        assert len(some) >= 29  # one of them may be the certificate
        assert all(file in as_sent(tmp_path / "many") for file in some)


def test_a_file_that_was_changed_meanwhile_is_said_to_be_unreadable(
    live: Live, browser: Browser, clip: Path, tmp_path: Path
) -> None:
    """Not tried for ever: it is named, and the others arrive, also those chosen later."""
    with (
        Proxy(live.port, [Fault(Kind.STALL, "POST", after=500_000)]) as proxy,
        sender(live, browser, proxy.base) as source,
    ):
        source.chooses(clip, write(tmp_path / "b.mp4", b"b"))
        wait_until(lambda: proxy.faults_left == [])
        write(clip, b"another", TIME + 1)
        proxy.release()
        source.hears(NOT_ALL)
        expect(source.page.locator("#send-failed")).to_contain_text("cannot read this file")
        source.chooses(write(tmp_path / "new" / "c.mp4", b"c"))
        wait_until(lambda: source.count() == 2)


def test_leaving_while_sending_is_asked_about_but_not_in_a_hurry(
    live: Live, browser: Browser, clip: Path
) -> None:
    """Closing the page asks first; the button “Leave” does not."""
    with (
        Proxy(live.port, [Fault(Kind.STALL, after=1)]) as proxy,
        sender(live, browser, proxy.base) as source,
    ):
        asked: list[str] = []

        def stay(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.dismiss()

        source.page.on("dialog", stay)
        source.chooses(clip)
        wait_until(lambda: proxy.faults_left == [])
        source.page.click("#send-line")  # a browser asks only on behalf of who has touched the page
        source.page.close(run_before_unload=True)
        wait_until(lambda: bool(source.page.evaluate("() => 1")) and asked == ["beforeunload"])
        source.page.click("button:has-text('Leave') >> nth=0")
        source.page.get_by_text("You have left").wait_for()
        assert asked == ["beforeunload"]


def test_the_working_page_is_accessible(live: Live, browser: Browser, folder: Path) -> None:
    """axe finds nothing while files are sent, when some have failed, and when all is done."""
    with (
        Proxy(live.port, [Fault(Kind.STALL, after=1)]) as proxy,
        browser.new_context(bypass_csp=True) as context,
    ):
        source = Sender(live, context, proxy.base)
        source.opens()
        source.chooses(folder)
        wait_until(lambda: proxy.faults_left == [])
        assert axe(source) == []
        source.page.evaluate("() => { document.documentElement.dir = 'rtl'; }")
        source.page.set_viewport_size({"width": 320, "height": 640})
        assert source.page.evaluate("() => document.documentElement.scrollWidth") == 320
        proxy.release()
        source.hears(DONE)
        assert axe(source) == []


def axe(source: Sender) -> object:
    """Give what axe finds."""
    source.page.add_script_tag(path=AXE)
    return source.page.evaluate("() => axe.run().then((r) => r.violations.map((v) => v.id))")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_five_thousand_files_arrive(live: Live, browser: Browser, tmp_path: Path) -> None:
    """Issue 3: thousands of clips, over connections that break, whole and once."""
    for number in range(5_000):
        write(tmp_path / "many" / f"{number % 50}" / f"{number}.jpg", b"%d" % number * 100)
    faults = [Fault(kind, "POST", skip=400) for kind in (Kind.CUT, Kind.LOSE) for _ in range(4)]
    with (
        Proxy(live.port, faults) as proxy,
        arrivals(live) as arrived,
        sender(live, browser, proxy.base) as source,
    ):
        empty, most = source.elements(), 0
        source.chooses(tmp_path / "many")
        while not source.is_done():
            most = max(most, source.elements())
            source.page.wait_for_timeout(1000)
        assert most <= empty + 30
        assert source.count() == 5_000
        assert proxy.faults_left == []
        some, sent = arrived(every=10), {file.path: file for file in as_sent(tmp_path / "many")}
        assert len(some) >= 499
        assert all(file == sent[file.path] for file in some)
