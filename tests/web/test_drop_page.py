"""The source's own page: parts, what became of the last form, what is remembered."""

from dataclasses import replace

import pytest

from config.settings import Settings
from tests.web.site import BOUNDARY, Browser, Machine, Page, Site, write_form


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Let two forms come in at once."""
    return replace(settings, uploads_at_once=2)


def drop(browser: Browser) -> str:
    """Give the words of the page."""
    return Page(browser.get("/drop").text).text


def test_missing_parts_are_named(browser: Browser) -> None:
    """Users 1: a file cut by 7-Zip or split; what is between the first and the last is asked for."""
    browser.begins()
    browser.sends(("film.mp4.001", b"1" * 9), ("film.mp4.004", b"4" * 9))
    text = drop(browser)
    assert "film.mp4 2 parts have arrived. 2 parts between them are missing:" in text
    assert "film.mp4.002" in text
    assert "film.mp4.003" in text
    assert "film.mp4.005" not in text
    browser.sends(("film.mp4.002", b"2" * 9), ("film.mp4.003", b"3" * 9))
    text = drop(browser)
    assert "4 parts have arrived." in text
    assert (
        "No part between them is missing. If there is one more, its name is: film.mp4.005" in text
    )


def test_many_missing_parts_do_not_flood_the_page(browser: Browser) -> None:
    """Twenty are named, the others counted."""
    browser.begins()
    browser.sends(("film.001", b"1"), ("film.400", b"4"))
    text = drop(browser)
    assert "398 parts between them are missing" in text
    assert "film.021" in text
    assert "film.022" not in text
    assert "and 378 more" in text


def test_source_says_that_these_are_all_parts(browser: Browser, machine: Machine) -> None:
    """The button closes the set; without our token nothing closes it."""
    browser.begins()
    browser.sends(("film.aa", b"1" * 9), ("film.ab", b"2" * 9))
    page = Page(browser.get("/drop").text)
    [address] = [str(form["action"]) for form in page.all("form") if "parts" in str(form["action"])]
    assert browser.post(address, {"token": "wrong"}).status_code == 403
    assert "Files in parts" in drop(browser)
    answer = browser.post(address, {"token": browser.token("/drop")})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/drop")
    assert "Files in parts" not in drop(browser)
    machine.post("/source", {})
    assert machine.post(address, {}).status_code == 404


def test_program_sees_parts(machine: Machine) -> None:
    """The public face: id, name, how many arrived, what is missing, what would follow."""
    machine.post("/source", {})
    machine.sends(("film.001", b"1"), ("film.003", b"3"))
    shown = machine.get("/drop").json
    assert shown is not None
    [one] = shown["parts"]
    assert one.pop("id")
    assert one == {"name": "film", "arrived": 2, "missing": ["film.002"], "next": "film.004"}


def test_page_after_a_broken_form_says_exactly_what_arrived(browser: Browser, site: Site) -> None:
    """Issue 3: the browser's error page says nothing; ours is the next one that the source sees."""
    browser.begins()
    browser.sends(("before", b"0"))
    whole = [(f"{n}.jpg", bytes([n])) for n in range(12)]
    body = write_form(browser.token("/drop"), *whole, ("cut.jpg", b"c" * 1000))
    browser.posts_body(body[:-500], cut=True)
    another = Browser(site)
    another.enters(browser.codename)
    text = drop(another)
    assert "13 files 0 messages" in text
    assert "not all of them arrived" in text
    assert "12 files arrived complete." in text
    assert "The connection broke before everything had arrived." in text
    assert "Send the file at place 13 and all after it again." in text
    assert "too large" not in text
    assert "cut.jpg" not in text


def test_form_on_its_way_is_counted(browser: Browser, site: Site) -> None:
    """A dead circuit tells nobody: the server may still wait while the source is back already."""
    browser.begins()
    another = Browser(site)
    another.enters(browser.codename)
    seen: list[str] = []

    def looks() -> bytes:
        seen.append(drop(another))
        return b""

    body = write_form(browser.token("/drop"), ("a", b"1" * 9), ("b", b"2" * 70_000))
    browser.posts_slowly(lambda: body[:1000], looks, lambda: body[1000:])
    [text] = seen
    assert "still on their way, or the connection broke" in text
    assert "1 file has arrived complete since you pressed the button." in text
    assert "all arrived: 2 files." in drop(another)


def test_late_end_of_a_dead_form_does_not_hide_a_newer_one(browser: Browser, site: Site) -> None:
    """The server notices a dead circuit minutes later; by then the rest was sent again."""
    browser.begins()
    another = Browser(site)
    another.enters(browser.codename)

    def sends_again() -> bytes:
        another.sends(("c", b"3"))
        return b""

    body = write_form(browser.token("/drop"), ("a", b"1"), ("b", b"2" * 9000))
    browser.posts_slowly(lambda: body[:1000], sends_again)
    text = drop(another)
    assert "all arrived: 1 file." in text
    assert "not all of them arrived" not in text


def test_files_that_were_too_large_are_counted_later_too(browser: Browser) -> None:
    """Their names are not kept, their number is, and the way out is named."""
    browser.begins()
    browser.sends(("large.mp4", b"x" * 300_001), ("small", b"y"))
    text = drop(browser)
    assert "1 file arrived complete. 1 file was too large and is not kept." in text
    assert "large.mp4" not in text


def test_what_became_of_a_form_is_not_readable_at_rest(browser: Browser, site: Site) -> None:
    """Promise 1: not even the counts of one form."""
    browser.begins()
    browser.sends(("a", b"a"))
    body = write_form(browser.token("/drop"), ("b", b"b"))
    browser.posts_body(body[: -len(f"--{BOUNDARY}--\r\n")], cut=True)
    for path in site.data.glob("records.sqlite3*"):
        content = path.read_bytes()
        for word in (b"received", b"refused", b"FormCutShort"):
            assert word not in content


def test_total_is_said_after_each_form(browser: Browser) -> None:
    """Issue 3: exactly what arrived, and what that makes in all."""
    browser.begins()
    browser.sends(("a", b"a"))
    text = Page(browser.sends(("b", b"b"), ("c", b"c")).text).text
    assert "2 files arrived complete." in text
    assert "In all we now have 3 files from you" in text


def test_remembering_is_asked_for_with_its_risk(browser: Browser) -> None:
    """Users 10: opt-in, one sentence of risk, and the way back beside it."""
    browser.begins()
    text = drop(browser)
    assert "whoever gets hold of your codename could test" in text
    token = {"token": browser.token("/drop")}
    assert browser.post("/drop/sent/remember", token).headers["Location"] == "/drop"
    assert "We remember which files you send" in drop(browser)
    assert browser.post("/drop/sent/forget", token).headers["Location"] == "/drop"
    assert "We remember which files you send" not in drop(browser)


def test_program_turns_remembering_on_and_off(machine: Machine) -> None:
    """The public face."""
    machine.post("/source", {})
    for address, remembers in (("remember", True), ("forget", False)):
        answer = machine.post(f"/drop/sent/{address}", {})
        assert (answer.status_code, answer.json) == (200, {})
        shown = machine.get("/drop").json
        assert shown is not None
        assert shown["remembers"] is remembers
