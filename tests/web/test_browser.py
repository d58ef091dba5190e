"""The pages in a real browser: without scripts, on a small screen, with large text, for everybody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, FilePayload, Page, ViewportSize, sync_playwright

from tests.live import Live, running

CHROMIUM = "/usr/bin/chromium"
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SMALL: ViewportSize = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Give a running server with a small limit for files of a form."""
    with running(tmp_path_factory.mktemp("browser"), max_form_file_length=1 << 20) as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give Debian's browser."""
    with sync_playwright() as playwright:
        # Root has no sandbox, and a container often has none either; the pages are our own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def every_page(page: Page, base: str) -> Iterator[str]:
    """Walk through the whole site as a person does; stop at each page and say its name."""
    for name in walk(page, base):
        page.wait_for_load_state("load")  # a click does not wait for the stylesheet
        yield name


def walk(page: Page, base: str) -> Iterator[str]:
    """Go from page to page."""
    page.goto(base)
    yield "landing"
    press(page, "button:has-text('Get a codename')")
    codename = shown_codename(page)
    yield "codename"
    press(page, "text=I have written it down")
    yield "type back"
    type_back(page, "able " * 8)
    yield "typed wrong"
    type_back(page, codename)
    yield "empty drop"
    choose(page, ("видео 1.mp4", b"x" * 1000), ("x" * 200, b"y" * ((1 << 20) + 1)))
    yield "files"
    press(page, "text=Back to your page")
    choose(page, ("film.mp4.001", b"1"), ("film.mp4.003", b"3"), ("x" * 100 + ".aa", b"a"))
    press(page, "text=Back to your page")
    press(page, "text=Write or read messages")
    yield "no messages"
    page.fill("textarea[name=text]", " ")
    press(page, "button:has-text('Send message')")
    yield "message refused"
    page.fill("textarea[name=text]", "Привет")
    press(page, "button:has-text('Send message')")
    yield "message"
    press(page, "text=Back to your messages")
    yield "messages"
    for address in ("drop", "safety", "large", "lost"):
        page.goto(f"{base}/{address}")
        unfold(page)
        yield address
    press(page, "button:has-text('Leave') >> nth=0")
    yield "left"
    page.goto(base)
    page.fill("textarea[name=codename]", "abacus " * 7 + "abdomn")
    press(page, "button:has-text('Go to my page')")
    yield "mistyped"
    page.goto(f"{base}/nope")
    yield "missing"


def press(page: Page, what: str) -> None:
    """Press a button or follow a link, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.click(what)


def shown_codename(page: Page) -> str:
    """Read the eight words off the page."""
    return " ".join(page.locator(".codename li").all_inner_texts())


def type_back(page: Page, codename: str) -> None:
    """Type a codename into the page that asks for it back."""
    page.fill("textarea[name=codename]", codename)
    press(page, "button:has-text('Continue')")


def come_in(page: Page, base: str) -> str:
    """Get a codename and go on to the source's page; give the codename."""
    page.goto(base)
    press(page, "button:has-text('Get a codename')")
    codename = shown_codename(page)
    press(page, "text=I have written it down")
    type_back(page, codename)
    page.wait_for_load_state("load")
    return codename


def unfold(page: Page) -> None:
    """Open everything that is folded away."""
    page.wait_for_load_state("load")
    for summary in page.locator("summary:visible").all():
        summary.click()


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    """Choose files and press the button."""
    chosen: list[FilePayload] = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        for name, content in files
    ]
    page.wait_for_load_state("load")
    if page.locator("#send-plain").is_visible():  # with a script the plain form is folded away
        page.click("#send-plain summary")
    page.set_input_files("input[name=files]", chosen)
    press(page, "button:has-text('Send files')")


def test_everything_works_without_scripts(live: Live, chromium: Browser) -> None:
    """Promise 4: codename, files, message, leaving, and coming back, by clicks and keys alone."""
    with chromium.new_context(java_script_enabled=False, viewport=SMALL) as context:
        page = context.new_page()
        codename = come_in(page, live.base)
        choose(page, ("видео.mp4", b"1"), ("видео.mp4", b"2"), ('say "hi"\\.txt', b"3"))
        assert "3 files arrived complete" in page.inner_text("main")
        press(page, "text=Back to your page")
        press(page, "text=Write or read messages")
        page.fill("textarea[name=text]", "Привет")
        press(page, "button:has-text('Send message')")
        assert "Your message arrived" in page.inner_text("h1")
        press(page, "text=To your page")
        press(page, "button:has-text('Leave') >> nth=0")
        assert "You have left" in page.inner_text("h1")
        page.goto(live.base)
        page.fill("textarea[name=codename]", codename)
        page.keyboard.press("Tab")
        with page.expect_navigation():  # unlike a click, a key does not wait
            page.keyboard.press("Enter")
        assert "3 files 1 message" in " ".join(page.inner_text("main").split())


def test_names_arrive_as_the_browser_has_them(
    live: Live, chromium: Browser, tmp_path: Path
) -> None:
    """A real browser's way to write names is read back, and the NGO gets the content."""
    before = set(live.uploads.glob("*.tar.gpg"))
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        come_in(page, live.base)
        choose(page, ('q"u\\o%te й.txt', b"content"))
        assert "All files arrived" in page.inner_text("h1")
    opened = [live.open(new, tmp_path) for new in set(live.uploads.glob("*.tar.gpg")) - before]
    [file] = [one for one in opened if not one.name.startswith("reply-to-")]
    assert (file.name, file.content) == ('q"u\\o%te й.txt', b"content")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(
    live: Live, chromium: Browser, scheme: Literal["light", "dark"]
) -> None:
    """axe finds nothing: names, labels, contrast, structure, on every page and in both schemes."""
    with chromium.new_context(bypass_csp=True, color_scheme=scheme) as context:
        page = context.new_page()
        for name in every_page(page, live.base):
            page.add_script_tag(path=AXE)
            found = page.evaluate("axe.run().then(r => r.violations.map(v => [v.id, v.help]))")
            assert found == [], name


@pytest.mark.parametrize(("direction", "text"), [("ltr", "100%"), ("ltr", "200%"), ("rtl", "150%")])
def test_nothing_scrolls_sideways(live: Live, chromium: Browser, direction: str, text: str) -> None:
    """320 px wide is a phone, or 400 % zoom; large text and right-to-left come on top."""

    with chromium.new_context(viewport=SMALL) as context:
        page = context.new_page()
        for name in every_page(page, live.base):
            page.evaluate(f"document.documentElement.dir = '{direction}'")
            page.evaluate(f"document.documentElement.style.fontSize = '{text}'")
            assert page.evaluate("document.documentElement.scrollWidth") == 320, name


def test_words_of_a_codename_stand_on_one_line_each(live: Live, chromium: Browser) -> None:
    """A word that broke over two lines would be written down as two words."""

    with chromium.new_context(viewport=SMALL) as context:
        page = context.new_page()
        page.goto(live.base)
        press(page, "button:has-text('Get a codename')")
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        page.evaluate("document.querySelector('.codename li').textContent = 'w'.repeat(9)")
        heights = "[...document.querySelectorAll('.codename li')].map(e => e.offsetHeight)"
        assert len(set(page.evaluate(heights))) == 1
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_policy_is_never_in_our_own_way(live: Live, chromium: Browser) -> None:
    """Lessons 31: the browser reports not one violation, and asks nobody but us for anything."""
    with chromium.new_context() as context:
        page = context.new_page()
        said: list[str] = []
        asked: set[str] = set()
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.add(request.url))
        assert len(list(every_page(page, live.base))) == 17
        assert not [text for text in said if "Content Security Policy" in text]
        assert [url for url in asked if not url.startswith(live.base)] == []


def test_focus_is_visible(live: Live, chromium: Browser) -> None:
    """Who uses the keyboard sees where they are, on every control of the source's page."""
    with chromium.new_context() as context:
        page = context.new_page()
        come_in(page, live.base)
        reached = "a:visible, button:visible, summary:visible, input:visible:not([type=hidden])"
        controls = page.locator(reached).count()
        outlines = []
        for _ in range(controls):
            page.keyboard.press("Tab")
            outlines.append(page.evaluate("getComputedStyle(document.activeElement).outlineWidth"))
        assert outlines == ["3px"] * controls


def test_everything_that_is_pressed_is_large_enough(live: Live, chromium: Browser) -> None:
    """44 pixels for a thumb (WCAG 2.5.5), on every page; a link inside a sentence is exempt."""
    small = """() => [...document.querySelectorAll(
        "button, summary, .button, textarea, input:not([type=hidden]), p > a:only-child"
    )].filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
      .filter(e => e.tagName !== "A" || e.parentElement.textContent.trim() === e.textContent.trim())
      .map(e => e.outerHTML)"""
    with chromium.new_context(viewport=SMALL) as context:
        page = context.new_page()
        for name in every_page(page, live.base):
            assert page.evaluate(small) == [], name


def test_way_out_is_in_reach_at_the_end_of_a_long_page(live: Live, chromium: Browser) -> None:
    """Scrolling does not take it away."""
    with chromium.new_context(viewport=SMALL) as context:
        page = context.new_page()
        come_in(page, live.base)
        page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
        assert page.evaluate("window.scrollY") > 0
        box = page.locator(".top button").bounding_box()
        assert box is not None
        assert 0 <= box["y"] < 100


def test_back_button_shows_nothing_after_leaving(live: Live, chromium: Browser) -> None:
    """Whoever takes the computer over next finds no page of the inside."""
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        come_in(page, live.base)
        page.click(".top button")
        assert "You have left" in page.inner_text("h1")
        page.go_back()
        assert "What has arrived" not in page.inner_text("main")
