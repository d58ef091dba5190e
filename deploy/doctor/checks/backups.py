"""Backups: whether there is one, and how old it is."""

from collections.abc import Iterator
from pathlib import Path

from deploy.doctor.finding import Finding, warning, wrong
from deploy.doctor.patient import Patient
from deploy.places import HOST_SETTINGS

_OLD, _TOO_OLD = 2, 8  # days


def judge(patient: Patient) -> Iterator[Finding]:
    """Find backups that are missing or old."""
    place = patient.host_settings.backup_to
    if not place:
        yield warning(
            "none are made: if this disk dies, everything that staff have not fetched is lost",
            f'set backup_to = "/a/folder/on/another/disk" in {HOST_SETTINGS}, then systemctl '
            "enable --now nightferry-backup.timer",
        )
        return
    age = _age(patient, Path(place))
    if age is None:
        yield wrong(f"there is none in {place}", "is the disk mounted? Then nightferry backup")
    elif age > _OLD:
        find = wrong if age > _TOO_OLD else warning
        yield find(
            f"the last one in {place} is {age:.0f} days old",
            "journalctl --namespace=nightferry --unit=nightferry-backup.service says why",
        )


def _age(patient: Patient, place: Path) -> float | None:
    """Give the days since the newest thing in the folder was written."""
    folder = patient.host.path(place)
    times = [path.stat().st_mtime for path in folder.iterdir()] if folder.is_dir() else []
    return patient.days_since(max(times)) if times else None
