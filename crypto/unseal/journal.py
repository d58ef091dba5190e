"""What earlier runs opened, so that nothing is opened twice: one line of JSON for each file.

Rule 1: a line is written before the file gets its name. A line without its file is as good as none;
        a file without a line cannot be.
Rule 2: a later line for the same upload replaces the earlier one.
Rule 3: a last line that a crash has cut off is dropped; any other that cannot be read ends the run.
"""

import dataclasses
import json
import os
from collections.abc import Iterator
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


@dataclass
class Journal:
    """The lines, and what they add up to."""

    path: Path
    items: dict[str, Item] = field(default_factory=dict)
    joined: dict[tuple[str, str], Joined] = field(default_factory=dict)
    left_behind: set[tuple[str, str]] = field(default_factory=set)

    def load(self) -> None:
        """Read what earlier runs wrote. Raises UnreadableStateError."""
        with disk_errors(self.path):
            octets = self.path.read_bytes() if self.path.exists() else b""
        whole, _newline, torn = octets.rpartition(b"\n")
        if torn:
            with disk_errors(self.path):
                os.truncate(self.path, len(octets) - len(torn))
        for line in whole.splitlines():
            self._note(self._parse(line))

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
        inside = {upload for each in self.joined_in(bag) for upload in each.uploads}
        yield from (item.place for item in self.in_bag(bag) if item.upload not in inside)
        yield from (each.place for each in self.joined_in(bag))

    def _note(self, record: Item | Joined) -> None:
        if isinstance(record, Item):
            if earlier := self.items.get(record.upload):
                self.left_behind.add((earlier.bag, earlier.place))
            self.items[record.upload] = record
        else:
            items = [self.items[upload] for upload in record.uploads if upload in self.items]
            self.left_behind.update((item.bag, item.place) for item in items)
            self.joined[record.bag, record.set] = record

    def _parse(self, line: bytes) -> Item | Joined:
        try:
            ((kind, facts),) = json.loads(line).items()
            if kind == Joined.__name__:
                return Joined(**{**facts, "uploads": tuple(facts["uploads"])})
            return Item(**facts)
        except (ValueError, TypeError, AttributeError, KeyError):
            raise UnreadableStateError(where=self.path) from None
