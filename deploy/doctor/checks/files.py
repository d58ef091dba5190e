"""Sealed files and their rows: each has the other."""

import sqlite3
from collections.abc import Iterator

from deploy.doctor import rows
from deploy.doctor.finding import Finding, some, warning, wrong
from deploy.doctor.patient import Patient
from deploy.places import DATA

_SEALED = ".tar.gpg"
_UPLOADS = DATA / "uploads"
# A row that is 'gone' has lost its file, or is about to: housekeeping removes both.
_KEPT = "SELECT id FROM uploads WHERE state != 'gone'"
_EVERY = "SELECT id FROM uploads"


def judge(patient: Patient) -> Iterator[Finding]:
    """Find rows without files and files without rows.

    The one is made a moment before the other: what is found is looked at again after a pause.
    """
    lost, orphans = _look(patient)
    if lost or orphans:
        patient.pause()
        still_lost, still_orphans = _look(patient)
        lost, orphans = lost & still_lost, orphans & still_orphans
    if lost:
        yield wrong(
            f"{len(lost)} uploads have no file in {_UPLOADS}: {some(sorted(lost))}",
            "something deleted them. nightferry restore the last backup brings back what it has "
            "(docs/backup.md)",
        )
    if orphans:
        yield warning(
            f"{len(orphans)} sealed files belong to nobody, so the desk does not show them: "
            f"{some(sorted(orphans))}",
            f"give them to the staff by hand, from {_UPLOADS}: unseal opens them as any other; "
            "then delete them",
        )


def _look(patient: Patient) -> tuple[set[str], set[str]]:
    """Give the ids of rows without files and of files without rows, as it is at this moment."""
    try:
        with rows.opened(patient) as connection:
            if connection is None:
                return set(), set()
            kept = {row[0] for row in connection.execute(_KEPT)}
            every = {row[0] for row in connection.execute(_EVERY)}
    except sqlite3.Error:
        return set(), set()  # the database's check says so
    folder = patient.host.path(_UPLOADS)
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    files = {name.removesuffix(_SEALED) for name in names if name.endswith(_SEALED)}
    return kept - files, files - every
