"""The key to which a source is answered: made with the source, opened only while it is here."""

from crypto.reply import ReplyKey, make_reply_key, read_reply_key
from crypto.wrap import PaddedWrapped, WrappingKey, unwrap_padded, wrap_padded
from submit.store.records import ReplyKeyRow, SourceRow
from submit.store.records import Sources as SourceRows

_PURPOSE = b"reply key"


class ReplyKeys:
    """Makes and opens reply keys."""

    def __init__(self, rows: SourceRows) -> None:
        """Keep them in the sources' rows."""
        self._rows = rows

    def make(self, designation: str, locator: bytes, key: WrappingKey) -> ReplyKeyRow:
        """Make a reply key, wrapped under the source's key."""
        made = make_reply_key(designation)
        return ReplyKeyRow(made.id, wrap_padded(key, _PURPOSE, locator, made.secret))

    def require(self, row: SourceRow, key: WrappingKey) -> None:
        """Make a reply key for a source that has none: it is from before there were replies."""
        if row.reply_key is None:
            made = self.make(row.designation, row.locator, key)
            self._rows.give_reply_key(row.locator, made)

    def open(self, locator: bytes, key: WrappingKey) -> ReplyKey | None:
        """Open a source's reply key; None if it has none."""
        row = self._rows.find(locator)
        if row is None or row.reply_key is None:
            return None
        wrapped = PaddedWrapped(row.reply_key.wrapped)
        return read_reply_key(unwrap_padded(key, _PURPOSE, locator, wrapped))
