"""Delete at the desk what never changes and lies on this stick, read back at that moment."""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from submit.fetch import stick as on_stick
from submit.fetch.desk import Desk
from submit.fetch.errors import RefusedError, StoppedError
from submit.fetch.index import Entry, Index
from submit.fetch.listing import Item, Source
from submit.fetch.persist import Line
from submit.fetch.progress import counted
from submit.fetch.stick import Place, Stick
from submit.fetch.terminal import Terminal


class _Copy(Enum):
    """What this stick has of an item."""

    NONE = auto()
    BAD = auto()
    GOOD = auto()


@dataclass(frozen=True, slots=True)
class Deleting:
    """What deleting needs of the run."""

    stick: Stick
    index: Index
    terminal: Terminal
    stopped: threading.Event

    def work(self, sources: Iterable[Source], line: Line) -> int:
        """Delete what is safe here; give how many copies on the stick are bad. Raises FetchError."""
        deleted, said = 0, Counter[_Copy]()
        for item in (item for source in sources for item in source.items if item.is_final):
            copy = self._copy_of(item)
            said[copy] += 1
            if copy is _Copy.GOOD:
                deleted += self._delete(item, line)
            elif copy is _Copy.BAD:
                self._say_bad(item)
        self.terminal.say(f"{counted(deleted, 'file')} deleted at the desk")
        if said[_Copy.NONE]:
            self.terminal.say(f"{counted(said[_Copy.NONE], 'file')} not on this stick: kept there")
        return said[_Copy.BAD]

    def _copy_of(self, item: Item) -> _Copy:
        entry = self.index.get(item.id)
        if entry is None or not entry.item.is_final or entry.digest.length != item.length:
            return _Copy.NONE
        found = on_stick.read_back(self._place(entry).sealed, self.stopped)
        if self.stopped.is_set():
            raise StoppedError
        return _Copy.GOOD if found == entry.digest else _Copy.BAD

    def _place(self, entry: Entry) -> Place:
        return self.stick.place(entry.folder, entry.item.id)

    def _delete(self, item: Item, line: Line) -> bool:
        try:
            line.inside(lambda desk: self._delete_if_same(desk, item))
        except RefusedError as refused:
            self.terminal.complain(f"{item.id} was not deleted at the desk: {refused}")
            return False
        return True

    def _delete_if_same(self, desk: Desk, item: Item) -> None:
        entry = self.index.get(item.id)
        if entry is None or desk.digest(item) != entry.digest or self._has_other_tail(desk, entry):
            raise RefusedError(0, "what the desk has is not what is on the stick")
        desk.delete(item)

    def _has_other_tail(self, desk: Desk, entry: Entry) -> bool:
        """Tell whether what goes on where an expired upload ends is not on the stick as it is there."""
        octets = desk.tail(entry.item) if entry.item.tail else None
        return octets is not None and on_stick.octets_of(self._place(entry).tail) != octets

    def _say_bad(self, item: Item) -> None:
        """Say it, and forget that it was good, so that the next run brings it again."""
        self.index.drop(item.id)
        self.index.write()
        self.terminal.complain(
            f"{item.id} is damaged on this stick. It stays at the desk: run this again to bring it "
            "anew, better onto another stick."
        )
