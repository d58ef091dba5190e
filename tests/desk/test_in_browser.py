"""The desk in real browsers without scripts: the whole way of a member, and every page looked at."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize
from selenium.webdriver.common.by import By
from werkzeug.serving import make_server

from submit.tus.requests import Append
from tests.browser.firefox import Firefox, firefox
from tests.browser.person import awaits
from tests.browser.scripted import chromium
from tests.desk.conftest import House, Member
from tests.desk.staff import StaffMember, new_staff
from tests.intake.conftest import Source
from tests.intake.world import ScriptedBody
from tests.live import Live, running
from tests.web.test_browser import AXE, unfold

DAY = 86400  # seconds
SMALL: ViewportSize = {"width": 320, "height": 640}  # also 1280 pixels at 400 %
ANSWER = "Thank you. Were you in the room yourself?"
_AXE_RUN = "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
# What is too small for a thumb (WCAG 2.5.5); a link inside a sentence is exempt.
_TOO_SMALL = """() => [...document.querySelectorAll(
    "button, summary, .button, textarea, label.choice, input:not([type=hidden], [type=checkbox]), p > a:only-child, h2 > a"
)].filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
  .filter(e => e.tagName !== "A" || e.parentElement.textContent.trim() === e.textContent.trim())
  .map(e => e.outerHTML)"""


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Firefox without scripts."""
    with firefox(tmp_path_factory.mktemp("firefox")) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's browser."""
    with chromium() as started:
        yield started


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Both sites, with the shipped server."""
    with running(tmp_path) as server:
        yield server.start_desk()


@pytest.fixture
def retention_days() -> int:
    """Three days, so that a source can be seen waiting."""
    return 3


@pytest.fixture
def address(house: House) -> Iterator[str]:
    """The desk of the house, for a real browser."""
    server = make_server("127.0.0.1", 0, house.desk, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.port}"
    server.shutdown()


def log_in(fox: Firefox, member: StaffMember) -> str:
    """Type name, passphrase and code; give the words of the list."""
    fox.begins_anew()
    fox.goes(member.live.desk)
    awaits(fox, "Your name here")
    fox.types("name", member.name)
    fox.types("passphrase", member.passphrase)
    fox.types("code", member.phone.code())
    fox.driver.find_element(By.CSS_SELECTOR, "main button").click()
    return awaits(fox, "Sources")


def unfold_one(fox: Firefox, words: str) -> None:
    """Open the first thing with these words that is folded away."""
    fox.driver.find_element(By.XPATH, f"//summary[contains(normalize-space(.), '{words}')]").click()


def write_reply(live: Live, folder: Path) -> Path:
    """Encrypt an answer to the only source, as staff do on the machine that is never online."""
    [certificate] = [one for one in live.open_all(folder) if one.name.startswith("reply-to-")]
    (folder / "to.asc").write_bytes(certificate.content)
    to = ("--trust-model", "always", "--recipient-file", str(folder / "to.asc"))
    done = live.ngo.gpg(*to, "--armor", "--encrypt", given=ANSWER.encode())
    assert done.returncode == 0, done.stderr.decode()
    reply = folder / "reply.asc"
    reply.write_bytes(done.stdout)
    return reply


def test_the_whole_way_of_a_member(fox: Firefox, live: Live, tmp_path: Path) -> None:
    """Log in, list, mark, answer with a file, delete with a confirmation, log out: in Firefox ESR."""
    source = live.new_source()
    live.append(source, live.create(source, 70_000), 0, bytes(70_000))
    shown = log_in(fox, new_staff(live, "ana"))
    [two_words] = re.findall(r"([a-z]+ [a-z]+) 1 unread 1 file", shown)
    fox.presses(two_words)
    awaits(fox, "What it sent")
    fox.driver.find_elements(By.XPATH, "//button[. = 'Mark as fetched']")[1].click()
    assert "0 unread" in awaits(fox, "Mark as unread")
    reply = write_reply(live, tmp_path / "offline")
    fox.driver.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(reply))
    fox.presses("Send the reply")
    awaits(fox, "a reply of")
    replies: Any = source.get(f"{live.base}/drop", timeout=30).json()["replies"]
    assert [each["text"] for each in replies] == [ANSWER]
    unfold_one(fox, "Delete everything of")
    fox.types("designation", two_words)
    fox.presses("Delete this source")
    awaits(fox, "Nothing has arrived yet")
    assert list(live.uploads.iterdir()) == []
    fox.presses("Log out")
    awaits(fox, "Your name here")
    fox.driver.back()
    assert "Sources" not in awaits(fox, "Log in")


def test_nothing_is_deleted_without_a_second_thought(fox: Firefox, live: Live) -> None:
    """What nobody has fetched goes only when a box is ticked: the browser itself asks for it."""
    source = live.new_source()
    live.append(source, live.create(source, 70_000), 0, bytes(70_000))
    shown = log_in(fox, new_staff(live, "bela"))
    fox.presses(re.findall(r"([a-z]+ [a-z]+) 1 unread", shown)[0])
    awaits(fox, "What it sent")
    boxes = fox.driver.find_elements(By.NAME, "unfetched")
    forms = [box.find_element(By.XPATH, "ancestor::details") for box in boxes]
    [file] = [
        form
        for form in forms
        if "Certificate" not in form.find_element(By.XPATH, "ancestor::li").text
    ]
    file.find_element(By.TAG_NAME, "summary").click()
    file.find_element(By.TAG_NAME, "button").click()
    assert "1 unread" in fox.reads()
    assert len(list(live.uploads.iterdir())) == 2
    file.find_element(By.NAME, "unfetched").click()
    file.find_element(By.TAG_NAME, "button").click()
    assert "0 unread" in awaits(fox, "0 files")
    assert len(list(live.uploads.iterdir())) == 1


def begin(source: Source, length: int, sent: int) -> None:
    """Begin an upload and send a part of it."""
    upload = source.begins("clip.mp4", bytes(length))
    append = Append(0, sent, None)
    source.intake.uploads.append(source.session, upload, append, ScriptedBody(bytes(sent)))


def type_login(page: Page, member: Member, code: str) -> None:
    """Fill in the login and press the button."""
    for name, text in (("name", "ana"), ("passphrase", member.made.passphrase), ("code", code)):
        page.fill(f"[name={name}]", text)
    page.click("main button")


def every_page(page: Page, address: str, house: House, ana: Member) -> Iterator[str]:
    """Walk through the desk; stop at each page, unfolded, and say its name."""
    for name in walk(page, address, house, ana):
        unfold(page)
        yield name


def walk(page: Page, address: str, house: House, ana: Member) -> Iterator[str]:
    """Go from page to page."""
    page.goto(address)
    yield "login"
    type_login(page, ana, "000000")
    yield "wrong login"
    type_login(page, ana, ana.code())
    yield "nothing there"
    old = house.new_source()
    old.writes("hello")
    begin(old, 1_000_000, 600_000)
    waiting = house.scene.designation(old)
    house.waits(9 * DAY)
    new = house.new_source()
    for number in range(3):
        new.sends(f"{number}.mp4", bytes(50_000 << number))
    for _ in range(7):
        begin(new, 2_000_000, 100_000)
    page.goto(address)  # the session has ended meanwhile
    type_login(page, ana, ana.code())
    yield "sources"
    page.click(f"text={waiting}")
    yield "a source that waits"
    page.go_back()
    page.click(f"text={house.scene.designation(new)}")
    page.click("text=Mark as fetched >> nth=-1")
    yield "a source"
    page.fill("#designation", "other words")
    page.click("text=Delete this source >> nth=-1")
    yield "other designation"
    page.click("text=Back to the source")
    page.click("text=All sources")
    yield "sources again"
    page.goto(f"{address}/nope")
    yield "missing"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_at_the_desk(
    house: House, ana: Member, address: str, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    """Each page is what it is without scripts, and is carried to where axe can run."""
    with (
        browser.new_context(java_script_enabled=False) as without,
        browser.new_context(bypass_csp=True, color_scheme=scheme) as scanning,
    ):
        page, scanner = without.new_page(), scanning.new_page()
        scanner.goto(f"{address}/login")  # so that stylesheets are found
        for name in every_page(page, address, house, ana):
            scanner.set_content(page.content(), wait_until="load")
            scanner.add_script_tag(path=AXE)
            assert scanner.evaluate(_AXE_RUN) == [], name


@pytest.mark.parametrize("text", ["100%", "200%"])
def test_the_desk_fits_on_a_phone(
    house: House, ana: Member, address: str, browser: Browser, text: str
) -> None:
    """320 pixels wide, in large letters too: nothing scrolls sideways, all is large enough to press."""
    with browser.new_context(java_script_enabled=False, viewport=SMALL) as context:
        page = context.new_page()
        for name in every_page(page, address, house, ana):
            page.evaluate(f"document.documentElement.style.fontSize = '{text}'")
            assert page.evaluate("document.documentElement.scrollWidth") == SMALL["width"], name
            assert page.evaluate(_TOO_SMALL) == [], name
