"""What a source sees when staff have deleted what it sent: nothing that looks like a loss."""

import time
from dataclasses import replace
from typing import Any

import pytest

from crypto.codename import CHEAPEST
from submit.app import World, create_source_app
from tests.conftest import CloseLater
from tests.desk.conftest import House, Member
from tests.intake.conftest import Source
from tests.web.site import Browser, Page, Site


@pytest.fixture(autouse=True)
def today(house: House) -> None:
    """Let it be now: the source's site refuses a key that is from the future."""
    house.world.now = time.time()


@pytest.fixture
def source(house: House) -> Source:
    """Somebody who has sent two files and a message."""
    made = house.new_source()
    made.sends("a.mp4", bytes(50_000))
    made.sends("b.mp4", bytes(50_000))
    made.writes("hello")
    return made


@pytest.fixture
def browser(house: House, source: Source, close_later: CloseLater) -> Browser:
    """The source's browser, in which it has come in with its codename."""
    world = house.world
    around = World(lambda: world.now, CHEAPEST, lambda _path: world.disk)
    settings = replace(world.settings, hosts=("localhost",))
    site = close_later(create_source_app(settings, around))
    browser = Browser(Site(site, settings.data))
    assert browser.enters(source.codename).status_code == 303
    return browser


def ask(browser: Browser) -> dict[str, Any]:
    """Ask for the source's page as a program does."""
    facts: Any = browser.get("/drop", Accept="application/json").json
    assert isinstance(facts, dict)
    return facts


def read(browser: Browser, address: str) -> str:
    """Read a page's words."""
    return Page(browser.get(address).text).text


def take(staff: Member, source: Source, *kinds: str, fetched: bool = True) -> None:
    """Delete one thing of each of these kinds."""
    address = staff.address_of(source)
    for kind in kinds:
        items = staff.asks(address)["items"]
        assert isinstance(items, list)
        upload = next(item["id"] for item in items if item["kind"] == kind)
        if fetched:
            staff.post(f"/sealed/{upload}/fetched")
        assert staff.post(f"/sealed/{upload}/delete", unfetched="yes").status_code == 303


def test_counts_never_go_down(staff: Member, source: Source, browser: Browser) -> None:
    """What has arrived stays counted, and the page says in words that some of it is gone."""
    assert "taken some of this off" not in read(browser, "/drop")
    assert ask(browser)["taken_off"] == {"files": 0, "messages": 0}
    take(staff, source, "file", "message")
    take(staff, source, "file", fetched=False)
    assert ask(browser)["received"] == {"files": 2, "messages": 1}
    assert ask(browser)["taken_off"] == {"files": 2, "messages": 1}
    page = read(browser, "/drop")
    assert "2 files 1 message" in page
    assert "We have taken some of this off this server: 3. It did arrive" in page
    assert "All of it is sealed and safe with us" not in page


def test_a_message_that_was_taken_off_is_told(
    staff: Member, source: Source, browser: Browser
) -> None:
    """A conversation that looks as if one had never written would frighten."""
    take(staff, source, "message")
    page = read(browser, "/drop/messages")
    assert "We have taken some of your messages off this server: 1. They did arrive" in page
    assert "There is nothing here yet" not in page


def test_what_never_counted_is_not_said_to_be_taken(
    staff: Member, source: Source, browser: Browser
) -> None:
    """The certificate, which the source did not send itself, and an upload that was unfinished."""
    take(staff, source, "certificate")
    upload = source.begins("clip.mp4", bytes(100_000))
    assert staff.post(f"/sealed/{upload}/delete", unfinished="yes").status_code == 303
    assert ask(browser)["taken_off"] == {"files": 0, "messages": 0}
    assert "2 files 1 message" in read(browser, "/drop")


def test_the_count_of_a_broken_form_is_not_of_what_was_deleted(
    staff: Member, source: Source, browser: Browser
) -> None:
    """Two files arrive while one of before is deleted: two are said to have arrived."""
    source.intake.last_form.begin(source.session, b"boundary")
    source.sends("c.mp4", b"c")
    source.sends("d.mp4", b"d")
    take(staff, source, "file")
    form = source.intake.last_form.show(source.session)
    assert form is not None
    assert form.received == 2
