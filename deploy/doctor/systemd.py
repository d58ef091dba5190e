"""Our units' names, and how systemctl's answers and unit files are read."""

from collections.abc import Mapping

SOCKETS = ("nightferry-source.socket", "nightferry-desk.socket")
DESK = "nightferry-desk.service"
SITES = ("nightferry-source.service", DESK)
TOR = "nightferry-tor.service"
FIREWALL = "nightferry-firewall.service"
TARGET = "nightferry.target"
TIMERS = ("nightferry-daily.timer", "nightferry-report.timer", "nightferry-doctor.timer")
BACKUP_TIMER = "nightferry-backup.timer"
DOCTOR = "nightferry-doctor.service"
JOBS = ("nightferry-daily.service", "nightferry-report.service", "nightferry-backup.service")
UNITS_ALL = (*SOCKETS, *SITES, TOR, FIREWALL, TARGET, *TIMERS, BACKUP_TIMER, *JOBS, DOCTOR)

SHOW = ("show", "--all", "--timestamp=unix")


def parse_show(said: str) -> dict[str, dict[str, str]]:
    """Read the blocks that `systemctl show` prints, by each unit's name."""
    blocks = (parse_properties(block) for block in said.split("\n\n"))
    return {block["Id"]: block for block in blocks if "Id" in block}


def parse_properties(block: str) -> dict[str, str]:
    """Read lines of the form Key=value; of a key that comes again, the last line."""
    pairs = (line.partition("=") for line in block.splitlines() if "=" in line)
    return {key: value for key, _, value in pairs}


def started(unit: Mapping[str, str]) -> float | None:
    """Give the second since 1970 at which a unit started, None if it does not run.

    `--timestamp=unix` prints @1700000000 (systemd 247).
    """
    moment = unit.get("ActiveEnterTimestamp", "").removeprefix("@")
    running = unit.get("ActiveState") == "active"
    return float(moment) if running and moment.isdecimal() else None


def parse_unit_file(text: str, section: str) -> dict[str, list[str]]:
    """Read one section of a unit file: each key with all that it is set to, in order."""
    found: dict[str, list[str]] = {}
    here = False
    for line in _whole_lines(text):
        if line.startswith("["):
            here = line == f"[{section}]"
        elif here and "=" in line:
            key, _, value = line.partition("=")
            found.setdefault(key.strip(), []).append(value.strip())
    return found


def _whole_lines(text: str) -> list[str]:
    """Join continued lines (systemd.syntax(7)), drop comments and empty ones."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and line[0] not in "#;"]
    return "\n".join(lines).replace("\\\n", " ").splitlines()
