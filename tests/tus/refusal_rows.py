"""The table of refusals in docs/protocol.md, from the classes.

`python -m tests.tus.refusal_rows` writes it anew, after a refusal was added or its words changed.
"""

import importlib
from pathlib import Path

from submit.errors import Refusal

HOUSE = Path(__file__).parents[2]
ROOMS = HOUSE / "submit"
PAGE = HOUSE / "docs" / "protocol.md"
HEAD = "| status | refusal | words |\n| --- | --- | --- |\n"


def write_row(refusal: type[Refusal]) -> str:
    """Write the row of one refusal."""
    return f"| {int(refusal.status)} | {refusal.__name__} | {refusal.public} |"


def write_rows() -> list[str]:
    """Write the rows of every refusal of every room, in order of status and name."""
    for path in ROOMS.rglob("*.py"):
        if path.stem in ("errors", "refusals"):
            importlib.import_module(".".join(path.relative_to(HOUSE).with_suffix("").parts))
    found = {row for row in refusals(Refusal) if row.__module__.startswith("submit.")}
    return [write_row(row) for row in sorted(found, key=lambda row: (row.status, row.__name__))]


def refusals(root: type[Refusal]) -> list[type[Refusal]]:
    """Find every refusal below another that has words."""
    found = [row for child in root.__subclasses__() for row in [child, *refusals(child)]]
    return [row for row in found if hasattr(row, "public")]


def main() -> None:
    """Write the page's last table anew."""
    page = PAGE.read_text("utf-8")
    before, _, _ = page.partition(HEAD)
    PAGE.write_text(before + HEAD + "\n".join(write_rows()) + "\n", "utf-8")


if __name__ == "__main__":
    main()
