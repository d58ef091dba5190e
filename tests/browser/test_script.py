"""With a script: whole folders arrive over breaking connections, and nothing stays in the browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, expect

from tests.browser.scripted import (
    MEBIBYTE,
    Arrived,
    Sender,
    arrivals,
    chromium,
    log_out,
    sender,
)
from tests.live import Live, running, wait_until
from tests.proxy import Fault, Kind, Proxy

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
DONE, NOT_ALL = "Done. All that you have chosen has arrived.", "not everything has arrived"
TIME = 1_700_000_000
LONG = 9 * MEBIBYTE + 1


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


def write(path: Path, content: bytes, modified: int = TIME) -> Path:
    """Write a file with a time of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (modified, modified))
    return path


def as_sent(folder: Path) -> list[Arrived]:
    """What staff must have of a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(
        (Arrived(str(p.relative_to(folder.parent)), TIME, p.read_bytes()) for p in files),
        key=lambda file: file.path,
    )


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
        assert proxy.faults_left == []
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
        source.hears(DONE)
        assert source.count() == 2
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


def test_an_ended_session_is_said_and_can_be_gone_on_with(
    live: Live, browser: Browser, clip: Path
) -> None:
    """Nothing is called lost or refused: log in again, press the button, and it goes on."""
    slow = Fault(Kind.CUT, skip=1, after=100_000)
    with (
        Proxy(live.port, [slow]) as proxy,
        arrivals(live) as arrived,
        sender(live, browser, proxy.base, opened=False) as source,
    ):
        log_in_twice = source.session.cookies["nightferry"]
        source.opens()
        source.page.route("**/uploads/*", lambda route: (wait_out(source), route.continue_()))
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
        assert log_in_twice
        assert arrived() == [Arrived("clip.mp4", TIME, clip.read_bytes())]


def wait_out(source: Sender) -> None:
    """End the session, once."""
    if source.session.cookies.get("nightferry"):
        log_out(source.live, source.session)
        source.session.cookies.clear()


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
