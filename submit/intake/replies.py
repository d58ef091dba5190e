"""Replies: OpenPGP messages that staff made with stock gpg, opened in memory and nowhere else."""

from dataclasses import dataclass, field

from crypto.errors import CryptoError
from crypto.reply import is_message_to
from crypto.reply_message import open_reply
from submit.intake.identifiers import new_upload_id
from submit.intake.ports import Clock
from submit.intake.refusals import (
    NoReplyKeyError,
    NotAReplyError,
    ReplyNotFoundError,
    ReplyTooLongError,
    UnknownDesignationError,
)
from submit.intake.reply_keys import ReplyKeys
from submit.intake.sessions import Session
from submit.store.records import Replies as ReplyRows
from submit.store.records import ReplyRow
from submit.store.records import Sources as SourceRows

LONGEST_MESSAGE = 262_144  # octets as it comes from gpg, armored or not
LONGEST_TEXT = 131_072  # octets of text, decompressed


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply. `day`: UTC day number of its arrival. `text` is None if it cannot be opened."""

    id: str
    day: int
    text: str | None = field(repr=False)


class Replies:
    """The replies to all sources."""

    def __init__(self, rows: ReplyRows, sources: SourceRows, keys: ReplyKeys, clock: Clock) -> None:
        """Keep replies in `rows`."""
        self._rows, self._sources, self._keys, self._clock = rows, sources, keys, clock

    def show(self, session: Session) -> tuple[Reply, ...]:
        """Open the replies to this source, the oldest first."""
        rows = self._rows.to(session.source)
        key = self._keys.open(session.source, session.key) if rows else None
        return tuple(
            Reply(row.id, row.day, _open(key.secret, row.message) if key else None) for row in rows
        )

    def delete(self, session: Session, reply: str) -> None:
        """Delete a reply; ReplyNotFoundError if this source has none of this id."""
        if not self._rows.remove(reply, session.source):
            raise ReplyNotFoundError

    def accept(self, designation: str, message: bytes) -> str:
        """Keep a reply that staff made, proved to be encrypted to this source alone; give its id.

        The same message again, after an answer that was lost on the way, is the same reply. Raises UnknownDesignationError, NoReplyKeyError, ReplyTooLongError or NotAReplyError.
        """
        source = self._sources.designated(" ".join(designation.split()))
        if source is None:
            raise UnknownDesignationError
        if source.reply_key is None:
            raise NoReplyKeyError
        if len(message) > LONGEST_MESSAGE:
            raise ReplyTooLongError
        if not is_message_to(source.reply_key.id, message):
            raise NotAReplyError
        for kept in self._rows.to(source.locator):
            if kept.message == message:
                return kept.id
        row = ReplyRow(new_upload_id(), source.locator, self._clock.day(), message)
        self._rows.add(row)
        return row.id


def _open(secret: bytes, message: bytes) -> str | None:
    try:
        return open_reply(secret, message, LONGEST_TEXT)
    except CryptoError:
        return None
