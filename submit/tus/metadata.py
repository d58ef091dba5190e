"""What we understand of an upload's metadata. Other keys are kept for HEAD and never read.

Names are opaque: `../../x`, line ends, NUL and marks that turn text around are kept exactly, to be
sealed. Nobody on this side uses them as a path.
"""

from dataclasses import dataclass

from submit.tus.grammar import Pairs, parse_integer
from submit.tus.refusals import InvalidFactError, TusRefusal

# Octets of UTF-8. No file system has longer names (255 UTF-16 units are 765) or, as PATH_MAX, paths.
FILENAME_LIMIT = 2048
PATH_LIMIT = 4096
# RFC 6838, section 4.2: two names of 127 characters and a slash; nobody's parameters reach further.
FILETYPE_LIMIT = 255

# The last millisecond of the year 9999, where calendars in many programs end.
LAST_MODIFIED_LIMIT = 253_402_300_799_999


@dataclass(frozen=True, slots=True, repr=False)
class Facts:
    """What the client says about its file: sealed with it, never shown to anybody here."""

    # Exact, as the client wrote it; empty if it gave none.
    filename: str = ""
    # Where the file stood in the folder that was sent, exact; None if it gave none.
    path: str | None = None
    # Milliseconds since 1970; None if it gave none or one that no calendar has.
    modified: int | None = None
    # Media type as the client believes it; None if it gave none.
    filetype: str | None = None


def parse_facts(pairs: Pairs) -> Facts:
    """Read filename, relativePath, lastModified and filetype.

    A name, path or type that is too long or not UTF-8 raises InvalidFactError. A lastModified
    that makes no sense is ignored: a camera with a broken clock must not cost anybody the file.
    """
    values = dict(pairs)
    return Facts(
        filename=_text(values.get("filename", b""), FILENAME_LIMIT),
        path=_text(values.get("relativePath", b""), PATH_LIMIT) or None,
        modified=_milliseconds(values.get("lastModified", b"")),
        filetype=_text(values.get("filetype", b""), FILETYPE_LIMIT) or None,
    )


def _text(value: bytes, limit: int) -> str:
    if len(value) > limit:
        raise InvalidFactError
    try:
        return value.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise InvalidFactError from None


def _milliseconds(value: bytes) -> int | None:
    try:
        milliseconds = parse_integer(value.decode("latin-1"), InvalidFactError)
    except TusRefusal:
        return None
    return milliseconds if milliseconds <= LAST_MODIFIED_LIMIT else None
