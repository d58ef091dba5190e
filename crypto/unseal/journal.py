"""What earlier runs opened, so that nothing is opened twice: one line of JSON for each file.

Rule 1: a line is written before the file gets its name. A line without its file, of exactly its
        length, is as good as none: the line before it counts.
Rule 2: a later line for the same upload replaces the earlier one.
Rule 3: a last line that a crash has cut off is dropped; any other that cannot be read ends the run.
"""

import dataclasses
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from crypto.unseal.content import disk_errors
from crypto.unseal.errors import UnreadableStateError


@dataclass(frozen=True, slots=True)
class Item:
    """One opened upload: what was received, from which sealed file, and where it lies in its bag.

    `place` is relative to the bag, and the file there has `kept` octets; of a partial one `kept` is
    less than `size`, or `damaged` is true. A part that was joined lies in the `Joined` file.
    """

    upload: str
    source: str
    received: str
    path: str
    modified: int | None
    filetype: str | None
    set: str | None
    part: int | None
    kind: str
    sealed_name: str
    sealed_size: int
    sealed_sha256: str
    tail_sha256: str | None
    opened_with_key: str
    opened_with_certificate: str
    bag: str
    place: str
    kept: int
    size: int
    damaged: bool
    note: str
    sha256: str
    sha512: str

    @property
    def is_partial(self) -> bool:
        """Tell whether some of it is missing."""
        return self.kept < self.size or self.damaged


@dataclass(frozen=True, slots=True)
class Joined:
    """A file that came in parts, joined: `uploads` are the parts in their order."""

    bag: str
    set: str
    place: str
    uploads: tuple[str, ...]
    size: int
    sha256: str
    sha512: str


Length = Callable[[str, str], int]  # of the file at a place of a bag; -1 if there is none


@dataclass
class Journal:
    """The lines, and what they add up to.

    `items`: what is there. `inside`: where in a joined file a part begins. `lost`: what was opened
    and is not there. `left_behind`: bags and places of what was replaced, and by what place.
    """

    path: Path
    items: dict[str, Item] = field(default_factory=dict)
    joined: dict[tuple[str, str], Joined] = field(default_factory=dict)
    inside: dict[str, tuple[Joined, int]] = field(default_factory=dict)
    lost: dict[str, Item] = field(default_factory=dict)
    left_behind: dict[tuple[str, str], str] = field(default_factory=dict)

    def load(self, length: Length) -> None:
        """Read what earlier runs wrote, and look what of it is there. Raises UnreadableStateError."""
        lines: dict[str, list[Item]] = defaultdict(list)
        joined = []
        for record in self._read():
            if isinstance(record, Item):
                lines[record.upload].append(record)
            else:
                joined.append(record)
        # A joined file that grew is renamed before its line is written: it may be longer.
        for each in joined:
            if length(each.bag, each.place) >= each.size:
                self.joined[each.bag, each.set] = each
        self.items = {upload: items[-1] for upload, items in lines.items()}
        for each in self.joined.values():
            self._note_inside(each)
        for upload, items in lines.items():
            self._resolve(upload, items, length)

    def _resolve(self, upload: str, items: list[Item], length: Length) -> None:
        """Let the last line count whose file is there."""
        for number in range(len(items) - 1, -1, -1):
            item = items[number]
            joined = upload in self.inside and not item.is_partial
            if joined or length(item.bag, item.place) == item.kept:
                self.items[upload] = item
                place = self.place_of(item)
                earlier = items[: number + 1]
                self.left_behind.update({(i.bag, i.place): place for i in earlier})
                return
        self.lost[upload] = self.items.pop(upload)

    def _read(self) -> Iterator[Item | Joined]:
        with disk_errors(self.path):
            octets = self.path.read_bytes() if self.path.exists() else b""
        whole, _newline, torn = octets.rpartition(b"\n")
        if torn:
            with disk_errors(self.path):
                os.truncate(self.path, len(octets) - len(torn))
        for line in whole.splitlines():
            yield self._parse(line)

    def add(self, record: Item | Joined) -> None:
        """Write a line, then count it."""
        line = json.dumps({type(record).__name__: dataclasses.asdict(record)}) + "\n"
        with disk_errors(self.path), self.path.open("ab", buffering=0) as file:
            file.write(line.encode())
        self._note(record)

    def in_bag(self, bag: str) -> list[Item]:
        """Give a bag's items in the order of their places."""
        return sorted(
            (item for item in self.items.values() if item.bag == bag), key=lambda item: item.place
        )

    def joined_in(self, bag: str) -> list[Joined]:
        """Give a bag's joined files in the order of their places."""
        return sorted(
            (each for each in self.joined.values() if each.bag == bag), key=lambda each: each.place
        )

    def bags(self) -> list[str]:
        """Give the names of all bags."""
        return sorted({item.bag for item in self.items.values()})

    def places(self, bag: str) -> Iterator[str]:
        """Give every place in a bag at which a file should lie."""
        yield from self.lengths(bag)

    def lengths(self, bag: str) -> dict[str, int]:
        """Give the octets of each file that should lie in a bag, by its place."""
        own = (item for item in self.in_bag(bag) if item.upload not in self.inside)
        lengths = {item.place: item.kept for item in own}
        return lengths | {each.place: each.size for each in self.joined_in(bag)}

    def place_of(self, item: Item) -> str:
        """Give where an item lies: the joined file, if it is a part of one."""
        return self.inside[item.upload][0].place if item.upload in self.inside else item.place

    def _note(self, record: Item | Joined) -> None:
        if isinstance(record, Item):
            if earlier := self.items.get(record.upload):
                self.left_behind[earlier.bag, earlier.place] = record.place
            self.items[record.upload] = record
            self.lost.pop(record.upload, None)
            return
        if earlier_file := self.joined.get((record.bag, record.set)):
            for upload in earlier_file.uploads:
                self.inside.pop(upload, None)
                if upload not in record.uploads and upload in self.items:
                    self.lost[upload] = self.items.pop(upload)
        self.joined[record.bag, record.set] = record
        self._note_inside(record)
        for item in (self.items[upload] for upload in record.uploads if upload in self.items):
            self.left_behind[item.bag, item.place] = record.place

    def _note_inside(self, joined: Joined) -> None:
        begin = 0
        for upload in joined.uploads:
            if item := self.items.get(upload):
                self.inside[upload] = joined, begin
                begin += item.size

    def _parse(self, line: bytes) -> Item | Joined:
        try:
            ((kind, facts),) = json.loads(line).items()
            if kind == Joined.__name__:
                return Joined(**{**facts, "uploads": tuple(facts["uploads"])})
            return Item(**facts)
        except (ValueError, TypeError, AttributeError, KeyError):
            raise UnreadableStateError(where=self.path) from None
