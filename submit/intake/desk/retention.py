"""How long a source is kept: so many days after the last content or visit, and a random few more.

What was not fetched never goes in this way: its source is kept with it, and shown as waiting.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from submit.intake.desk.erasing import Erasing
from submit.intake.ports import Clock
from submit.store.records import Kind, SourceRow, State, UploadRow
from submit.store.records import Sources as SourceRows
from submit.store.records import Uploads as UploadRows

FOR_EVER = 0
# A codename that was shown may be used weeks later, by somebody who typed it nowhere before.
UNUSED_DAYS = 90
_AT_ONCE = 500
_FUZZ = 10  # the extra is at most a tenth of the days
_RANDOM = 1 << 32


@dataclass(frozen=True, slots=True)
class Retention:
    """The rule. `days`: 0 keeps everything for ever."""

    days: int

    def is_over(self, row: SourceRow, sent: Sequence[UploadRow], today: int) -> bool:
        """Tell whether a source's time is over. Each new thing that arrives begins it anew."""
        if self.days == FOR_EVER:
            return False
        since = max([row.last_visit, *(upload.day for upload in sent)])
        return today > since + self.days + self._extra(row, since)

    def _extra(self, row: SourceRow, since: int) -> int:
        # Random for each source and each time the clock begins, because the public id is random:
        # and the same whenever it is asked, so that asking daily does not make it shorter.
        digest = hashlib.sha256(f"{row.public_id} {since}".encode()).digest()
        most = -(-self.days // _FUZZ)
        return int.from_bytes(digest[:4]) * (most + 1) // _RANDOM


@dataclass(frozen=True, slots=True)
class Retiring:
    """Lets go what the rule says; once a day."""

    rows: SourceRows
    uploads: UploadRows
    erasing: Erasing
    retention: Retention
    clock: Clock

    def retire(self) -> int:
        """Erase what was fetched of every source whose time is over; give how many sources went.

        A source goes with it, unless something of it was not fetched. Whatever the rule, sources
        that nobody ever used go, see `Sources.remove_unused`.
        """
        today = self.clock.day()
        gone = self._remove_unused(today - UNUSED_DAYS)
        if self.retention.days == FOR_EVER:
            return gone
        old = self.rows.not_here_since(today - self.retention.days)
        return gone + sum(self._retire(row) for row in old)

    def _remove_unused(self, before: int) -> int:
        gone = 0
        while removed := self.rows.remove_unused(before, _AT_ONCE):
            gone += removed
        return gone

    def _retire(self, row: SourceRow) -> bool:
        sent = self.uploads.sent_by(row.locator)
        if not self.retention.is_over(row, sent, self.clock.day()):
            return False
        if not any(keeps(upload) for upload in sent):
            self.erasing.erase_source(row.locator)
            return True
        for upload in filter(goes, sent):
            self.erasing.erase_upload(upload.id, unfinished=False, unfetched=False)
        return False


def goes(upload: UploadRow) -> bool:
    """Tell whether an upload goes when its source's time is over: it is on the staff's side."""
    return upload.fetched and upload.state is not State.OPEN and upload.kind is not Kind.CERTIFICATE


def keeps(upload: UploadRow) -> bool:
    """Tell whether an upload keeps its source: it is content that nobody has fetched."""
    return not goes(upload) and upload.kind is not Kind.CERTIFICATE
