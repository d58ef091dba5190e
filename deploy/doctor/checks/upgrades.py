"""Upgrades: what waits, what is half done, what runs as it was before, and whether anybody has asked lately."""

import re
from collections.abc import Iterator
from pathlib import Path

from deploy.doctor.finding import Finding, some, warning, wrong
from deploy.doctor.patient import Patient
from deploy.doctor.systemd import SITES, TOR

_LISTS = Path("/var/lib/apt/lists")
_REBOOT = Path("/run/reboot-required")
_OLD = 3  # days since apt last asked
_UPGRADE = "apt-get upgrade --with-new-pkgs"  # a new kernel has a new name
_REPLACED = re.compile(r" /usr/\S+ \(deleted\)$", re.MULTILINE)  # proc(5), maps
_INSTALLS = re.compile(r"Inst (\S+) (?:\[\S+\] )?\((.*)\)")


def judge(patient: Patient) -> Iterator[Finding]:
    """Find security upgrades that wait, and lists so old that nobody can know."""
    age = _age_of_lists(patient)
    if age is None or age > _OLD:
        since = "has never" if age is None else f"has for {age:.0f} days not"
        yield warning(
            f"apt {since} asked for upgrades: what is missing is not known",
            "apt-get update; apt-get install unattended-upgrades does it each day",
        )
    said = patient.ask("apt-get", "--simulate", "--quiet", "dist-upgrade")
    waiting = [found for line in said.splitlines() if (found := _INSTALLS.match(line))]
    urgent = [found[1] for found in waiting if "ecurity" in found[2]]
    if urgent:
        yield wrong(f"{len(urgent)} security upgrades wait: {some(urgent)}", _UPGRADE)
    elif waiting:
        yield warning(
            f"{len(waiting)} upgrades wait: {some([found[1] for found in waiting])}",
            _UPGRADE,
        )
    if old := [unit for unit in (*SITES, TOR) if _runs_what_was_replaced(patient, unit)]:
        yield warning(
            f"{some(old)} still run what an upgrade has replaced",
            f"systemctl restart {' '.join(old)}: uploads go on where they were",
        )
    if patient.host.path(_REBOOT).exists():
        yield warning(
            "an upgrade needs a new start of the machine", "reboot. Uploads go on where they were"
        )


def _runs_what_was_replaced(patient: Patient, unit: str) -> bool:
    """Tell whether a program or library that runs lies on the disk in another version by now."""
    pid = patient.units.get(unit, {}).get("MainPID", "0")
    return bool(_REPLACED.search(patient.read(Path(f"/proc/{pid}/maps"))))


def _age_of_lists(patient: Patient) -> float | None:
    """Give the days since apt last asked, None if it has no list of packages."""
    folder = patient.host.path(_LISTS)
    lists = list(folder.glob("*Release"))
    # A list's time is the archive's. This folder is apt's own, touched also when nothing was new.
    marks = [path for path in (*lists, folder / "partial") if path.exists()]
    return patient.days_since(max(path.stat().st_mtime for path in marks)) if lists else None
