"""What staff need to answer a source: its certificate, sealed to them with its first submission."""

from dataclasses import dataclass

from submit.intake.reply_keys import ReplyKeys
from submit.intake.sessions import Session
from submit.intake.whole import Whole
from submit.store.records import Kind
from submit.store.records import Sources as SourceRows


@dataclass(frozen=True, slots=True)
class Introductions:
    """Seals certificates, one for each source."""

    rows: SourceRows
    reply_keys: ReplyKeys
    whole: Whole

    def introduce(self, session: Session) -> None:
        """Seal the source's certificate if the recipients have not got it; durable on return.

        The refusals of sealing and of the disk: then nothing of it is kept, and the submission
        that it should precede is not begun.
        """
        if session.introduced:
            return
        row = self.rows.find(session.source)
        if row is None or row.introduced:
            return
        self.reply_keys.require(row, session.key)
        key = self.reply_keys.open(session.source, session.key)
        if key is not None:
            name = f"reply-to-{row.designation}.asc".replace(" ", "-")
            self.whole.keep(session, Kind.CERTIFICATE, name, [key.certificate])
