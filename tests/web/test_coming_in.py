"""Coming in, coming back, leaving: the codename, and who may have been here before."""

import pytest
from flask import Flask

from config.settings import Settings
from crypto.codename import CHEAPEST
from submit.app import World, create_source_app, make_database
from tests.conftest import CloseLater
from tests.web.site import Browser, Machine, Page, Site

DAY = 86_400
FIRST_DAY = 21_915 * DAY  # 1 January 2030


class Calendar:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = float(FIRST_DAY)

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def calendar() -> Calendar:
    """Give a clock that stands still."""
    return Calendar()


@pytest.fixture
def app(settings: Settings, calendar: Calendar, close_later: CloseLater) -> Flask:
    """Give the site in a time of the test's own."""
    make_database(settings)
    return close_later(create_source_app(settings, World(seconds=calendar.now, cost=CHEAPEST)))


def test_nobody_goes_on_before_the_codename_is_typed_back(browser: Browser) -> None:
    """Lessons, users 15: who cannot come back finds out now, not in a week."""
    browser.asks_for_codename()
    for address in ("/drop", "/drop/messages"):
        answer = browser.get(address)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/codename")
    answer = browser.types_back(browser.codename)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/drop")
    assert browser.get("/drop").status_code == 200
    assert browser.get("/codename").headers["Location"] == "/drop"


def test_page_that_asks_for_the_codename_does_not_show_it(browser: Browser) -> None:
    """It must come from the paper; what was typed wrong is not shown either."""
    browser.asks_for_codename()
    words = browser.codename.split()
    for typed in (" ".join(reversed(words)), f"{words[0]}q " + " ".join(words[1:])):
        text = browser.types_back(typed).text
        assert not [word for word in words if f">{word}<" in text]
        assert f"{words[0]}q" not in text


def test_other_words_are_refused_and_nothing_is_lost(browser: Browser) -> None:
    """Eight words of the list that are not the ones shown: said in words, and asked again."""
    browser.asks_for_codename()
    answer = browser.types_back("able " * 8)
    page = Page(answer.text)
    assert answer.status_code == 403
    assert "not the ones" in page.text or "not the codename" in page.text
    assert "/codename" in [form["action"] for form in page.all("form")]
    assert browser.types_back(browser.codename).status_code == 303


def test_typo_in_the_codename_typed_back_is_helped_with(browser: Browser) -> None:
    """The place of the word is named, and the word that was meant."""
    browser.asks_for_codename()
    words = browser.codename.split()
    text = Page(browser.types_back(" ".join([*words[:7], words[7] + "q"])).text).text
    assert "Word number 8 is not in our list" in text


def test_who_did_not_write_it_down_starts_again(browser: Browser) -> None:
    """The old codename is thrown away, nothing was sent, and a new one is one step away."""
    browser.asks_for_codename()
    first = browser.codename
    token = browser.token("/codename")
    answer = browser.post("/session/end", {"token": token, "again": "yes"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    browser.asks_for_codename()
    assert browser.codename != first


def test_program_is_not_asked_to_type_back(machine: Machine) -> None:
    """The public face: a program goes on at once."""
    machine.post("/source", {})
    assert machine.get("/drop").status_code == 200
    assert machine.get("/drop/messages").status_code == 200


def test_who_comes_with_the_codename_has_it(browser: Browser, site: Site) -> None:
    """A codename that was never typed back but opens the door is asked for no more."""
    browser.asks_for_codename()
    another = Browser(site)
    another.enters(browser.codename)
    assert another.get("/drop").status_code == 200


def test_first_visit_shows_no_last_one(browser: Browser) -> None:
    """There was none."""
    browser.begins()
    assert "You were last here" not in Page(browser.get("/drop").text).text


def test_day_of_the_last_visit_is_shown(browser: Browser, site: Site, calendar: Calendar) -> None:
    """Lessons, users 16: who sees a day on which they were not here knows that somebody was."""
    browser.begins()
    calendar.seconds += 3 * DAY
    second = Browser(site)
    second.enters(browser.codename)
    assert "You were last here on January 1, 2030." in Page(second.get("/drop").text).text
    calendar.seconds += 2 * DAY
    third = Browser(site)
    third.enters(browser.codename)
    text = Page(third.get("/drop").text).text
    assert "You were last here on January 4, 2030." in text
    assert "somebody else has your codename" in text


def test_lost_codename_is_explained(browser: Browser) -> None:
    """From the first page and from each refused codename: what it means and what to do."""
    for page in (browser.get("/"), browser.enters("able " * 8)):
        assert "/lost" in [link["href"] for link in Page(page.text).all("a")]
    text = Page(browser.get("/lost").text).text
    for part in ("Nobody can find it for you", "stays with us", "Tell us in a message"):
        assert part in text


def test_way_out_stands_on_every_page_inside(browser: Browser) -> None:
    """Wherever the source is, one press ends it."""
    browser.begins()
    pages = [browser.get(at).text for at in ("/", "/drop", "/drop/messages", "/safety", "/large")]
    pages += [browser.writes("x").text, browser.writes("").text, browser.get("/nope").text]
    pages += [browser.sends(("a", b"a")).text, browser.sends(("", b"")).text]
    for text in pages:
        assert Page(text).all("form")[0]["action"] == "/session/end"


def test_leaving_clears_the_browser(browser: Browser) -> None:
    """The session's end, the page after it, and what the browser is told to forget."""
    browser.begins()
    answer = browser.post("/session/end", {"token": browser.token("/drop")})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/left")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert browser.session() == ""
    left = browser.get("/left", **{"Sec-Fetch-Site": "same-origin"})
    assert left.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert "close Tor Browser" in Page(left.text).text


@pytest.mark.parametrize("site_of_page", ["cross-site", "same-site", "none"])
def test_foreign_page_throws_nobody_out(browser: Browser, site_of_page: str) -> None:
    """Lessons 27: an address that a foreign page can fetch clears no cookie."""
    browser.begins()
    for headers in ({"Sec-Fetch-Site": site_of_page}, {"Sec-Fetch-Site": "same-origin"}, {}):
        assert "Clear-Site-Data" not in browser.get("/left", **headers).headers
    assert browser.get("/drop").status_code == 200


def test_foreign_form_takes_no_cookie_away(browser: Browser) -> None:
    """Lessons 27: it comes without cookies (SameSite), and the answer must not delete ours."""
    answer = browser.post("/session/end", {}, **{"Sec-Fetch-Site": "cross-site"})
    assert "Set-Cookie" not in answer.headers
    assert "Clear-Site-Data" not in answer.headers


def test_leaving_twice_is_no_error(browser: Browser, site: Site) -> None:
    """Whoever presses "Leave" on an old page has left."""
    browser.begins()
    token = browser.token("/drop")
    for _ in range(2):
        answer = browser.post("/session/end", {"token": token})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/left")


def test_nothing_of_the_inside_is_kept_by_the_browser(browser: Browser) -> None:
    """The back button asks again, and gets no page after leaving."""
    browser.begins()
    for address in ("/drop", "/drop/messages", "/codename"):
        assert browser.get(address).headers["Cache-Control"] == "no-store"
    browser.leaves()
    assert browser.get("/drop").status_code == 403
