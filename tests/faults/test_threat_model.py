"""docs/threat-model.md and docs/attacks.md promise nothing that no test holds."""

import ast
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs" / "threat-model.md").read_text("utf-8")
ATTACKS = (HOUSE / "docs" / "attacks.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE + ATTACKS)
# Findings elsewhere that concern what is built so far.
FINDINGS = [*range(1, 10), *range(13, 17), 18, *range(20, 24), *range(25, 30), 31, 32]


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_every_promise_names_a_test_that_exists(file: str, name: str) -> None:
    """A test that was renamed or removed must be missed here."""
    tree = ast.parse((HOUSE / file).read_text("utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_of_the_page_ends_in_a_test() -> None:
    """A promise is a row of a table; what no test can hold stands in the text below it."""
    rows = {line for line in PAGE.splitlines() if line.startswith("|")}
    promises = rows - {"| what holds | held by |", "|---|---|"}
    assert len(promises) > 40
    assert [row for row in promises if not re.search(r"\| `tests/[\w/]+\.py::\w+` \|$", row)] == []


@pytest.mark.parametrize("number", FINDINGS)
def test_every_finding_of_elsewhere_has_a_test_here(number: int) -> None:
    """What went wrong for others is not left to attention."""
    rows = [line for line in ATTACKS.splitlines() if line.startswith(f"| {number} |")]
    assert rows
    assert all(re.search(r"`tests/[\w/]+\.py::\w+` \|$", row) for row in rows)


SAID = {  # by which words the page says what the rows of a table reveal
    "sources": "How many sources there are",
    "uploads": "How far each unfinished upload is",
    "sessions": "Which sessions are alive",
    "replies": "How many replies wait for each source",
    "part_sets": "how many large files in parts",
    "parts": "how many parts of each have arrived",
    "sent": "how many different files",
    "staff": "Who of the staff may use the desk",
    "staff_sessions": "who of them is logged in",
    "work": "On which day the daily work was last done",
}


def test_what_each_row_reveals_is_said() -> None:
    """A table that is added must be thought about here."""
    schema = (HOUSE / "submit" / "store" / "schema.py").read_text("utf-8")
    assert set(re.findall(r'= Table\(\s*"(\w+)"', schema)) == set(SAID)
    page = " ".join(PAGE.split())
    assert [table for table, words in SAID.items() if words not in page] == []
