"""What a source has sent, for the source that wants to be told; kept as keyed values alone.

A value is an HMAC under the source's key over path or name, length and time of the file. So
the server can say "you sent this one" while its source is logged in, and at no other time; a
seized disk shows how many values there are.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from crypto.marks import make_mark
from submit.intake.admission import Admission
from submit.intake.sessions import Session
from submit.store.records import Sent as SentRows

_PURPOSE = b"sent file"
QUESTIONS_AT_ONCE = 8  # each is in memory, megabytes at worst, while it is read and answered


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as its owner knows it. `path`: path or name. `modified`: milliseconds since 1970."""

    path: str
    length: int
    modified: int | None


class SentFiles:
    """Remembers what sources have sent, if they have asked for it."""

    def __init__(self, rows: SentRows) -> None:
        """Keep the values in `rows`."""
        self._rows = rows
        self._admission = Admission(QUESTIONS_AT_ONCE)

    def admit(self) -> AbstractContextManager[None]:
        """Hold a place while a question is read into memory; BusyError if there is none."""
        return self._admission.admit()

    def begin(self, session: Session) -> None:
        """Remember for this source what arrives from now on."""
        self._rows.begin(session.source)

    def forget(self, session: Session) -> None:
        """Forget everything for this source, and remember no more."""
        self._rows.forget(session.source)

    def known(self, session: Session, files: Sequence[SentFile]) -> list[bool]:
        """Tell for each file whether this source has sent it since it asked to be told."""
        marks = [_mark(session, file) for file in files]
        known = self._rows.known(session.source, marks)
        return [mark in known for mark in marks]

    def note(self, session: Session, file: SentFile) -> None:
        """Remember a file that has arrived whole, if this source has asked for it."""
        self._rows.add(session.source, _mark(session, file))


def _mark(session: Session, file: SentFile) -> bytes:
    modified = "" if file.modified is None else str(file.modified)
    parts = (file.path.encode("utf-8", "surrogatepass"), str(file.length), modified)
    octets = (part if isinstance(part, bytes) else part.encode("ascii") for part in parts)
    return make_mark(session.key, _PURPOSE, *octets)
