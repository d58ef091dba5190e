"""Bring one item: fetch, read back, compare, rename. Again once if it is wrong."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

from submit.fetch import stick as on_stick
from submit.fetch.desk import Desk
from submit.fetch.errors import WrongDigestError
from submit.fetch.index import Entry, Index
from submit.fetch.listing import Digest, Item
from submit.fetch.persist import Line
from submit.fetch.plan import Task
from submit.fetch.progress import Progress
from submit.fetch.stick import Place, Stick

_LOOKS = 3  # at an upload that moves while it is fetched: what comes then is for the next run


@dataclass(frozen=True, slots=True)
class Bringing:
    """What every item needs of the run. `doubts`: what the index says is not believed."""

    stick: Stick
    index: Index
    progress: Progress
    stopped: threading.Event
    doubts: bool = False

    def bring(self, task: Task, line: Line) -> None:
        """Put an item on the stick, verified, and into the index.

        Raises WrongDigestError, StickError, RefusedError, FetchError, StoppedError.
        """
        place = self.stick.place(task.source.folder, task.item.id)
        digest, tail = self._bring_both(task.item, place, line)
        self.index.add(task.source, replace(task.item, tail=tail), digest)
        self.progress.verified()

    def _bring_both(self, item: Item, place: Place, line: Line) -> tuple[Digest, bool]:
        """Bring the sealed file and the tail that goes on where it ends."""
        look = 1
        while True:
            digest = self._bring_sealed(item, place, line)
            tail = self._bring_tail(item, place, line)
            if item.is_final or look == _LOOKS:
                return digest, tail
            if line.inside(lambda desk: desk.digest(item)) == digest:
                return digest, tail
            look += 1

    def _bring_sealed(self, item: Item, place: Place, line: Line) -> Digest:
        wanted = line.inside(lambda desk: desk.digest(item))
        if self._is_here(item, place, wanted):
            return wanted
        for attempt in (1, 2):
            _Filling(self, item, place, line).fill(wanted, from_earlier=attempt == 1)
            if self._holds(place, wanted):
                on_stick.publish(place.part, place.sealed)
                return wanted
            line.require_going()
            self.progress.thrown_away(wanted.length)
            on_stick.remove(place.part)
            wanted = line.inside(lambda desk: desk.digest(item))
        raise WrongDigestError

    def _is_here(self, item: Item, place: Place, wanted: Digest) -> bool:
        if on_stick.size_of(place.sealed) != wanted.length:
            return False
        entry: Entry | None = self.index.get(item.id)
        if entry is not None and entry.digest == wanted and not self.doubts:
            return True
        # Of a run that was killed before it wrote the index, or a copy that may have rotted.
        return on_stick.read_back(place.sealed, self.stopped) == wanted

    def _holds(self, place: Place, wanted: Digest) -> bool:
        if wanted.length == 0:
            return on_stick.size_of(place.part) == 0
        return on_stick.read_back(place.part, self.stopped) == wanted

    def _bring_tail(self, item: Item, place: Place, line: Line) -> bool:
        octets = line.inside(lambda desk: desk.tail(item)) if item.tail else None
        if octets is None:
            on_stick.remove(place.tail)
            return False
        if on_stick.octets_of(place.tail) != octets:
            on_stick.replace(place.tail, octets)
        return True


@dataclass(frozen=True, slots=True)
class _Filling:
    """Fills the `.part` of one item up to a length, through any number of breaks."""

    run: Bringing
    item: Item
    place: Place
    line: Line

    def fill(self, wanted: Digest, *, from_earlier: bool) -> None:
        part = self.place.part
        if self._size() > wanted.length:
            on_stick.remove(part)
        if from_earlier:
            self._copy_earlier(wanted)
        if self._size() < wanted.length or on_stick.size_of(part) is None:
            self.line.inside(lambda desk: self._go_on(desk, wanted), self._size)

    def _copy_earlier(self, wanted: Digest) -> None:
        """Begin with what an earlier run brought: an upload that moved on has only grown."""
        earlier = on_stick.size_of(self.place.sealed) or 0
        if self._size() < earlier < wanted.length:
            blocks = on_stick.blocks_of(self.place.sealed, self._size())
            on_stick.append(self.place.part, self._while_going(blocks), self.run.progress.came)

    def _go_on(self, desk: Desk, wanted: Digest) -> None:
        first = self._size()
        blocks = desk.sealed(self.item, first, wanted.length) if wanted.length else iter(())
        on_stick.append(self.place.part, self._while_going(blocks), self.run.progress.came)

    def _while_going(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self.line.require_going()
            yield block

    def _size(self) -> int:
        return on_stick.size_of(self.place.part) or 0
