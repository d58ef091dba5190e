"""Sources as staff see them: two words, days, counts and padded sizes. No content, ever."""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from submit.intake.desk.erasing import Erasing
from submit.intake.desk.refusals import (
    ChangedSourceError,
    OtherDesignationError,
    SourceNotFoundError,
    UnseenDeletionError,
)
from submit.intake.desk.retention import Retention
from submit.intake.ports import Clock
from submit.intake.replies import Replies
from submit.store.errors import MissingFileError
from submit.store.files import SealedFiles
from submit.store.records import Kind, SourceRow, State, UploadRow
from submit.store.records import Replies as ReplyRows
from submit.store.records import Sources as SourceRows
from submit.store.records import Uploads as UploadRows

FILE, MESSAGE, CERTIFICATE = "file", "message", "certificate"
OPEN = State.OPEN.value
_KINDS = {Kind.FILE: FILE, Kind.MESSAGE: MESSAGE, Kind.CERTIFICATE: CERTIFICATE}
_TENTH = 10  # hundredths


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a source sent. `length`: octets of the sealed file now.

    `kind`: "file", "message" or "certificate"; `state`: "open", "complete" or "expired".
    `share`: how many hundredths of an unfinished upload have arrived, in whole tens.
    """

    id: str
    kind: str
    state: str
    day: int
    length: int
    has_tail: bool
    fetched: bool
    share: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A source in the list. `day`: of the last change. `octets`: of all sealed files together.

    `is_waiting`: its time is over, and it is kept because something was not fetched.
    """

    id: str
    designation: str
    day: int
    files: int
    messages: int
    unread: int
    octets: int
    unfinished: tuple[Item, ...]
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class SentReply:
    """A reply that its source has not deleted yet. `day`: when it was kept."""

    id: str
    day: int


@dataclass(frozen=True, slots=True)
class SourceDetail:
    """Everything that is known of one source."""

    overview: Overview
    items: tuple[Item, ...]
    replies: tuple[SentReply, ...]

    @property
    def outstanding(self) -> str:
        """A value that stands for exactly what is unfetched or unfinished here."""
        return _digest((item.id, item.state) for item in self.items if _is_outstanding(item))


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody who deletes a source knows of it.

    `shown`: the `outstanding` of what they looked at. Who sends none says in words that they
    know that something was not fetched, or is not finished, whatever it is.
    """

    shown: str | None = None
    unfetched: bool = False
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class DeskSources:
    """The sources of this deployment, for staff."""

    rows: SourceRows
    uploads: UploadRows
    replies: ReplyRows
    accepting: Replies
    files: SealedFiles
    clock: Clock
    retention: Retention
    erasing: Erasing

    def show_all(self) -> tuple[Overview, ...]:
        """Show every source that has sent something, the last changed first."""
        sent: dict[bytes, list[UploadRow]] = defaultdict(list)
        for upload in self.uploads.every():
            sent[upload.source].append(upload)
        tails = frozenset(self.files.tails())
        shown = [
            self._overview(row, sent[row.locator], self._items(sent[row.locator], tails))
            for row in self.rows.every()
            if row.locator in sent
        ]
        return tuple(sorted(shown, key=lambda each: each.day, reverse=True))

    def show(self, source: str) -> SourceDetail:
        """Show one source; SourceNotFoundError."""
        row = self._row(source)
        sent = self.uploads.sent_by(row.locator)
        items = self._items(sent, frozenset(self.files.tails()))
        replies = tuple(SentReply(each.id, each.day) for each in self.replies.to(row.locator))
        return SourceDetail(self._overview(row, sent, items), items, replies)

    def answer(self, source: str, message: bytes) -> str:
        """Keep a reply to a source, proved to be for it alone; give its id.

        Raises SourceNotFoundError and what `Replies.accept` raises.
        """
        return self.accepting.accept(self._row(source).designation, message)

    def delete(self, source: str, typed: str, consent: Consent) -> None:
        """Delete a source and everything of it.

        OtherDesignationError, SourceNotFoundError. ChangedSourceError or UnseenDeletionError if
        there is something that `consent` does not cover.
        """
        detail = self.show(source)
        if " ".join(typed.lower().split()) != detail.overview.designation:
            raise OtherDesignationError
        _require(consent, detail)
        self.erasing.erase_source(self._row(source).locator)

    def _row(self, source: str) -> SourceRow:
        row = self.rows.public(source)
        if row is None:
            raise SourceNotFoundError
        return row

    def _overview(
        self, row: SourceRow, sent: Sequence[UploadRow], items: Sequence[Item]
    ) -> Overview:
        counted = [item for item in items if item.kind != CERTIFICATE]
        arrived = [item for item in counted if item.state != OPEN]
        return Overview(
            id=row.public_id or "",
            designation=row.designation,
            day=max((item.day for item in items), default=row.last_visit),
            files=sum(item.kind == FILE for item in arrived),
            messages=sum(item.kind == MESSAGE for item in arrived),
            unread=sum(not item.fetched for item in arrived),
            octets=sum(item.length for item in items),
            unfinished=tuple(item for item in counted if item.state == OPEN),
            is_waiting=self.retention.is_over(row, sent, self.clock.day()),
        )

    def _items(self, sent: Sequence[UploadRow], tails: frozenset[str]) -> tuple[Item, ...]:
        return tuple(
            Item(
                id=row.id,
                kind=_KINDS[row.kind],
                state=row.state.value,
                day=row.day,
                length=self._length(row.id),
                has_tail=row.id in tails and row.state is not State.COMPLETE,
                fetched=row.fetched,
                share=None if row.tenths is None else _TENTH * row.tenths,
            )
            for row in sorted(sent, key=lambda row: (row.day, row.id))
        )

    def _length(self, upload: str) -> int:
        try:
            file = self.files.read(upload)
        except MissingFileError:
            return 0
        try:
            return file.length()
        finally:
            file.close()


def _is_outstanding(item: Item) -> bool:
    return item.kind != CERTIFICATE and (item.state == OPEN or not item.fetched)


def _digest(facts: Iterable[tuple[str, str]]) -> str:
    """Digest ids and states, which stand on the page anyway; no content is in it."""
    return hashlib.sha256(repr(sorted(facts)).encode()).hexdigest()


def _require(consent: Consent, detail: SourceDetail) -> None:
    """Refuse what nobody agreed to, ChangedSourceError or UnseenDeletionError."""
    if consent.shown is not None:
        if not hmac.compare_digest(consent.shown.encode(), detail.outstanding.encode()):
            raise ChangedSourceError
        return
    left = [item.state == OPEN for item in detail.items if _is_outstanding(item)]
    if (any(left) and not consent.unfinished) or (not all(left) and not consent.unfetched):
        raise UnseenDeletionError
