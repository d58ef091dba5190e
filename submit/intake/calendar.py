"""Whether the clock may be believed before something ends for good because days have gone by.

A machine whose battery is empty starts with any time, and is put right by the network a minute
later. One that was switched off for a month has sources that could not come. So whenever the day
is before that of the last daily work, or more than a week after it, nothing ends for a week.
"""

import logging
from dataclasses import dataclass

from submit.intake.ports import Clock
from submit.store.records import Work, WorkRow

WAIT = 7  # days

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days on which the daily work was done."""

    work: Work
    clock: Clock

    def turn(self) -> bool:
        """Note that the daily work is done today; tell whether what is too old may end now."""
        today, last = self.clock.day(), self.work.last()
        jumped = last.jumped if last else None
        if last and not last.day <= today <= last.day + WAIT:
            jumped = today
            _log.warning(
                "The clock has jumped since the daily work was last done, or it was not done for "
                "more than a week. Nothing is given up or deleted for its age for a week from now. "
                "Look whether the clock of this machine is right."
            )
        elif jumped is not None and today >= jumped + WAIT:
            jumped = None
        self.work.note(WorkRow(today, jumped))
        return jumped is None
