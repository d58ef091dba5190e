"""docs/hardening.md says what is shipped: every control stands in the file that the page names."""

import re

import pytest

from tests.deploy.units.shipped import DEPLOY, PAGE, UNITS

SITES = [UNITS / "nightferry-source.service", UNITS / "nightferry-desk.service"]
WHERE = {
    "sites": SITES,
    "desk": SITES[1:],
    "source socket": [UNITS / "nightferry-source.socket", UNITS / "nightferry-desk.socket"],
    "tor": [UNITS / "nightferry-tor.service"],
    "torrc": [DEPLOY / "tor" / "torrc.in"],
    "firewall": [DEPLOY / "nftables" / "nftables.conf"],
    "kernel": [DEPLOY / "sysctl.d" / "60-nightferry.conf"],
    "folders": [DEPLOY / "tmpfiles.d" / "nightferry.conf"],
    "users": [DEPLOY / "sysusers.d" / "nightferry.conf"],
    "journal": [DEPLOY / "journald" / "nightferry.conf"],
    "profiles": [
        DEPLOY / "apparmor" / "nightferry-source",
        DEPLOY / "apparmor" / "nightferry-desk",
    ],
}
QUOTED = re.compile("`([^`]+)`")


def controls() -> list[list[str]]:
    """Give the rows of the tables of walls: control, what it prevents, where, tested."""
    walls = PAGE.read_text(encoding="utf-8").partition("## The walls")[2].partition("\n## ")[0]
    # A bar inside a cell is escaped.
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in walls.splitlines() if line[:1] == "|"]
    cells = [[cell.strip().replace("\\|", "|") for cell in row] for row in rows]
    return [row for row in cells if row[0] not in {"control", "---"}]


CONTROLS = controls()


def test_the_page_is_read() -> None:
    """A test that reads no table holds of every page."""
    assert len(CONTROLS) > 40
    assert {len(row) for row in CONTROLS} == {4}
    assert {row[2].partition(":")[0] for row in CONTROLS} == set(WHERE)


@pytest.mark.parametrize("row", CONTROLS, ids=lambda row: row[0])
def test_a_control_stands_where_the_page_says(row: list[str]) -> None:
    """Each setting that the page names is a line, or the start of one, of each file it names."""
    place, _, settings = row[2].partition(":")
    missing = [
        f"{path.name}: {setting}"
        for path in WHERE[place]
        for setting in QUOTED.findall(settings)
        if setting not in path.read_text(encoding="utf-8")
    ]
    assert missing == []


@pytest.mark.parametrize("row", CONTROLS, ids=lambda row: row[0])
def test_a_control_is_tested_by_something_that_there_is(row: list[str]) -> None:
    """Each row names a test, a command of the house, or says that somebody looked."""
    named = QUOTED.findall(row[3])
    assert named or row[3] in {"booted", "by hand"}
    files = [name for name in named if name.startswith("tests/")]
    assert [name for name in files if not (PAGE.parents[1] / name).is_file()] == []
