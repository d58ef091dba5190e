"""The contact sheet of `unseal look` in a browser, opened from the disk as staff open it."""

import csv
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from crypto.unseal.entries import Entry
from crypto.unseal.media import Seen
from crypto.unseal.sheet import Sheet, thumbnail_name

HOSTILE = [
    "<img src=x onerror=alert(1)>.mp4",
    "</script><script>alert(1)</script>.mp4",
    '" onclick="alert(1)" x=".jpg',
    "=HYPERLINK(1).mp4",
    "-->.mp4",
]
MANY = 5000
NOTE = '=cmd "quoted",\nsecond line, третья'


def entries() -> list[Entry]:
    """5,000 files: hostile names first, every tenth a copy of one and the same."""
    names = HOSTILE + [f"camera {n // 50}/clip {n:04}.mp4" for n in range(MANY - len(HOSTILE))]
    digests = [hashlib.sha256(f"{n if n % 10 else 0}".encode()).hexdigest() for n in range(MANY)]
    return [
        Entry(
            f"data/files/{name}", digest, 1000 + n, name, "file", "2026-03-01", n, is_partial=False
        )
        for n, (name, digest) in enumerate(zip(names, digests, strict=True))
    ]


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Path:
    """Give a bag with its sheet, and one thumbnail."""
    folder = tmp_path_factory.mktemp("quiet-harbour")
    every = entries()
    seen = {e.digest: Seen("video", n / 2, "h264", 640, 360) for n, e in enumerate(every)}
    first = every[1].digest
    seen[first] = Seen("image", codec="mjpeg", width=64, height=64, thumbnail=True)
    (folder / thumbnail_name(first)).parent.mkdir(parents=True)
    page = browser.new_page(viewport={"width": 64, "height": 64})
    (folder / thumbnail_name(first)).write_bytes(page.screenshot(type="jpeg"))
    page.close()
    for name, text in Sheet("quiet-harbour", every, seen, ["No decoder is here."]).pages():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@contextmanager
def sheet(bag: Path, browser: Browser, *, scripts: bool = True) -> Iterator[Page]:
    """Open the sheet; afterwards nothing was fetched, and nothing has acted."""
    troubles: list[str] = []
    asked: list[str] = []
    with browser.new_context(java_script_enabled=scripts) as context:
        page = context.new_page()
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((bag / "index.html").as_uri())
        yield page
        assert troubles == []
        assert {address.partition(":")[0] for address in asked} <= {"file", "blob"}


def count(page: Page) -> str:
    return page.inner_text("#count").split(";")[0]


def test_thousands_of_clips_stay_few_in_the_page(bag: Path, browser: Browser) -> None:
    """60 cards at a time, whatever is searched or turned to."""
    with sheet(bag, browser) as page:
        assert count(page) == "5000 of 5000 files, page 1 of 84"
        for _page in range(3):
            page.click("#next")
            assert page.locator("#cards li").count() == 60
        assert page.locator("#previous").is_enabled()
        page.fill("#search", "CAMERA 12/ 06")
        assert count(page) == "50 of 5000 files, page 1 of 1"
        assert page.locator("#cards li").count() == 50


def test_hostile_names_are_seen_and_do_nothing(bag: Path, browser: Browser) -> None:
    """With scripts each is text in its card."""
    with sheet(bag, browser) as page:
        assert page.locator("#cards .name").all_inner_texts()[: len(HOSTILE)] == HOSTILE
        page.hover("#cards li >> nth=2")
        page.click("#cards li >> nth=2", position={"x": 3, "y": 3})


def test_the_policy_lets_the_thumbnails_through(bag: Path, browser: Browser) -> None:
    """A picture beside the page is shown, with scripts."""
    with sheet(bag, browser) as page:
        image = page.locator("#cards img").first
        image.scroll_into_view_if_needed()
        page.wait_for_function("() => document.querySelector('#cards img').naturalWidth === 64")


def test_order_and_copies(bag: Path, browser: Browser) -> None:
    """Sorted by what was asked; copies together, or once."""
    with sheet(bag, browser) as page:
        page.select_option("#sort", "largest")
        assert page.locator("#cards .name").first.inner_text().endswith("clip 4994.mp4")
        page.select_option("#only", "duplicates")
        assert count(page).startswith("500 of 5000")
        page.select_option("#only", "once")
        assert count(page).startswith("4501 of 5000")
        page.select_option("#kind", "image")
        assert count(page).startswith("1 of 5000")


def test_notes_leave_as_csv_and_come_back(bag: Path, browser: Browser, tmp_path: Path) -> None:
    """A spreadsheet takes no cell for a formula, and what was written is what comes back."""
    with sheet(bag, browser) as page:
        page.locator("textarea").nth(3).fill(NOTE)
        assert "1 notes, not saved yet" in page.inner_text("#count")
        with page.expect_download() as saving:
            page.click("#save")
        saving.value.save_as(tmp_path / "notes.csv")
        assert "not saved" not in page.inner_text("#count")
    with (tmp_path / "notes.csv").open(newline="", encoding="utf-8") as file:
        head, row = csv.reader(file)
    assert row[head.index("place")] == f"data/files/{HOSTILE[3]}"
    assert row[head.index("name")] == f"'{HOSTILE[3]}"
    assert row[head.index("note")] == f"'{NOTE}"
    with sheet(bag, browser) as page:
        page.set_input_files("#load", tmp_path / "notes.csv")
        page.wait_for_function(
            "() => document.getElementById('count').textContent.includes('1 notes')"
        )
        page.select_option("#only", "noted")
        assert page.locator("textarea").input_value() == NOTE


def test_without_scripts_it_is_a_table_with_pages(bag: Path, browser: Browser) -> None:
    """Everything is there: the rows, the links between pages, the words on what is missing."""
    with sheet(bag, browser, scripts=False) as page:
        assert page.locator("#lively").is_hidden()
        assert page.locator("tbody tr").count() == 100
        assert "No decoder is here." in page.inner_text("header")
        page.click("nav a:text-is('50') >> nth=0")
        assert page.locator("tbody tr").count() == 100
        assert "clip 4994.mp4" in page.inner_text("tbody")
        page.click("nav a:text-is('1') >> nth=0")
        assert HOSTILE[0] in page.inner_text("tbody")
