"""How numbers, names and fingerprints are cut before they are shown. No language is in here."""

import unicodedata
from decimal import Decimal

KILOBYTE = 1_000  # as phones and file managers count; a source compares with those

# Joiners that make one letter or one emoji out of several. They move no text about.
_HARMLESS_FORMAT = {"\u200c", "\u200d"}
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_UNITS = ("bytes", "KB", "MB", "GB", "TB")


def tenths(octets: int) -> tuple[Decimal, str]:
    """Give a length as a person would, in whole tenths of a unit, never rounded up.

    >>> tenths(512), tenths(3_490_000), tenths(4_000_000_000)
    ((Decimal('512'), 'bytes'), (Decimal('3.4'), 'MB'), (Decimal('4'), 'GB'))
    """
    power = 0
    while octets >= KILOBYTE ** (power + 1) and power < len(_UNITS) - 1:
        power += 1
    return Decimal(10 * octets // KILOBYTE**power) / 10, _UNITS[power]


def hundredths(offset: int, length: int) -> int:
    """Give how many whole hundredths of an upload have arrived, never rounded up.

    >>> hundredths(0, 1000), hundredths(1, 1000), hundredths(999, 1000), hundredths(0, 0)
    (0, 0, 99, 100)
    """
    return 100 * offset // length if length else 100


def in_fours(fingerprint: str) -> list[str]:
    """Split a fingerprint into groups that the eye can compare.

    >>> in_fours("0123456789ABCDEF")
    ['0123', '4567', '89AB', 'CDEF']
    """
    return [fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4)]


def shown(name: str) -> str:
    r"""Write a file name so that nothing in it is hidden and nothing moves the text around it.

    >>> shown("report\u202efdp.exe")
    'report[U+202E]fdp.exe'
    """
    return "".join(_shown(character) for character in name)


def _shown(character: str) -> str:
    if unicodedata.category(character) in _HIDDEN and character not in _HARMLESS_FORMAT:
        return f"[U+{ord(character):04X}]"
    return character
