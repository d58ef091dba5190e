"""Sources: made once, and back again with nothing but a codename.

The same work is done and the same words are said for a codename that exists and one that
does not. No throttle counts failures: a codename has 103 bits, so guessing is hopeless, and
a counter would let a stranger lock sources out. What is bounded is the memory that checks use.
"""

from dataclasses import dataclass, field

from crypto.codename import Codename, Cost, Derived, derive, generate, mark_codename, parse
from crypto.errors import MistypedWordError, WordCountError
from submit.intake.admission import Admission
from submit.intake.identifiers import new_designation, new_upload_id
from submit.intake.ports import Clock
from submit.intake.refusals import (
    MistypedWordRefusal,
    OtherCodenameError,
    WordCountRefusal,
    WrongCodenameError,
)
from submit.intake.reply_keys import ReplyKeys
from submit.intake.sessions import Session, Sessions
from submit.store.errors import TakenError
from submit.store.files import SealedFiles
from submit.store.records import SourceRow
from submit.store.records import Sources as SourceRows

_CHECKS_AT_ONCE = 1  # 64 MiB, 0.15 s; two at once would wait for each other anyway
_CHECKS_WAITING = 32  # so that a flood of guesses never takes the threads of the pages
_WAIT = 20  # seconds for a place
_ATTEMPTS = 100
_NEW_SOURCE = 1 << 16  # octets that its rows may take, twice because of the database's log


@dataclass(frozen=True, slots=True)
class Entered:
    """A source has come in. `codename` is set the first time only: it is shown once."""

    cookie: str = field(repr=False)
    codename: Codename | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CodenameRules:
    """How codenames are turned into locators and keys here."""

    salt: bytes = field(repr=False)
    cost: Cost


class Sources:
    """The sources of this site."""

    def __init__(
        self,
        rows: SourceRows,
        sessions: Sessions,
        clock: Clock,
        codenames: CodenameRules,
        reply_keys: ReplyKeys,
        files: SealedFiles,
    ) -> None:
        """Keep sources in `rows`, while there is room beside `files`."""
        self._rows, self._sessions, self._clock, self._codenames = rows, sessions, clock, codenames
        self._reply_keys, self._files = reply_keys, files
        self._checks, self._queue = Admission(_CHECKS_AT_ONCE), Admission(_CHECKS_WAITING)

    def create(self) -> Entered:
        """Make a new source and log it in; DiskFullError if its row would go into the reserve."""
        self._files.require_room(_NEW_SOURCE)
        codename = generate()
        derived = self._derive(codename)
        self._add(derived)
        return Entered(self._begin(codename, derived, None), codename)

    def enter(self, typed: str) -> Entered:
        """Log a source in with its codename; the three refusals of a codename otherwise."""
        codename = _parse(typed)
        derived = self._derive(codename)
        row = self._rows.find(derived.locator)
        if row is None:
            raise WrongCodenameError
        self._reply_keys.require(row, derived.key)
        self._rows.visit(derived.locator, self._clock.day())
        return Entered(self._begin(codename, derived, row.last_visit))

    def confirm(self, session: Session, typed: str) -> None:
        """Note that the source has its codename, for it has typed it back.

        OtherCodenameError if it is another one; the refusals of a codename otherwise.
        """
        if self._derive(_parse(typed)).locator != session.source:
            raise OtherCodenameError
        self._rows.confirm(session.source)

    def recall(self, cookie: str | None) -> Session:
        """Open the session of a cookie; NoSessionError if there is none."""
        return self._sessions.recall(cookie)

    def leave(self, cookie: str | None) -> None:
        """End the session of a cookie."""
        self._sessions.end(cookie)

    def _derive(self, codename: Codename) -> Derived:
        with self._queue.admit(), self._checks.admit(_WAIT):
            return derive(codename, self._codenames.salt, self._codenames.cost)

    def _begin(self, codename: Codename, derived: Derived, visit_before: int | None) -> str:
        mark = mark_codename(codename, derived.key)
        return self._sessions.begin(derived.locator, derived.key, mark, visit_before)

    def _add(self, derived: Derived) -> None:
        for _ in range(_ATTEMPTS):
            designation = new_designation()
            key = self._reply_keys.make(designation, derived.locator, derived.key)
            row = SourceRow(
                derived.locator,
                designation,
                self._clock.day(),
                reply_key=key,
                public_id=new_upload_id(),
            )
            try:
                return self._rows.add(row)
            except TakenError:
                continue
        raise RuntimeError("internal error: no designation is free")


def _parse(typed: str) -> Codename:
    try:
        return parse(typed)
    except MistypedWordError as error:
        raise MistypedWordRefusal(error.position, error.suggestion) from None
    except WordCountError as error:
        raise WordCountRefusal(error.count) from None
