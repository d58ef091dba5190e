"""What the pages promise to lead to is there."""

import re
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def pages() -> list[Path]:
    """Give every page that people read."""
    rooms = [path for path in HOUSE.glob("*/README.md") if "node_modules" not in path.parts]
    return [*HOUSE.glob("*.md"), *rooms, *(HOUSE / "docs").rglob("*.md")]


def anchors(page: Path) -> set[str]:
    """Give the names by which a page's chapters are linked to."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in plain}


def broken(page: Path) -> Iterator[str]:
    """Give every link of a page that leads nowhere."""
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http:", "https:")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield f"{page.relative_to(HOUSE)}: {link}"


def test_every_link_leads_somewhere() -> None:
    """A sysadmin in a hurry follows them."""
    assert [link for page in pages() for link in broken(page)] == []
