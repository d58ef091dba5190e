"""What `fetch` says that the stick carries (`index.json`), against what is there and what was opened.

The index is signed by nobody: it finds what a stick has lost or mixed up, not a forger who changes both.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_INDEX, _VERSION = "index.json", 1
_COMPLETE = "complete"
_LONGEST = 1 << 28  # octets
_ID = re.compile(r"[a-z2-7]{26}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass
class Carried:
    """The SHA-256 of each sealed file that `fetch` put on the sticks, by upload.

    None at all, if the upload was not complete then: it will be another file. Several, if several
    sticks are given.
    """

    digests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unreadable: list[Path] = field(default_factory=list)

    def missing(self, known: Iterable[str]) -> list[str]:
        """Give the uploads that it names and that are not among the `known`."""
        return sorted(self.digests.keys() - set(known))

    def differing(self, opened: Mapping[str, str]) -> list[str]:
        """Give the uploads of which another sealed file was opened than `fetch` had verified."""
        both = self.digests.keys() & opened.keys()
        return sorted(
            upload
            for upload in both
            if self.digests[upload] and opened[upload] not in self.digests[upload]
        )


def read_indexes(given: Iterable[Path]) -> Carried:
    """Read the indexes of the sticks among or around what was given; none is nothing to complain of."""
    carried = Carried()
    for path in sorted({path for place in given for path in _indexes(place)}):
        try:
            said = _read(path)
            for upload, digest in list(_entries(said)):
                carried.digests[upload].update([digest] if digest else [])
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            carried.unreadable.append(path)
    return carried


def _indexes(place: Path) -> Iterator[Path]:
    """Look where `fetch` writes it, whichever of its folders was given."""
    for folder in (place / "nightferry", place, place.parent):
        path = folder / _INDEX
        if folder.name == "nightferry" and path.is_file() and not path.is_symlink():
            yield path.absolute()


def _read(path: Path) -> dict[str, object]:
    if path.stat().st_size > _LONGEST:
        raise ValueError(path)
    said = json.loads(path.read_bytes())
    if not isinstance(said, dict) or said["nightferry"] != _VERSION:
        raise ValueError(path)
    return said


def _entries(said: dict[str, object]) -> Iterator[tuple[str, str | None]]:
    """Give uploads and their digests; none of one that was not complete."""
    sources = said["sources"]
    if not isinstance(sources, list):
        raise TypeError
    for item in (item for source in sources for item in source["items"]):
        upload, digest = item["id"], item["sha256"]
        if not _ID.fullmatch(upload) or not _DIGEST.fullmatch(digest):
            raise ValueError(upload)
        yield upload, digest if item.get("state", _COMPLETE) == _COMPLETE else None
