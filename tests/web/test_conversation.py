"""Messages in both directions, and that no text somebody typed is lost."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.settings import Settings
from crypto.codename import CHEAPEST
from submit.app import World, create_source_app, make_database
from submit.store.disk import File, FolderDisk
from tests.conftest import CloseLater
from tests.web.site import Browser, Machine, Page, Site
from tests.web.staff import Staff

REPLY = "Спасибо.\n\n  1. When?\n  2. <script>alert(1)</script>\n"


def field(page: Page, name: str) -> str:
    """Give the value of a page's last hidden field of a name."""
    return next(str(one["value"]) for one in reversed(page.all("input")) if one["name"] == name)


def test_reply_is_shown_as_it_was_written(browser: Browser, staff: Staff) -> None:
    """Any script, lines kept, direction by its letters, and markup is only text."""
    browser.begins()
    browser.writes("question")
    staff.answers(REPLY)
    answer = browser.get("/drop/messages")
    assert REPLY in "".join(Page(answer.text).texts)
    assert not [one for one in Page(answer.text).all("script") if not one.get("src")]
    assert {"class": "text", "dir": "auto"} in Page(answer.text).all("div")


def test_drop_page_tells_of_replies(browser: Browser, staff: Staff) -> None:
    """News stands first, with its number."""
    browser.begins()
    browser.writes("question")
    assert "We have written to you" not in browser.get("/drop").text
    staff.answers("one")
    assert "We have written to you: 1 reply" in Page(browser.get("/drop").text).text
    staff.answers("two")
    assert "We have written to you: 2 replies" in Page(browser.get("/drop").text).text


def test_reply_is_read_with_the_codename_in_another_browser(
    browser: Browser, site: Site, staff: Staff
) -> None:
    """The key comes with the codename, not with the browser."""
    browser.begins()
    browser.writes("question")
    staff.answers("the answer")
    another = Browser(site)
    another.enters(browser.codename)
    assert "the answer" in another.get("/drop/messages").text


def test_reply_is_deleted_after_a_second_step(browser: Browser, staff: Staff) -> None:
    """The button that deletes is folded away until somebody asks for it; then it is gone."""
    browser.begins()
    browser.writes("question")
    reply = staff.answers("the answer")
    page = browser.get("/drop/messages").text
    assert page.index("<details>") < page.index(f"/drop/replies/{reply}/delete")
    answer = browser.post(
        f"/drop/replies/{reply}/delete", {"token": browser.token("/drop/messages")}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/drop/messages")
    assert "the answer" not in browser.get("/drop/messages").text
    again = browser.post(f"/drop/replies/{reply}/delete", {"token": browser.token("/drop")})
    assert again.status_code == 404


def test_reply_of_another_source_is_not_there(browser: Browser, site: Site, staff: Staff) -> None:
    """Lessons 15: knowing an id gives no right; the same 404 as for one that never was."""
    browser.begins()
    browser.writes("question")
    reply = staff.answers("the answer")
    thief = Browser(site)
    thief.begins()
    for one in (reply, "a" * 26):
        answer = thief.post(f"/drop/replies/{one}/delete", {"token": thief.token("/drop")})
        assert answer.status_code == 404
    assert "the answer" in browser.get("/drop/messages").text
    assert "the answer" not in thief.get("/drop/messages").text


def test_program_reads_and_deletes_replies(machine: Machine, staff: Staff) -> None:
    """The public face: id, day and exact text."""
    machine.post("/source", {})
    machine.post("/drop/messages", {"text": "question"})
    reply = staff.answers(REPLY)
    for address in ("/drop", "/drop/messages"):
        shown = machine.get(address).json
        assert shown is not None
        [one] = shown["replies"]
        assert (one["id"], one["text"]) == (reply, REPLY)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", one["day"])
    deleted = machine.post(f"/drop/replies/{reply}/delete", {})
    assert (deleted.status_code, deleted.json) == (200, {})
    gone = machine.post(f"/drop/replies/{reply}/delete", {})
    assert gone.status_code == 404
    assert gone.json is not None
    assert list(gone.json) == ["error"]


def test_own_messages_are_shown_by_day_only(browser: Browser) -> None:
    """Lessons, traps: what was sent cannot be shown, and is not kept to be shown."""
    browser.begins()
    browser.writes("canary")
    browser.writes("canary again")
    page = browser.get("/drop/messages").text
    text = Page(page).text
    assert re.search(r"You wrote to us on [A-Z][a-z]+ \d+, \d{4}: 2 messages", text)
    assert "It is sealed, so it cannot be shown." in text
    assert "canary" not in page


@pytest.mark.parametrize("how", [str, str.upper, lambda words: words.replace(" ", "-")])
def test_codename_in_a_message_is_refused_and_the_text_comes_back(
    browser: Browser, site: Site, how: object
) -> None:
    """Lessons 24: nobody needs it; it would stand in the staff's files for ever."""
    assert callable(how)
    browser.begins()
    text = f"I am {how(browser.codename)}, remember?"
    answer = browser.writes(text)
    assert answer.status_code >= 400
    page = Page(answer.text)
    assert text in page.text
    assert "contains your codename" in page.text
    assert site.sealed() == []


def test_message_outlives_the_session(browser: Browser, site: Site) -> None:
    """Users 4: away for too long, then the codename, then it is sent: nothing typed again."""
    browser.begins()
    token = browser.token("/drop/messages")
    ends_elsewhere(site, browser)
    held = browser.post("/drop/messages", {"token": token, "text": "three\r\nlong\r\nhours"})
    assert held.status_code == 403
    assert "three\r\nlong\r\nhours" in held.text
    assert site.sealed() == []
    wrong = Page(send_held(browser, Page(held.text), "able " * 8, "three long hours"))
    assert "This codename is not known here" in wrong.text
    assert "three long hours" in wrong.text
    sent = send_held(browser, wrong, browser.codename, "three long hours")
    assert "Your message arrived" in Page(sent).text
    assert browser.counts() == (0, 1)


def send_held(browser: Browser, page: Page, codename: str, text: str) -> str:
    """Enter a codename into the page that holds a message."""
    fields = {"token": field(page, "token"), "codename": codename, "text": text}
    return browser.post("/drop/messages", fields).text


def ends_elsewhere(site: Site, browser: Browser) -> None:
    """End a browser's session behind its back."""
    same = Browser(site)
    same.client.set_cookie("nightferry", browser.session())
    same.leaves()


def test_foreign_page_lays_no_words_into_the_form(browser: Browser) -> None:
    """A text that no page of ours sent is shown to be copied, and never sent with the codename."""
    held = browser.post("/drop/messages", {"token": "guess", "text": "I confess"})
    assert held.status_code == 403
    page = Page(held.text)
    assert "/drop/messages" not in [form["action"] for form in page.all("form")]
    assert [area for area in page.all("textarea") if "readonly" in area]
    refused = browser.post(
        "/drop/messages", {"text": "I confess"}, **{"Sec-Fetch-Site": "cross-site"}
    )
    assert "I confess" not in refused.text


def test_message_of_an_older_session_is_not_lost(browser: Browser, site: Site) -> None:
    """Logged in anew in a second tab: the first tab's message comes back to be copied."""
    browser.begins()
    token = browser.token("/drop/messages")
    browser.enters(browser.codename)
    held = browser.post("/drop/messages", {"token": token, "text": "typed before"})
    assert held.status_code == 403
    assert "typed before" in Page(held.text).text
    assert site.sealed() == []


def test_program_outside_gets_no_text_back(machine: Machine) -> None:
    """JSON: the refusal alone."""
    answer = machine.post("/drop/messages", {"text": "x"})
    assert answer.status_code == 403
    assert answer.json is not None
    assert list(answer.json) == ["error"]


SEALED_AT_ONCE = 32


class HeldDisk(FolderDisk):
    """A disk that answers nobody for a while."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked, self.freed = threading.Semaphore(0), threading.Event()
        self.freed.set()

    def create(self, name: str) -> File:
        self.asked.release()
        assert self.freed.wait(60)
        return super().create(name)


def test_message_comes_back_when_too_many_are_being_sealed(
    settings: Settings, close_later: CloseLater
) -> None:
    """503 with the text in the page: a browser would have kept nothing of it."""
    disks: list[HeldDisk] = []

    def hold(folder: Path) -> HeldDisk:
        disks.append(HeldDisk(folder))
        return disks[-1]

    make_database(settings)
    app = close_later(create_source_app(settings, World(cost=CHEAPEST, disk=hold)))
    [disk], site = disks, Site(app, settings.data)
    browser, program = Browser(site), Machine(site)
    browser.begins()
    program.post("/source", {})
    others = [Machine(site) for _ in range(SEALED_AT_ONCE)]
    for other in others:
        other.post("/source", {})
    disk.freed.clear()
    with ThreadPoolExecutor(SEALED_AT_ONCE) as pool:
        sent = [pool.submit(other.post, "/drop/messages", {"text": "x"}) for other in others]
        try:
            assert all(disk.asked.acquire(timeout=60) for _ in others)
            refused = browser.writes("typed\r\nfor hours")
            told = program.post("/drop/messages", {"text": "x"})
        finally:
            disk.freed.set()
    for answer in (refused, told):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "typed\r\nfor hours" in refused.text
    assert [one.result().status_code for one in sent] == [201] * SEALED_AT_ONCE
    assert "Your message arrived" in browser.writes("typed\r\nfor hours").text
