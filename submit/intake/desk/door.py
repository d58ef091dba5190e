"""What the desk's pages may ask for."""

from dataclasses import dataclass

from submit.intake.desk.sealed import SealedShelf
from submit.intake.desk.sessions import StaffSessions
from submit.intake.desk.sources import DeskSources


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a request of staff's can be about."""

    sessions: StaffSessions
    sources: DeskSources
    sealed: SealedShelf
