"""What lies in a bag, as its manifests and its custody report say: one entry for each file."""

import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crypto.unseal.errors import NotABagError
from crypto.unseal.terminal import is_plain

_MANIFESTS = {"sha256": 64, "sha512": 128}  # digits of a hash
_ENCODED = re.compile(r"%(0[ad]|25)", re.IGNORECASE)
_LONGEST_SHOWN = 1200


@dataclass(frozen=True, slots=True)
class Entry:
    """One file. `digest` is hexadecimal, of the manifest's kind; `modified` is in milliseconds."""

    place: str
    digest: str
    size: int
    path: str
    what: str
    received: str
    modified: int | None
    is_partial: bool


def read_entries(bag: Path) -> list[Entry]:
    """Give the files that the manifest names and that are there. Raises NotABagError."""
    facts = _custody(bag)
    return [
        _entry(place, digest, size, facts.get(place, {}))
        for place, digest in sorted(_manifest(bag))
        if (size := _size(bag, place)) is not None
    ]


def shown(text: str) -> str:
    """Give a stranger's text for a page: what would act or turn is written out."""
    plain = "".join(c if is_plain(c) else f"<U+{ord(c):04X}>" for c in text)
    return plain if len(plain) <= _LONGEST_SHOWN else plain[: _LONGEST_SHOWN - 1] + "…"


def _manifest(bag: Path) -> Iterator[tuple[str, str]]:
    for algorithm, digits in _MANIFESTS.items():
        path = bag / f"manifest-{algorithm}.txt"
        if not path.is_file():
            continue
        line = re.compile(rf"([0-9A-Fa-f]{{{digits}}})[ \t]+\*?(data/.+)")
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            raise NotABagError(where=bag, why=f"its {path.name} cannot be read") from None
        for match in map(line.fullmatch, text.replace("\r\n", "\n").split("\n")):
            if match:
                yield _ENCODED.sub(lambda c: chr(int(c[1], 16)), match[2]), match[1].lower()
        return
    raise NotABagError(where=bag, why="it has no manifest of SHA-256 or SHA-512")


def _size(bag: Path, place: str) -> int | None:
    """Give a file's size, if it is a file and no link leads to it."""
    parts = place.split("/")
    if not all(parts) or {".", ".."} & set(parts) or "\0" in place:
        return None
    try:
        above = [(bag / "/".join(parts[:end])).lstat() for end in range(1, len(parts))]
        found = (bag / place).lstat()
    except OSError:
        return None
    if not all(stat.S_ISDIR(folder.st_mode) for folder in above):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _custody(bag: Path) -> dict[str, dict[str, object]]:
    """Give what custody.json says of each place; nothing if another program made the bag."""
    try:
        received = json.loads((bag / "custody.json").read_bytes())["received"]
        return {facts["place"]: facts for facts in reversed(received)}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}


def _entry(place: str, digest: str, size: int, facts: dict[str, object]) -> Entry:
    texts = {name: facts.get(name) for name in ("path", "what", "received")}
    path, what, received = (t if isinstance(t, str) else "" for t in texts.values())
    modified = facts.get("modified")
    return Entry(
        place,
        digest,
        size,
        path or place.removeprefix("data/"),
        what or "file",
        received,
        modified if isinstance(modified, int) else None,
        isinstance(facts.get("partial"), dict),
    )
