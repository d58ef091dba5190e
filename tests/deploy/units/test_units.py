"""The units as they are shipped, before the systemd of this machine. Booted: tests/host."""

import re
from pathlib import Path

import pytest

from tests.deploy.units.shipped import UNITS, lines, ran

# Ten times the exposure that systemd-analyze gives; 252 and 257 say the same.
WORST = {
    "source": 1,
    "desk": 1,
    "daily": 1,
    "tor": 10,
    "firewall": 19,
    "backup": 22,
    "doctor": 28,
    "report": 33,
}
# In the two sites' units, what is not the same. Everything else is one sandbox.
OWN = re.compile(
    r"\] (Description|Requires|After|User|ExecStart|AppArmorProfile|BindReadOnlyPaths=/usr/bin"
    r"|TasksMax|MemoryMax|Also)|codename\.salt"
)


def systemd_says(*words: str) -> tuple[int, str]:
    """Ask systemd-analyze."""
    done = ran("systemd-analyze", "--no-pager", *words)
    return done.returncode, done.stdout


def exposure(unit: Path, worst: int) -> int:
    """Give the status of systemd's own judgement: 0 if the exposure is not above `worst`."""
    status, _ = systemd_says("security", "--offline=true", f"--threshold={worst}", str(unit))
    return status


def test_systemd_understands_every_line() -> None:
    """A key that is misspelt is only warned about, and protects nobody: nothing is said at all."""
    _, said = systemd_says("verify", "--man=no", *map(str, sorted(UNITS.iterdir())))
    missing = re.compile(r".*: Command /usr/\S+ is not executable: No such file or directory")
    assert [line for line in said.splitlines() if not missing.fullmatch(line)] == []


def test_a_misspelt_key_is_noticed(tmp_path: Path) -> None:
    """The gate itself can fail."""
    unit = tmp_path / "nightferry-source.service"
    text = (UNITS / unit.name).read_text().replace("PrivateNetwork=", "PrivateNetworks=")
    unit.write_text(text)
    assert "PrivateNetworks" in systemd_says("verify", "--man=no", str(unit))[1]


@pytest.mark.parametrize("name", WORST)
def test_the_exposure_does_not_grow(name: str) -> None:
    """systemd-analyze security, which knows some eighty ways to be exposed."""
    assert exposure(UNITS / f"nightferry-{name}.service", WORST[name]) == 0


def test_every_service_is_measured() -> None:
    """A new unit has its figure above."""
    measured = {f"nightferry-{name}.service" for name in WORST}
    assert measured == {path.name for path in UNITS.glob("*.service")}


@pytest.mark.parametrize(
    "wall", ["PrivateNetwork=yes", "RootDirectory=/run/nightferry-root", "CapabilityBoundingSet="]
)
def test_a_wall_that_is_taken_down_is_noticed(tmp_path: Path, wall: str) -> None:
    """The gate itself can fail."""
    unit = tmp_path / "nightferry-source.service"
    unit.write_text((UNITS / unit.name).read_text().replace(f"\n{wall}\n", "\n"))
    assert exposure(unit, WORST["source"]) != 0


def test_both_sites_have_the_same_walls() -> None:
    """What one of them is denied, so is the other; what is its own is named."""
    one, other = (set(lines(UNITS / f"nightferry-{name}.service")) for name in ("source", "desk"))
    assert sorted(line for line in one ^ other if not OWN.search(line)) == []


def test_the_daily_work_has_the_walls_of_the_site() -> None:
    """It does what the source's site does, with the same files and keys."""
    daily = set(lines(UNITS / "nightferry-daily.service"))
    # It listens nowhere, tells systemd nothing and ends by itself.
    its_own = re.compile(
        r"^\[(Unit|Install)\]|Exec|Type|Notify|KillMode|Timeout|Restart|TasksMax|MemoryMax|NOFILE"
        r"|systemd/notify"
    )
    site = set(lines(UNITS / "nightferry-source.service"))
    assert sorted(line for line in site - daily if not its_own.search(line)) == []


def test_the_target_wants_what_there_is() -> None:
    """`systemctl start nightferry.target` starts everything, and everything that it starts exists."""
    target = (UNITS / "nightferry.target").read_text()
    wanted = {
        name for line in re.findall(r"^Wants=(.+)$", target, re.MULTILINE) for name in line.split()
    }
    assert {name for name in wanted if not (UNITS / name).exists()} == set()
    # What a timer starts, it starts; the backup waits until there is a place for it.
    timed = {path.name for path in UNITS.glob("*.timer")}
    started = {name.replace(".timer", ".service") for name in timed}
    there = {path.name for path in UNITS.iterdir()} - started - {"nightferry.target"}
    assert there - wanted == {"nightferry-backup.timer"}
    assert {name for name in started if not (UNITS / name).exists()} == set()


@pytest.mark.parametrize("path", sorted(UNITS.iterdir()), ids=lambda path: path.name)
def test_nothing_runs_before_init(path: Path) -> None:
    """Installed and not yet set up, no unit starts: each waits for its settings."""
    if path.suffix != ".timer":
        assert "ConditionPathExists=/etc/nightferry/" in path.read_text()


@pytest.mark.parametrize("name", WORST)
def test_no_memory_reaches_the_disk(name: str) -> None:
    """Neither a core dump nor the swap ever holds what a service had in memory."""
    said = lines(UNITS / f"nightferry-{name}.service")
    assert "[Service] LimitCORE=0" in said
    assert "[Service] LogNamespace=nightferry" in said
    if name != "firewall":  # it holds nothing, and is gone at once
        assert {"[Service] MemorySwapMax=0", "[Service] CoredumpFilter=0"} <= set(said)
