"""What every sealed file begins with: fresh keys for the recipients, and the tar head."""

import datetime as dt
from typing import Protocol

from crypto.archive import Entry
from crypto.errors import CryptoError
from crypto.session_key import NewMessageKeys
from submit.intake.parts import Membership
from submit.intake.ports import Clock
from submit.intake.refusals import SealingError
from submit.store.records import Sources as SourceRows
from submit.tus.metadata import Facts

_EPOCH = dt.date(1970, 1, 1).toordinal()


class KeyMaker(Protocol):
    """Makes session keys; crypto.session_key has the real one."""

    def make(self) -> NewMessageKeys:
        """Make the keys of one message."""


class Opening:
    """Makes keys and heads."""

    def __init__(self, keys: KeyMaker, sources: SourceRows, clock: Clock) -> None:
        """Take keys from `keys` and designations from `sources`."""
        self._keys, self._sources, self._clock = keys, sources, clock

    def new_keys(self) -> NewMessageKeys:
        """Make the keys of one message; SealingError, with nothing kept, if GnuPG cannot."""
        try:
            return self._keys.make()
        except CryptoError:
            raise SealingError from None

    def entry(
        self, upload: str, source: bytes, facts: Facts, member: Membership | None = None
    ) -> Entry:
        """Put together what the tar head and the receipt say."""
        row = self._sources.find(source)
        return Entry(
            path=facts.path or facts.filename,
            modified=facts.modified,
            received=dt.date.fromordinal(_EPOCH + self._clock.day()),
            filetype=facts.filetype,
            upload=upload,
            source=row.designation if row else "",
            set=member.set if member else None,
            part=member.part if member else None,
        )
