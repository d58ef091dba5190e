"""How numbers, names and fingerprints are written for people."""

import unicodedata

KILOBYTE = 1_000  # as phones and file managers count; a source compares with those

# Joiners that make one letter or one emoji out of several. They move no text about.
_HARMLESS_FORMAT = {"\u200c", "\u200d"}
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_UNITS = ("bytes", "KB", "MB", "GB", "TB")


def size(octets: int) -> str:
    """Write a length as a person would, in whole tenths, never rounded up.

    >>> size(512), size(3_490_000), size(4_000_000_000)
    ('512 bytes', '3.4 MB', '4 GB')
    """
    power = 0
    while octets >= KILOBYTE ** (power + 1) and power < len(_UNITS) - 1:
        power += 1
    whole, tenth = divmod(10 * octets // KILOBYTE**power, 10)
    return f"{whole}.{tenth} {_UNITS[power]}" if tenth else f"{whole} {_UNITS[power]}"


def share(offset: int, length: int) -> str:
    """Write how much of an upload has arrived, in whole hundredths, never rounded up.

    >>> share(0, 1000), share(1, 1000), share(999, 1000)
    ('0 %', 'less than 1 %', '99 %')
    """
    hundredths = 100 * offset // length if length else 100
    return f"{hundredths} %" if hundredths or not offset else "less than 1 %"


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
