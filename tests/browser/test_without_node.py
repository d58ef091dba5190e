"""A machine without Node has no vendored script: the pages come without one, and work."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.scripted import chromium, sender
from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.live import Live

HOUSE = Path(__file__).parents[2]


class WithoutNode(Live):
    """A server that runs from a copy of the tree into which nobody brought npm's file."""

    def __init__(self, folder: Path, ngo: Ngo) -> None:
        """Copy the tree, then set the server up."""
        for room in ("submit", "crypto", "config"):
            ignored = shutil.ignore_patterns("vendor", "__pycache__")
            shutil.copytree(HOUSE / room, folder / "tree" / room, ignore=ignored)
        shutil.copy(HOUSE / "wsgi.py", folder / "tree")
        super().__init__(folder, ngo)

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "PYTHONPATH": str(self.folder / "tree")}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Such a server, running."""
    folder = tmp_path_factory.mktemp("bare")
    with new_home() as home:
        server = WithoutNode(folder, make_ngo(home, folder, "ed25519", "cv25519"))
        try:
            yield server.start()
        finally:
            server.end()


def test_the_page_without_a_script_works(live: Live, tmp_path: Path) -> None:
    """In a browser that would run scripts: there is none, and the plain form sends the file."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    with chromium() as browser, sender(live, browser, opened=False) as source:
        cookie = source.session.cookies["nightferry"]
        source.context.add_cookies([{"name": "nightferry", "value": cookie, "url": live.base}])
        source.page.goto(f"{live.base}/drop")
        assert source.page.locator("script, #send, template").count() == 0
        source.page.set_input_files("input[name=files]", clip)
        source.page.click("button:has-text('Send files')")
        source.page.get_by_text("arrived").first.wait_for()
        assert source.count() == 1


@pytest.mark.parametrize("name", ["source.js", "queue.js", "vendor/tus.min.js"])
def test_no_half_of_the_script_is_served(live: Live, name: str) -> None:
    """All of it or nothing: a script that lacks its library would hide the plain form."""
    assert live.new_source().get(f"{live.base}/static/{name}", timeout=30).status_code == 404
