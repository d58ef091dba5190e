"""Names for files on the staff's disk, from names that strangers chose.

Pure. The exact name always stands in the custody report. On disk a name is changed where it would
act: climb, hide, turn text around, run a terminal, mean a device, or not survive a copy to another
disk or a bag's manifest (docs/unseal.md, "Names").
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from crypto.unseal.terminal import is_plain

LONGEST_PATH = 1024  # octets: leaves room for the folder above, in PATH_MAX
_LONGEST_PART = 255  # octets: NAME_MAX
_LONGEST_ENDING = 31
_NAMELESS = "nameless"
_STANDS_FOR_IT = "_"
# `\` and `:` separate folders and streams elsewhere; `%` is a code in a bag's manifest (RFC 8493,
# 2.1.3) that programs read in different ways; no FAT or exFAT stick takes the others.
_NOT_EVERYWHERE = set('\\:*?"<>|%')
_DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE
)


def safe_path(path: str) -> str:
    """Give a relative path that is harmless; the same as `path` wherever it can be."""
    parts = [safe_part(part) for part in path.split("/") if part]
    kept = parts or [_NAMELESS]
    if len("/".join(kept).encode()) > LONGEST_PATH:
        kept = kept[-1:]
    return "/".join(kept)


def safe_part(part: str) -> str:
    """Give one harmless component, never empty, `.` or `..`."""
    plain = "".join(c if is_plain(c) and c not in _NOT_EVERYWHERE else "_" for c in part)
    # A name that begins with a dot is hidden from who looks into the folder.
    if plain.startswith("."):
        plain = _STANDS_FOR_IT + plain
    trimmed = plain.rstrip(". ")
    plain = trimmed + _STANDS_FOR_IT * (len(plain) - len(trimmed))
    if _DEVICE.fullmatch(plain.partition(".")[0].rstrip(" ")):
        plain = _STANDS_FOR_IT + plain
    return shortened(plain or _NAMELESS)


def shortened(part: str, room_for: str = "") -> str:
    """Put `room_for` before the ending, and cut what stands before it to what a file can have."""
    stem, dot, ending = part.rpartition(".")
    if not stem or len(ending.encode()) > _LONGEST_ENDING:
        stem, dot, ending = part, "", ""
    behind = f"{room_for}{dot}{ending}"
    room = _LONGEST_PART - len(behind.encode())
    return stem.encode()[:room].decode(errors="ignore") + behind


def same_key(path: str) -> str:
    """Give what two names share that some disk would take for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


@dataclass(slots=True)
class Names:
    """The names taken in one bag. Equal ones are kept apart: `a.mp4`, `a (2).mp4`.

    invariant: no name is taken as a file and as a folder.
    """

    _files: set[str] = field(default_factory=set)
    _folders: set[str] = field(default_factory=set)

    def take(self, path: str) -> None:
        """Note a path that is in the bag already."""
        self._files.add(same_key(path))
        self._folders.update(same_key(folder) for folder in _folders_of(path))

    def choose(self, path: str) -> str:
        """Give a free path that is `path` or near it, and take it."""
        folder = ""
        *above, name = path.split("/")
        for part in above:
            folder += self._free(folder, part, self._files) + "/"
        chosen = folder + self._free(folder, name, self._files | self._folders)
        self.take(chosen)
        return chosen

    @staticmethod
    def _free(folder: str, part: str, taken: set[str]) -> str:
        number, candidate = 1, part
        while same_key(folder + candidate) in taken:
            number += 1
            candidate = shortened(part, f" ({number})")
        return candidate


def _folders_of(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))
