"""What the report counts."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.doctor import rows
from deploy.doctor.patient import Patient

_EPOCH_ORDINAL = 719163  # of 1970-01-01

_QUERY = """
SELECT
    sum(kind = 'file' AND state IN ('complete', 'expired') AND NOT fetched) AS files,
    sum(kind = 'message' AND state = 'complete' AND NOT fetched) AS messages,
    sum(kind = 'file' AND state = 'open') AS unfinished,
    sum(kind IN ('file', 'message') AND state = 'complete' AND day = :yesterday) AS yesterday
FROM uploads
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are. Nothing here says whose, what or how large."""

    files: int
    messages: int
    unfinished: int
    yesterday: int


def count(patient: Patient) -> Counts | None:
    """Count; None if the database cannot be read."""
    try:
        with rows.opened(patient) as connection:
            if connection is None:
                return None
            connection.row_factory = sqlite3.Row
            row: Mapping[str, int | None] = connection.execute(
                _QUERY, {"yesterday": _yesterday(patient)}
            ).fetchone()
            return Counts(*(row[key] or 0 for key in Counts.__slots__))
    except sqlite3.Error:
        return None


def _yesterday(patient: Patient) -> int:
    return patient.now.date().toordinal() - _EPOCH_ORDINAL - 1
