"""Names for files on the staff's disk, from names that strangers chose.

Pure. The exact name always stands in the custody report. On disk a name is changed where it would
act: climb, hide, turn text around, run a terminal, mean a device, or not survive a copy to another
disk or a bag's manifest (docs/unseal.md, "Names").
"""

import itertools
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
    # Below this number a name like that is taken: thousands of equal names are not tried anew.
    _numbers: dict[str, int] = field(default_factory=dict)

    def take(self, path: str) -> None:
        """Note a path that is in the bag already."""
        self._files.add(same_key(path))
        self._folders.update(same_key(folder) for folder in _folders_of(path))

    def choose(self, path: str) -> str:
        """Give a free path that is `path` or near it, and take it."""
        folder = ""
        *above, name = path.split("/")
        for part in above:
            folder += self._free_folder(folder, part) + "/"
        chosen = folder + self._free_name(folder, name)
        self.take(chosen)
        return chosen

    def _free_folder(self, above: str, part: str) -> str:
        """Give a folder's name that no file has."""
        candidates = (_numbered(part, number) for number in itertools.count(1))
        return next(each for each in candidates if same_key(above + each) not in self._files)

    def _free_name(self, folder: str, name: str) -> str:
        """Give a file's name that nothing has."""
        wanted = same_key(folder + name)
        number = self._numbers.get(wanted, 1)
        while self._has(folder + _numbered(name, number)):
            number += 1
        self._numbers[wanted] = number
        return _numbered(name, number)

    def _has(self, path: str) -> bool:
        key = same_key(path)
        return key in self._files or key in self._folders


def _numbered(part: str, number: int) -> str:
    return part if number == 1 else shortened(part, f" ({number})")


def _folders_of(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))
