"""Whether the database's rows and the sealed files speak of the same uploads."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from submit.store.database import Database
from submit.store.records import Sources, State, Uploads


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What does not fit together; nothing was changed.

    `without_file`: of each upload that has none, its id, its state and the designation of its source.
    """

    sources: int = 0
    complete: int = 0
    unfinished: int = 0
    without_file: tuple[tuple[str, State, str], ...] = ()
    without_row: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Tell whether every row has its file and every file its row."""
        return not self.without_file and not self.without_row


def reconcile(path: Path, files: Collection[str]) -> Reconciled:
    """Compare a database of this version with the uploads that have a sealed file."""
    database = Database(f"sqlite:///{path}", 1)
    try:
        rows = Uploads(database).every()
        designations = {row.locator: row.designation for row in Sources(database).every()}
    finally:
        database.close()
    states = [row.state for row in rows]
    return Reconciled(
        sources=len(designations),
        complete=states.count(State.COMPLETE),
        unfinished=states.count(State.OPEN),
        without_file=tuple(
            (row.id, row.state, designations.get(row.source, "an unknown source"))
            for row in rows
            if row.id not in files
        ),
        without_row=tuple(sorted(set(files) - {row.id for row in rows})),
    )
