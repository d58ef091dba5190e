"""Which names are those of parts: what split, 7-Zip and their like call them.

    clip.mp4.001 clip.mp4.002 …     split -d, 7-Zip, hjsplit (three digits or more)
    clip.mp4.aa clip.mp4.ab …       split with a prefix
    xaa xab …                       split without one

Rule 1: a name alone proves little: `report.2024`, `192.168.1.100` and `video.ts` are whole files.
        So a set is opened only by a number with a zero in front or by `aa`; any other name joins
        a set that is open, or is no part.
Rule 2: the same file always gives the same set: `identity` leaves out nothing but the number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

HIGHEST = 9999  # parts of one file: every number between may have to be named to its source

_DIGITS = re.compile(r"(?P<stem>(?:.*/)?[^/]+)\.(?P<number>[0-9]{3,5})", re.DOTALL)
_LETTERS = re.compile(r"(?P<stem>(?:.*/)?[^/]+)\.(?P<number>[a-z]{2,4})", re.DOTALL)
_BARE = re.compile(r"(?P<stem>(?:.*/)?x)(?P<number>[a-z]{2,4})", re.DOTALL)
_SHORTEST = 3  # digits
_ALPHABET = 26
_PAIRS = 25 * _ALPHABET  # aa to yz; split then goes on with zaaa
_NUMBERED, _LETTERED, _NAKED = "001", "aa", "xaa"


@dataclass(frozen=True, slots=True)
class PartName:
    """A part's name, taken apart.

    `stem`: the whole file's name with its path. `style`: how parts are numbered, `width`: with
    how many digits or letters. `number` counts from 1, or from 0 if its program does.
    """

    stem: str
    style: str
    width: int
    number: int

    @property
    def identity(self) -> tuple[bytes, ...]:
        """What all parts of one file have in common."""
        stem = self.stem.encode("utf-8", "surrogatepass")
        return stem, self.style.encode(), str(self.width).encode()

    @property
    def opens(self) -> bool:
        """Tell whether this name alone is enough to expect more parts."""
        if self.style == _NUMBERED:
            return self.number < int("1".ljust(self.width, "0"))
        return self.number == 1

    @property
    def text(self) -> str:
        """The name itself."""
        if self.style == _NUMBERED:
            return f"{self.stem}.{self.number:0{self.width}}"
        between = "" if self.style == _NAKED else "."
        return self.stem + between + _spell(self.number, self.width)


def recognise(path: str) -> Iterator[PartName]:
    """Give every reading of a name as that of a part, the likeliest first; none if it is whole."""
    if found := _DIGITS.fullmatch(path):
        yield from _read_digits(found["stem"], found["number"])
    elif found := _LETTERS.fullmatch(path):
        yield from _read_letters(found["stem"], _LETTERED, found["number"])
    elif found := _BARE.fullmatch(path):
        yield from _read_letters(found["stem"], _NAKED, found["number"])


def _read_digits(stem: str, digits: str) -> Iterator[PartName]:
    number = int(digits)
    if number > HIGHEST:
        return
    yield PartName(stem, _NUMBERED, len(digits), number)
    if digits[0] != "0":
        # Behind .999 comes .1000.
        for width in range(len(digits) - 1, _SHORTEST - 1, -1):
            yield PartName(stem, _NUMBERED, width, number)


def _read_letters(stem: str, style: str, letters: str) -> Iterator[PartName]:
    for width in (2, 3, 4):
        number = _count(letters, width)
        if number is not None and number <= HIGHEST:
            yield PartName(stem, style, width, number)


def _count(letters: str, width: int) -> int | None:
    """Give the number that a suffix stands for in a set of this width (GNU split)."""
    if len(letters) == width:
        return 1 + _value(letters)
    if width == len("aa") and len(letters) == len("zaaa") and letters[0] == "z":
        return 1 + _PAIRS + _value(letters[1:])
    return None


def _value(letters: str) -> int:
    value = 0
    for letter in letters:
        value = value * _ALPHABET + ord(letter) - ord("a")
    return value


def _spell(number: int, width: int) -> str:
    rest, prefix = number - 1, ""
    if width == len("aa") and rest >= _PAIRS:
        rest, width, prefix = rest - _PAIRS, 3, "z"
    letters = []
    for _ in range(width):
        rest, last = divmod(rest, _ALPHABET)
        letters.append(chr(ord("a") + last))
    return prefix + "".join(reversed(letters))
