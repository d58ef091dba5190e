"""Join files that came in parts: each part is verified once more, and the whole appears by rename.

A receipt names the set and the number of a part (docs/format.md, "The receipt"). How many there are
only the source knows: parts 1 to n (0 to n if part 0 has come) are joined when none between them is
missing, and it is said whether the last one looks like the end (it is shorter than the first). What
makes parts makes them of one length, but for the last: clips of a camera that are counted alike stay.
"""

import contextlib
import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path

from crypto.unseal.content import NewFile, disk_errors
from crypto.unseal.errors import DiskError
from crypto.unseal.journal import Item, Joined
from crypto.unseal.names import safe_path
from crypto.unseal.sealed import BLOCK
from crypto.unseal.shelf import Shelf, make_durable

_ENDING = re.compile(r"(?<=[^/])\.([0-9]{3,}|[a-z]{2,3})$")
_FIRST_LETTERS = "aa"
_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class PartSet:
    """The parts of one file that have come, in their order."""

    bag: str
    id: str
    items: tuple[Item, ...]

    @property
    def path(self) -> str:
        """The name of the whole file: that of a part, without its number."""
        path = self.items[0].path
        whole = _ENDING.sub("", path)
        return whole if whole != path else f"{path}.joined"

    @property
    def can_be_one_file(self) -> bool:
        """Tell whether all have one length, but for a shorter last one."""
        *others, last = (item.size for item in self.items)
        return all(last <= size == others[0] for size in others)

    @property
    def missing(self) -> list[int]:
        """The first few numbers that are missing between the first and the highest."""
        if not self.can_be_one_file:
            return []
        here = {item.part for item in self.items if not item.is_partial}
        numbers = self._numbers()
        every = range(min(1, *numbers), max(numbers) + 1)
        # Not all of them: anybody can seal a part of any number.
        return list(islice((number for number in every if number not in here), _MOST_SHOWN + 1))

    @property
    def seems_ended(self) -> bool:
        """Tell whether the last part is shorter than the first."""
        return self.items[-1].size < self.items[0].size

    def words(self) -> str:
        """Say how it stands with it."""
        if not self.can_be_one_file:
            return "not joined: by their lengths they are no parts of one file. Each is as it came"
        if self.missing:
            first = ", ".join(map(str, self.missing[:_MOST_SHOWN]))
            more = ", …" if len(self.missing) > _MOST_SHOWN else ""
            return f"not joined: part {first}{more} is missing of {max(self._numbers())} or more"
        if len(self.items) == 1:
            return "only its first part has come"
        if self.seems_ended:
            return f"joined from {len(self.items)} parts"
        return f"joined from {len(self.items)} parts of one length: more of it may still come"

    def _numbers(self) -> list[int]:
        return [item.part or 0 for item in self.items]


def sets_in(shelf: Shelf, bag: str) -> list[PartSet]:
    """Give the sets of parts in a bag.

    Of two uploads with one number a whole one counts, then the one that is joined, then the first.
    """
    found: dict[str, dict[int, Item]] = defaultdict(dict)

    def rank(item: Item) -> tuple[bool, bool]:
        return item.is_partial, item.upload not in shelf.journal.inside

    for item in shelf.journal.in_bag(bag):
        if item.set is not None and item.part is not None:
            held = found[item.set].setdefault(item.part, item)
            if rank(item) < rank(held):
                found[item.set][item.part] = item
    return [
        PartSet(bag, set_id, tuple(parts[number] for number in sorted(parts)))
        for set_id, parts in sorted(found.items())
    ]


def join_all(shelf: Shelf, bag: str) -> None:
    """Join each set in a bag that can be joined and is not. Raises DiskFullError, DiskError."""
    for each in sets_in(shelf, bag):
        uploads = tuple(item.upload for item in each.items)
        joined = shelf.journal.joined.get((bag, each.id))
        is_joined = joined is not None and joined.uploads == uploads
        if each.can_be_one_file and not each.missing and len(uploads) > 1 and not is_joined:
            _join(shelf, each, uploads, joined)


def _join(shelf: Shelf, each: PartSet, uploads: tuple[str, ...], earlier: Joined | None) -> None:
    size = sum(item.size for item in each.items)
    new = NewFile(shelf.staging / f"{uploads[0]}.joined", size)
    lying = _locations(shelf, each, earlier)
    try:
        for item, (path, start) in zip(each.items, lying, strict=True):
            _add_part(item, path, start, new)
        first = each.items[0]
        digests = new.finish(first.modified or 0, 0)
    except BaseException:
        new.discard()
        raise
    place = (
        earlier.place if earlier else shelf.choose(each.bag, f"data/files/{safe_path(each.path)}")
    )
    make_durable([new.path])
    shelf.unclose(each.bag)
    target = shelf.into / each.bag / place
    with disk_errors(target.parent):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The parts are looked for in their own places until this file is there.
        new.path.rename(target)
    shelf.journal.add(
        Joined(each.bag, each.id, place, uploads, size, digests.sha256, digests.sha512)
    )
    make_durable([target.parent])
    _remove({shelf.into / item.bag / item.place for item in each.items} - {target})


def _locations(shelf: Shelf, each: PartSet, earlier: Joined | None) -> list[tuple[Path, int]]:
    """Give the file in which each part lies, and where in it it begins."""
    whole = shelf.into / each.bag / earlier.place if earlier else None
    sizes = [item.size for item in each.items]
    if whole and whole.is_file() and whole.stat().st_size == sum(sizes):
        # A run was killed when it had joined them, before its line was in the journal.
        return [(whole, end - size) for end, size in zip(accumulate(sizes), sizes, strict=True)]
    return [shelf.location(item) for item in each.items]


def _remove(paths: set[Path]) -> None:
    """Remove the parts at once, so that the next set has room; not by a search through the bag."""
    for path in paths:
        with disk_errors(path):
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # the folder has other files
                path.parent.rmdir()


def _add_part(item: Item, path: Path, start: int, new: NewFile) -> None:
    """Copy a part, and check that it still is what was opened."""
    left, digest = item.size, hashlib.sha512()
    with disk_errors(path), path.open("rb", buffering=0) as file:
        file.seek(start)
        while left and (block := file.read(min(left, BLOCK))):
            digest.update(block)
            new.add(block)
            left -= len(block)
    if left or digest.hexdigest() != item.sha512:
        raise DiskError(where=path, why="it is no longer what was opened; remove it and run again")
