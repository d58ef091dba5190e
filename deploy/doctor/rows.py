"""Reads the database as it is, and never writes into it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from deploy.doctor.patient import Patient

_SQLITE = "sqlite:///"
_PATIENCE = 10  # seconds for a lock


@contextmanager
def opened(patient: Patient) -> Iterator[sqlite3.Connection | None]:
    """Open the database to read it; None if it is another than SQLite. Raises `sqlite3.Error`."""
    address = patient.settings.database
    if not address.startswith(_SQLITE):
        yield None
        return
    path = patient.host.path(Path(address.removeprefix(_SQLITE)))
    # Not `immutable`: the sites write meanwhile, and what they wrote lies in the log beside it.
    place = f"file:{quote(str(path))}?mode=ro"
    with closing(sqlite3.connect(place, uri=True, timeout=_PATIENCE)) as connection:
        yield connection
