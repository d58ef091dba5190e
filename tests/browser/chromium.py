"""Debian's Chromium, with or without scripts, for what both browsers must be able to do."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, sync_playwright

from tests.browser.person import PATIENCE, BrokenConnectionError

_CHROMIUM = "/usr/bin/chromium"


class Chromium:
    """A person in front of Chromium; see `Person`."""

    def __init__(self, browser: Browser, *, scripts: bool) -> None:
        self._browser, self._scripts = browser, scripts
        self._open()

    def _open(self) -> None:
        self._context = self._browser.new_context(java_script_enabled=self._scripts)
        self._context.set_default_timeout(PATIENCE * 1000)
        self.tab = self._context.new_page()

    def begins_anew(self) -> None:
        self._context.close()
        self._open()

    def goes(self, address: str) -> None:
        try:
            self.tab.goto(address)
        except Error as error:
            raise BrokenConnectionError(str(error)) from None

    def reads(self) -> str:
        try:
            return " ".join(self.tab.inner_text("body").split())
        except Error:  # between two pages
            return ""

    def types(self, field: str, text: str) -> None:
        self.tab.fill(f"[name={field}]", text)

    def chooses(self, files: Sequence[Path]) -> None:
        self.tab.set_input_files("input[name=files]", files)

    def presses(self, words: str) -> None:
        said = f":has-text('{words}')"
        self.tab.locator(f"button{said}:visible, a{said}:visible").first.click(no_wait_after=True)

    def is_refused(self) -> str | None:
        try:
            broken = 'id="main-frame-error"' in self.tab.content()
        except Error:
            return None
        return self.reads() or "Chromium's own page" if broken else None

    def page(self) -> str:
        return self.tab.content()


@contextmanager
def chromium(*, scripts: bool = False) -> Iterator[Chromium]:
    """Start Chromium with a context of its own; end it afterwards."""
    with sync_playwright() as playwright:
        # Root has no sandbox, and a container often has none either; the pages are our own.
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield Chromium(browser, scripts=scripts)
        browser.close()
