"""What staff need to answer a source: its certificate, sealed to them with its first submission."""

from collections.abc import Iterable, Iterator
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

    def behind(self, session: Session, content: Iterable[bytes]) -> Iterator[bytes]:
        """Give a submission's content, and introduce its source when all of it has come.

        So what never comes whole leaves no certificate, and what cannot be answered is not kept.
        """
        yield from content
        self.introduce(session)

    def introduce(self, session: Session) -> None:
        """Seal the source's certificate if the recipients have not got it; durable on return.

        The refusals of sealing and of the disk: then nothing of it is kept, and the caller keeps
        nothing of the submission either.
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
