"""Files of a plain form, and messages."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress

from crypto.codename import gives_away
from submit.intake.admission import Admission
from submit.intake.arrivals import Arrivals
from submit.intake.introductions import Introductions
from submit.intake.refusals import (
    CodenameInMessageError,
    EmptyMessageError,
    MessageTooLongError,
)
from submit.intake.repeats import FormPlace, RepeatedFileError, Repeats
from submit.intake.sent import SentFile
from submit.intake.sessions import Session
from submit.intake.whole import Whole
from submit.store.records import Kind

_MESSAGE_NAME = "message.txt"
_MESSAGES_AT_ONCE = 32  # each is in memory, a few times over, while it is sealed
_WAIT = 5  # seconds for a place: sealing one takes a fraction of a second
_LONG_AT_ONCE = 32  # each is in memory while it comes in, which may take half an hour
_LONG_OUTSIDE = 4


class Forms:
    """The files of plain forms."""

    def __init__(
        self,
        whole: Whole,
        introductions: Introductions,
        arrivals: Arrivals,
        repeats: Repeats,
        admission: Admission,
    ) -> None:
        """Keep files with `whole`."""
        self._whole, self._introductions, self._arrivals = whole, introductions, arrivals
        self._repeats, self._admission = repeats, admission

    def admit(self) -> AbstractContextManager[None]:
        """Hold a place among the uploads; BusyError if there is none."""
        return self._admission.admit()

    def receive(
        self, session: Session, name: str, parts: Iterable[bytes], place: FormPlace
    ) -> None:
        """Seal one file, or find that it is kept already. Durable on return.

        If `parts` raises, or the file is refused, nothing of it is kept.
        """
        member = self._arrivals.parts.join(session, name)
        with (
            suppress(RepeatedFileError),
            self._repeats.watch(session.source, place, name, parts) as content,
        ):
            length = self._whole.keep(
                session, Kind.FILE, name, self._introductions.behind(session, content), member
            )
            self._arrivals.note(session, SentFile(name, length, None), member)


class Messages:
    """The messages of sources."""

    def __init__(self, whole: Whole, introductions: Introductions) -> None:
        """Keep messages with `whole`."""
        self._whole, self._introductions = whole, introductions
        self._sealing = Admission(_MESSAGES_AT_ONCE)
        self._inside, self._outside = Admission(_LONG_AT_ONCE), Admission(_LONG_OUTSIDE)

    def admit_long(self, *, inside: bool) -> AbstractContextManager[None]:
        """Hold a place while a long message is read into memory; BusyError if there is none.

        Who is not inside takes no place of those who are.
        """
        return (self._inside if inside else self._outside).admit()

    def seal(self, session: Session, text: str) -> None:
        """Seal one message; durable on return.

        Refused if it is empty or too long, or holds its own source's codename; BusyError if too
        many are being sealed.
        """
        with self._sealing.admit(_WAIT):
            self._seal(session, text)

    def _seal(self, session: Session, text: str) -> None:
        if not text.strip():
            raise EmptyMessageError
        octets = text.encode("utf-8", "replace")
        if len(octets) > self._whole.rules.max_message_length:
            raise MessageTooLongError
        if session.codename_mark and gives_away(text, session.key, session.codename_mark):
            raise CodenameInMessageError
        content = self._introductions.behind(session, [octets])
        self._whole.keep(session, Kind.MESSAGE, _MESSAGE_NAME, content)
