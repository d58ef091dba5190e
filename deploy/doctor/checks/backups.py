"""Backups: whether there is one, and how old it is."""

from collections.abc import Iterator
from pathlib import Path

from deploy.backup.place import latest
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
    newest = latest(patient.host.path(Path(place)))
    if newest is None:
        yield wrong(f"there is none in {place}", "is the disk mounted? Then nightferry backup")
    elif (age := (patient.now.date() - newest).days) > _OLD:
        find = wrong if age > _TOO_OLD else warning
        yield find(
            f"the last one in {place} is {age} days old",
            "journalctl --namespace=nightferry --unit=nightferry-backup.service says why",
        )
    elif age < -1:
        yield warning(
            f"the last one in {place} is dated {-age} days ahead, so nobody sees how old they are",
            "was the clock wrong that day? Rename its folder in snapshots/ to the day it was made",
        )
