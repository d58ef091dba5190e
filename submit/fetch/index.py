"""The index on the stick, for the offline tool: what lies there, verified."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from submit.fetch.listing import Digest, Item, Source, parse_entries
from submit.fetch.stick import Place, Stick, blocks_of, make_folder, replace, size_of, stick_errors

_VERSION = 1
_BETWEEN = 5.0  # seconds: a stick bears few rewrites
_LONGEST = 1 << 28  # octets


@dataclass(frozen=True, slots=True)
class Entry:
    """A sealed file that lies on the stick and was what the desk had."""

    source: str
    designation: str
    item: Item
    digest: Digest

    @property
    def folder(self) -> str:
        """The name of its source's folder."""
        return self.designation.replace(" ", "-")


class Index:
    """The entries by upload id. Safe from several threads."""

    def __init__(self, stick: Stick, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = stick.home / "index.json"
        self._stick, self._clock = stick, clock
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._written = clock()

    def load(self) -> None:
        """Read it; what it names and is not on the stick any more is not in it. Raises StickError.

        One that is torn or not ours counts as empty: the files are verified again.
        """
        found = (Entry(*fields) for fields in parse_entries(_read(self.path)))
        self._entries = {entry.item.id: entry for entry in found if self._is_there(entry)}

    def get(self, upload: str) -> Entry | None:
        """Give an upload's entry."""
        with self._lock:
            return self._entries.get(upload)

    def entries(self) -> list[Entry]:
        """Give all entries."""
        with self._lock:
            return list(self._entries.values())

    def add(self, source: Source, item: Item, digest: Digest) -> None:
        """Note a file that is verified; written now or soon. Raises StickError."""
        with self._lock:
            self._entries[item.id] = Entry(source.id, source.designation, item, digest)
            if self._clock() - self._written >= _BETWEEN:
                self._write()

    def drop(self, upload: str) -> None:
        """Forget an upload whose copy is not good any more."""
        with self._lock:
            self._entries.pop(upload, None)

    def write(self) -> None:
        """Write it now. Raises StickError."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        with stick_errors():
            make_folder(self.path.parent)
        octets = json.dumps(_as_json(list(self._entries.values())), indent=1).encode()
        if _octets(self.path) != octets:
            replace(self.path, octets)
        self._written = self._clock()

    def _is_there(self, entry: Entry) -> bool:
        place: Place = self._stick.place(entry.folder, entry.item.id)
        return size_of(place.sealed) == entry.digest.length


def _as_json(entries: list[Entry]) -> dict[str, object]:
    sources: dict[tuple[str, str], list[dict[str, object]]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.designation, entry.item.id)):
        item = entry.item
        sources.setdefault((entry.designation, entry.source), []).append(
            {
                "id": item.id,
                "kind": item.kind,
                "state": item.state,
                "day": item.day,
                "length": entry.digest.length,
                "sha256": entry.digest.sha256,
                "tail": item.tail,
            }
        )
    return {
        NAME: _VERSION,
        "sources": [
            {"designation": designation, "id": identifier, "items": items}
            for (designation, identifier), items in sources.items()
        ],
    }


NAME = "nightferry"


def _read(path: Path) -> object:
    try:
        said: object = json.loads(_octets(path))
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and said.get(NAME) == _VERSION else None


def _octets(path: Path) -> bytes:
    if (size_of(path) or _LONGEST) >= _LONGEST:
        return b""
    return b"".join(blocks_of(path))
