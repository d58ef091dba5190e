"""A large file that comes in parts: which have arrived, which are missing, what belongs together.

While a set is open, names, numbers and lengths stand in the rows under the source's key alone.
When it is closed the rows go; that its parts belong together then stands in their receipts.

Whatever splits a file makes all parts equally long but the last, which may be shorter. So lengths
can show that `gate.001`, `gate.002` … are clips and no parts at all. Then nobody is told that one
is missing; what shows it is kept as long as an open set, so that the next clip opens no other.
"""

import json
from collections.abc import Iterable, Mapping
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
_FEW = 64  # parts that are looked at whenever one more comes
_PROOF = 2  # parts of one length, before a shorter one is taken for the last


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
                return self._member(session, self._open(session, name, mark), name.number)
            if found := self._rows.find(session.source, mark):
                return self._member(session, found.id, name.number)
        return None

    def _member(self, session: Session, part_set: str, number: int) -> Membership | None:
        few = self._rows.arrived(part_set, _FEW)
        return Membership(part_set, number) if _may_be(self._read(session, few)) else None

    def arrive(self, session: Session, member: Membership, length: int) -> None:
        """Note that a part has arrived whole; the set closes if it can be told to be complete."""
        mark = _mark(session, member)
        note = json.dumps([member.part, length]).encode()
        wrapped = wrap_padded(session.key, _PART, member.set.encode(), note)
        self._rows.arrive(PartRow(member.set, mark, wrapped), self._clock.day())
        if self._tells(session, member.set, length):
            self._end(session, member.set, self._lengths(session, member.set))

    def _tells(self, session: Session, part_set: str, length: int) -> bool:
        """Tell whether it is time to look at all parts: not at thousands for each that comes."""
        few = self._rows.arrived(part_set, _FEW)
        return len(few) < _FEW or set(self._read(session, few[:2]).values()) != {length}

    def _end(self, session: Session, part_set: str, arrived: Mapping[int, int]) -> bool:
        """End a set if its lengths say so; tell whether it is no set that is open."""
        if not _may_be(arrived):
            proof = (Membership(part_set, number) for number in _proof(arrived))
            self._rows.reduce(part_set, [_mark(session, member) for member in proof])
            return True
        if _is_complete(arrived):
            self._rows.close(part_set, session.source)
            return True
        return False

    def close(self, session: Session, part_set: str) -> None:
        """Take the source's word that these are all; PartSetNotFoundError if there is no such."""
        if not self._rows.close(part_set, session.source):
            raise PartSetNotFoundError

    def show(self, session: Session) -> tuple[PartSet, ...]:
        """Show the sets of this source of which a part has arrived."""
        sets = (self._describe(session, row) for row in self._rows.of(session.source))
        return tuple(shown for shown in sets if shown is not None)

    def _open(self, session: Session, name: PartName, mark: bytes) -> str:
        new = new_upload_id()
        fields = json.dumps([name.stem, name.style, name.width]).encode()
        # Not bound to the id: two that open one set at once keep the first one's row.
        wrapped = wrap_padded(session.key, _SET, mark, fields)
        row = PartSetRow(new, session.source, mark, self._clock.day(), wrapped)
        return self._rows.open(row)

    def _lengths(self, session: Session, part_set: str) -> Mapping[int, int]:
        return self._read(session, self._rows.arrived(part_set))

    def _read(self, session: Session, rows: Iterable[PartRow]) -> Mapping[int, int]:
        notes = (
            unwrap_padded(session.key, _PART, row.set.encode(), PaddedWrapped(row.wrapped))
            for row in rows
        )
        return dict(json.loads(note) for note in notes)

    def _describe(self, session: Session, row: PartSetRow) -> PartSet | None:
        arrived = self._lengths(session, row.id)
        if not arrived or self._end(session, row.id, arrived):
            return None
        wrapped = PaddedWrapped(row.wrapped)
        stem, style, width = json.loads(unwrap_padded(session.key, _SET, row.mark, wrapped))
        names = (PartName(stem, style, width, number) for number in _missing(arrived))
        return PartSet(
            id=row.id,
            name=stem,
            arrived=len(arrived),
            missing=tuple(name.text for name in names),
            next=PartName(stem, style, width, max(arrived) + 1).text,
        )


def _missing(arrived: Mapping[int, int]) -> list[int]:
    first = min(1, *arrived) if arrived else 1
    return [number for number in range(first, max(arrived, default=0)) if number not in arrived]


def _mark(session: Session, member: Membership) -> bytes:
    number = str(member.part).encode()
    return make_mark(session.key, _PART, member.set.encode(), number)


def _may_be(arrived: Mapping[int, int]) -> bool:
    """Tell whether these may be parts of one file: as long as the first, the highest not longer.

    What may not be will not be, whatever else arrives.
    """
    if not arrived:
        return True
    first, *others, last = (arrived[min(arrived)], *(arrived[number] for number in sorted(arrived)))
    return all(other == first for other in others) and last <= first


def _proof(arrived: Mapping[int, int]) -> list[int]:
    """Give up to three parts that may not be of one file, of many that may not."""
    numbers = sorted(arrived)
    length = arrived[numbers[0]]
    other = next(at for at, number in enumerate(numbers) if arrived[number] != length)
    return [numbers[0], *numbers[other : other + 2]]


def _is_complete(arrived: Mapping[int, int]) -> bool:
    """Tell whether no part is missing and the last of at least three is shorter.

    Two of different length prove nothing: any two clips have that.
    """
    lengths = [arrived[number] for number in sorted(arrived)]
    return len(lengths) > _PROOF and not _missing(arrived) and lengths[-1] < lengths[0]
