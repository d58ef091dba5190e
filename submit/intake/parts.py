"""A large file that comes in parts: which have arrived, which are missing, what belongs together.

While a set is open, names, numbers and lengths stand in the rows under the source's key alone.
When it is closed the rows go; that its parts belong together then stands in their receipts.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from crypto.marks import make_mark
from crypto.wrap import PaddedWrapped, unwrap_padded, wrap_padded
from submit.intake.identifiers import new_upload_id
from submit.intake.part_names import PartName, recognise
from submit.intake.ports import Clock
from submit.intake.refusals import PartSetNotFoundError
from submit.intake.sessions import Session
from submit.store.records import PartRow, PartSetRow
from submit.store.records import Parts as PartRows

_SET, _PART = b"set of parts", b"part of a set"


@dataclass(frozen=True, slots=True)
class Membership:
    """Which set a file is of, and which part of it."""

    set: str
    part: int


@dataclass(frozen=True, slots=True)
class PartSet:
    """A file that is waiting for parts.

    `name` is that of the whole file, `arrived` counts parts, `missing` names those between the
    first and the highest that has arrived, `next` the one that would follow it.
    """

    id: str
    name: str = field(repr=False)
    arrived: int
    missing: tuple[str, ...] = field(repr=False)
    next: str = field(repr=False)


class Parts:
    """The sets of all sources."""

    def __init__(self, rows: PartRows, clock: Clock) -> None:
        """Keep sets in `rows`."""
        self._rows, self._clock = rows, clock

    def join(self, session: Session, path: str) -> Membership | None:
        """Tell which set a new file is of by its name, opening one if it may; None if it is whole.

        Nothing counts as arrived by this.
        """
        for name in recognise(path):
            mark = make_mark(session.key, _SET, *name.identity)
            if name.opens:
                return Membership(self._open(session, name, mark), name.number)
            if found := self._rows.find(session.source, mark):
                return Membership(found.id, name.number)
        return None

    def arrive(self, session: Session, member: Membership, length: int) -> None:
        """Note that a part has arrived whole; the set closes if it can be told to be complete."""
        number = str(member.part).encode()
        mark = make_mark(session.key, _PART, member.set.encode(), number)
        note = json.dumps([member.part, length]).encode()
        wrapped = wrap_padded(session.key, _PART, member.set.encode(), note)
        self._rows.arrive(PartRow(member.set, mark, wrapped), self._clock.day())
        if _is_complete(self._lengths(session, member.set)):
            self._rows.close(member.set, session.source)

    def close(self, session: Session, part_set: str) -> None:
        """Take the source's word that these are all; PartSetNotFoundError if there is no such."""
        if not self._rows.close(part_set, session.source):
            raise PartSetNotFoundError

    def show(self, session: Session) -> tuple[PartSet, ...]:
        """Show the sets of this source of which a part has arrived."""
        sets = (self._describe(session, row) for row in self._rows.of(session.source))
        return tuple(shown for shown in sets if shown.arrived)

    def _open(self, session: Session, name: PartName, mark: bytes) -> str:
        new = new_upload_id()
        fields = json.dumps([name.stem, name.style, name.width]).encode()
        # Not bound to the id: two that open one set at once keep the first one's row.
        wrapped = wrap_padded(session.key, _SET, mark, fields)
        row = PartSetRow(new, session.source, mark, self._clock.day(), wrapped)
        return self._rows.open(row)

    def _lengths(self, session: Session, part_set: str) -> Mapping[int, int]:
        context = part_set.encode()
        notes = (
            unwrap_padded(session.key, _PART, context, PaddedWrapped(row.wrapped))
            for row in self._rows.arrived(part_set)
        )
        return dict(json.loads(note) for note in notes)

    def _describe(self, session: Session, row: PartSetRow) -> PartSet:
        wrapped = PaddedWrapped(row.wrapped)
        stem, style, width = json.loads(unwrap_padded(session.key, _SET, row.mark, wrapped))
        arrived = self._lengths(session, row.id)
        highest = max(arrived, default=0)
        names = (PartName(stem, style, width, number) for number in _missing(arrived))
        return PartSet(
            id=row.id,
            name=stem,
            arrived=len(arrived),
            missing=tuple(name.text for name in names),
            next=PartName(stem, style, width, highest + 1).text,
        )


def _missing(arrived: Mapping[int, int]) -> list[int]:
    first = min(1, *arrived) if arrived else 1
    return [number for number in range(first, max(arrived, default=0)) if number not in arrived]


def _is_complete(arrived: Mapping[int, int]) -> bool:
    """Tell whether no part is missing and the last one is shorter than all before it."""
    *others, last = (arrived[number] for number in sorted(arrived)) if arrived else (0,)
    return bool(others) and not _missing(arrived) and last < min(others)
