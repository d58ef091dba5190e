"""What must happen without anybody asking: once at every start, and once a day."""

from dataclasses import dataclass

from submit.intake.calendar import Calendar
from submit.intake.desk.retention import Retiring
from submit.intake.ports import Clock, Rules
from submit.store.errors import MissingFileError
from submit.store.files import SealedFiles
from submit.store.records import Parts as PartRows
from submit.store.records import Sessions as SessionRows
from submit.store.records import StaffSessions as StaffSessionRows
from submit.store.records import State
from submit.store.records import Uploads as UploadRows


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Tidies rows and files."""

    rows: UploadRows
    sessions: SessionRows
    parts: PartRows
    staff_sessions: StaffSessionRows
    retiring: Retiring
    files: SealedFiles
    clock: Clock
    rules: Rules
    calendar: Calendar

    def start(self, *, clean: bool) -> None:
        """Tidy up before any request is served; `clean` if the last run ended as it should."""
        self.files.remove_leftovers()
        for row in self.rows.in_state(State.OPEN):
            self._drop_if_missing(row.id)
        if not clean:
            self.rows.suspect_all()
        self.daily()

    def daily(self) -> int:
        """Expire what nobody moved and forget what need not be known; give how many expired.

        What goes by days waits while the clock is in doubt, see `Calendar`.
        """
        for row in self.rows.in_state(State.GONE):
            self.files.remove(row.id)
            self.rows.remove(row.id)
        # A worker that died between the row and the file left these.
        for upload in filter(self.rows.is_complete, self.files.tails()):
            self.files.drop_tail(upload)
        self.sessions.remove_expired(self.clock.quarter())
        self.staff_sessions.remove_expired(self.clock.quarter())
        return self._let_go() if self.calendar.turn() else 0

    def _let_go(self) -> int:
        """End what is too old; sources whose time is over go, see `Retiring`.

        What arrived of an expired upload stays, its tail too: staff salvage it. Only the key goes.
        """
        today = self.clock.day()
        expired = self.rows.idle(today - self.rules.upload_idle_days)
        for row in expired:
            self.files.blur(row.id, today)
            self.rows.close(row.id, State.EXPIRED, today, None)
        for row in self.rows.remembered(today - self.rules.complete_answer_days):
            self.rows.forget(row.id)
        self.parts.expire(today - self.rules.upload_idle_days)
        self.retiring.retire()
        return len(expired)

    def _drop_if_missing(self, upload: str) -> None:
        try:
            self.files.open(upload).close()
        except MissingFileError:
            # The server stopped between the row and the file; nobody was told of this upload.
            self.rows.remove(upload)
