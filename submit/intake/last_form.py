"""What became of a source's last form: the answer to a form whose own answer never arrived.

When the connection dies the browser shows an error page of its own, so the next page that the
source sees must say what arrived. Kept are counts and a day, wrapped under the source's key.
"""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crypto.wrap import PaddedWrapped, unwrap_padded, wrap_padded
from submit.errors import Refusal
from submit.intake.ports import Clock
from submit.intake.sessions import Session
from submit.store.records import Kind
from submit.store.records import Sources as SourceRows
from submit.store.records import Uploads as UploadRows

Note = dict[str, Any]

_NOTE = b"last form"
_MARK = 16  # letters that stand for a form's boundary


@dataclass(frozen=True, slots=True)
class LastForm:
    """A form of the source's. `day` is the UTC day number of what is known of it.

    `ended` is False while nobody knows of its end: it is on its way, or the server stopped.
    `reason` is the refusal at which it broke off, None if it came whole.
    """

    day: int
    received: int
    refused: int
    ended: bool
    reason: type[Refusal] | None


class LastForms:
    """Notes and shows each source's last form."""

    def __init__(self, rows: SourceRows, uploads: UploadRows, clock: Clock) -> None:
        """Note in `rows`, count in `uploads`."""
        self._rows, self._uploads, self._clock = rows, uploads, clock

    def begin(self, session: Session, boundary: bytes) -> str:
        """Note that a form has begun: until it ends, its files are the difference to now.

        A form with the last one's boundary is that form, sent again by the browser itself. Gives
        the name that the form, this time, has among the notes.
        """
        mark = _mark(boundary)
        form = mark + secrets.token_hex(8)

        def begun(note: Note | None) -> Note:
            if note is None or note["boundary"] != mark:
                note = {"boundary": mark, "before": self._files(session), "received": 0}
            return {**note, "form": form, "ended": False}

        self._change(session, begun)
        return form

    def end(
        self, session: Session, form: str, received: int, refused: int, reason: Refusal | None
    ) -> None:
        """Note how many files of the form are kept and how many not, and why it broke off.

        A form whose connection died ends late: the one after it is not overwritten by that. If
        that is the same form, sent again, what is kept is what either of them has brought.
        """
        name = type(reason).__name__ if reason else None

        def ended(note: Note | None) -> Note | None:
            if note is None or form[:_MARK] != note["boundary"]:
                return None
            note = {**note, "received": max(received, note["received"])}
            if note["form"] != form:
                return note
            return {**note, "refused": refused, "reason": name, "ended": True}

        self._change(session, ended)

    def show(self, session: Session) -> LastForm | None:
        """Tell what became of the last form; None if there was none."""
        note = self._opened(session, self._rows.form_note(session.source))
        if note is None:
            return None
        if not note["ended"]:
            received = max(0, self._files(session) - note["before"])
            return LastForm(note["day"], received, 0, ended=False, reason=None)
        reason = _refusals(Refusal).get(note["reason"])
        return LastForm(note["day"], note["received"], note["refused"], ended=True, reason=reason)

    def _change(self, session: Session, change: Callable[[Note | None], Note | None]) -> None:
        """Note what `change` makes of the note; again if another sending came between."""
        source = session.source
        while True:
            old = self._rows.form_note(source)
            note = change(self._opened(session, old))
            if note is None:
                return
            fields = json.dumps({**note, "day": self._clock.day()}).encode()
            new = wrap_padded(session.key, _NOTE, source, fields)
            if self._rows.replace_form_note(source, old, new) or self._rows.find(source) is None:
                return

    def _opened(self, session: Session, wrapped: bytes | None) -> Note | None:
        if wrapped is None:
            return None
        octets = unwrap_padded(session.key, _NOTE, session.source, PaddedWrapped(wrapped))
        note: Note = json.loads(octets)
        return note

    def _files(self, session: Session) -> int:
        source = self._rows.find(session.source)
        taken = source.files_taken if source else 0
        return self._uploads.count_complete(session.source).get(Kind.FILE, 0) + taken


def _mark(boundary: bytes) -> str:
    return hashlib.sha256(boundary).hexdigest()[:_MARK]


def _refusals(base: type[Refusal]) -> dict[str, type[Refusal]]:
    """Give every refusal that there is, by the name of its class."""
    below = {name: one for kind in base.__subclasses__() for name, one in _refusals(kind).items()}
    return {base.__name__: base, **below}
