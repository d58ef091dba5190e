"""What axe, a keyboard and a small screen find on every page: scripts off, right-to-left, large.

tests/web/test_browser.py walks through the same pages with a script and in both colour schemes.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.scripted import chromium
from tests.live import Live, running
from tests.web.test_browser import AXE, come_in, every_page, shown_codename, unfold

SMALL: ViewportSize = {"width": 320, "height": 640}  # also 1280 pixels at 400 %
_AXE_RUN = "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
_SCRIPT = re.compile("<script.*?</script>", re.DOTALL)
_MOST_KEYS = 60  # from the top of a page to anything on it


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A running server with a small limit for files of a form."""
    with running(tmp_path_factory.mktemp("accessible"), max_form_file_length=1 << 20) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's browser."""
    with chromium() as started:
        yield started


def violations(page: Page) -> object:
    """Ask axe about a page on which scripts may run."""
    page.add_script_tag(path=AXE)
    return page.evaluate(_AXE_RUN)


def test_axe_finds_nothing_without_scripts(live: Live, browser: Browser) -> None:
    """What a page is with scripts off is carried to where axe can run, and looked at there."""
    with (
        browser.new_context(java_script_enabled=False) as without,
        browser.new_context(bypass_csp=True) as scanning,
    ):
        page, scanner = without.new_page(), scanning.new_page()
        scanner.goto(live.base)  # so that stylesheets are found
        for name in every_page(page, live.base):
            scanner.set_content(_SCRIPT.sub("", page.content()), wait_until="load")
            assert violations(scanner) == [], name


@pytest.mark.parametrize("language", ["ar", "zh"])
def test_axe_finds_nothing_in_other_scripts_and_directions(
    live: Live, browser: Browser, language: str
) -> None:
    """The pages that hold most, on a phone: nothing wrong, and nothing to scroll sideways."""
    with browser.new_context(bypass_csp=True, viewport=SMALL) as context:
        page = context.new_page()
        come_in(page, live.base)
        page.set_extra_http_headers({"Accept-Language": language})
        for address in ("", "drop", "drop/messages", "safety", "large", "lost", "nope"):
            page.goto(f"{live.base}/{address}")
            assert str(page.get_attribute("html", "lang")).startswith(language), address
            unfold(page)
            assert violations(page) == [], address
            assert page.evaluate("document.documentElement.scrollWidth") == SMALL["width"], address


def test_the_whole_way_works_by_keyboard_alone(live: Live, browser: Browser) -> None:
    """Tab, Enter, Space and letters: codename, typing it back, a message, leaving."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(live.base)
        _press(page, "Get a codename")
        codename = shown_codename(page)
        _press(page, "I have written it down")
        _write(page, "codename", codename)
        _press(page, "Continue")
        _press(page, "Write or read messages")
        _write(page, "text", "by keyboard")
        _press(page, "Send message")
        assert page.inner_text("h1") == "Your message arrived"
        _press(page, "Leave")
        assert page.inner_text("h1") == "You have left"


def test_what_is_folded_away_opens_by_keyboard(live: Live, browser: Browser) -> None:
    """No explanation needs a mouse."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(live.base)
        _tab_to(page, "Compare the fingerprint")
        page.keyboard.press("Enter")
        page.wait_for_selector("details[open] .fingerprint:visible")


def _press(page: Page, words: str) -> None:
    """Reach a button or link by Tab, press Enter, and wait for the page that comes of it."""
    _tab_to(page, words)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _write(page: Page, field: str, text: str) -> None:
    for _ in range(_MOST_KEYS):
        page.keyboard.press("Tab")
        if page.locator(f"textarea[name={field}]:focus").count():
            page.keyboard.type(text)
            return
    pytest.fail(f"no key leads to {field}")


def _tab_to(page: Page, words: str) -> None:
    focused = page.locator(":is(a, button, summary):focus", has_text=words)
    for _ in range(_MOST_KEYS):
        page.keyboard.press("Tab")
        if focused.count():
            return
    pytest.fail(f"no key leads to “{words}”")
