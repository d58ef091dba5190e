"""A source in Chromium with scripts on: chooses folders, waits for words, notices violations."""

import io
import os
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.live import Live, wait_until

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 60_000  # milliseconds, on a busy machine
MEBIBYTE = 1 << 20
LONG = 9 * MEBIBYTE + 1  # octets: several requests
TIME = 1_700_000_000  # seconds since 1970
DONE, NOT_ALL = "Done. All that you have chosen has arrived.", "not everything has arrived"

# The browser tells the console of what the policy forbids, in words of its own; so do we, in ours.
# And what a screen reader would say is written down.
_TELL = """
addEventListener("securitypolicyviolation", (event) =>
    console.error("VIOLATION " + event.effectiveDirective + " " + event.blockedURI));
window.heard = [];
addEventListener("DOMContentLoaded", () => {
    const said = document.getElementById("send-said");
    if (said) new MutationObserver(() => window.heard.push(said.textContent))
        .observe(said, { childList: true, characterData: true, subtree: true });
});
"""


@dataclass(frozen=True)
class Arrived:
    """One file as staff have it: exact path, seconds since 1970, content."""

    path: str
    modified: float
    content: bytes


class Sender:
    """A source that is inside, with its page open; `base` may be a proxy's."""

    def __init__(self, live: Live, context: BrowserContext, base: str) -> None:
        """Become a source, and type the codename back as everybody must."""
        self.live, self.context, self.base = live, context, base
        self.session = live.new_source()
        self.codename: str = self.session.codename  # type: ignore[attr-defined] # set by Live
        self.session.post(f"{live.base}/codename", data={"codename": self.codename}, timeout=30)
        self.troubles: list[str] = []
        self.page = self._new_page()

    def _new_page(self) -> Page:
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(_TELL)
        page = self.context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if "VIOLATION" in message.text or "Content Security Policy" in message.text:
            self.troubles.append(message.text)

    def opens(self) -> None:
        """Open the source's page with the session's cookie."""
        cookie = self.session.cookies["nightferry"]
        self.context.add_cookies([{"name": "nightferry", "value": cookie, "url": self.base}])
        self.page.goto(f"{self.base}/drop")
        self.page.locator("#send").wait_for()

    def chooses(self, *paths: Path) -> None:
        """Choose one folder, or files."""
        if paths[0].is_dir():
            self.page.set_input_files("#send-folder", paths[0])
        else:
            self.page.set_input_files("#send-files", paths)

    def hears(self, words: str) -> None:
        """Wait until the page says so."""
        self.page.locator("#send-state").get_by_text(words).first.wait_for()

    def is_done(self) -> bool:
        """Tell whether the page says that all has arrived."""
        return self.page.inner_text("#send-mood").startswith("Done.")

    def drop(self) -> dict[str, object]:
        """Ask what has arrived, as a program does."""
        answer: dict[str, object] = self.session.get(f"{self.live.base}/drop", timeout=30).json()
        return answer

    def offset(self) -> int:
        """Give the server's offset of the one upload that is not finished; 0 if there is none."""
        unfinished = self.drop()["unfinished"]
        assert isinstance(unfinished, list)
        return unfinished[0]["offset"] if unfinished else 0

    def waits_for_offset(self, octets: int) -> None:
        """Wait until the server has so much of the one upload."""
        wait_until(lambda: self.offset() >= octets)

    def count(self) -> object:
        """Count the files that have arrived."""
        received = self.drop()["received"]
        assert isinstance(received, dict)
        return received["files"]

    def shown_octets(self) -> float:
        """Read the whole bar."""
        value = self.page.locator("#send-progress").evaluate("(bar) => bar.value")
        assert isinstance(value, int | float)
        return value

    def elements(self) -> int:
        """Count the elements of the page."""
        count = self.page.evaluate("() => document.querySelectorAll('*').length")
        assert isinstance(count, int)
        return count


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    with sync_playwright() as playwright:
        # Root has no sandbox, and a container often has none either; the pages are our own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def sender(
    live: Live, browser: Browser, base: str = "", *, opened: bool = True
) -> Iterator[Sender]:
    """Give a source with its page open; afterwards nothing must have gone wrong in the page."""
    with browser.new_context() as context:
        source = Sender(live, context, base or live.base)
        if opened:
            source.opens()
        yield source
        assert source.troubles == []


@contextmanager
def arrivals(live: Live) -> Iterator[Callable[..., list[Arrived]]]:
    """Give what opens the files that have arrived since: all, or every so many of them."""
    before = set(live.uploads.glob("*.tar.gpg"))

    def read(every: int = 1) -> list[Arrived]:
        new = sorted(set(live.uploads.glob("*.tar.gpg")) - before)[::every]
        files = [_open(live, path) for path in new]
        # The first submission brings the source's certificate, which the source did not choose.
        return sorted(
            (file for file in files if not re.fullmatch("reply-to-.*[.]asc", file.path)),
            key=lambda file: file.path,
        )

    yield read


def _open(live: Live, sealed: Path) -> Arrived:
    gpg = ["gpg", "--quiet", "--homedir", str(live.ngo.home), "-d", str(sealed)]
    tar = subprocess.run(gpg, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        [entry] = archive.getmembers()
        file = archive.extractfile(entry)
        assert file is not None
        return Arrived(entry.name, entry.mtime, file.read())


def log_out(live: Live, session: requests.Session) -> None:
    """End the session from elsewhere."""
    accept = {"Accept": "application/json"}
    assert session.post(f"{live.base}/session/end", headers=accept, timeout=30).ok


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
