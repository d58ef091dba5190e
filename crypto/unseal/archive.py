"""The head of the tar inside: one regular file and its receipt, and nothing else is accepted.

Pure. Our own reader and not Python's tarfile, which follows links, folders, devices and
compressed and concatenated archives; what it would do with a hostile one is not our business.
docs/format.md, "The tar" and "The receipt"; POSIX pax.
"""

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from crypto.archive import writable_path
from crypto.layout import CHUNK
from crypto.unseal.errors import NotTheContentError

BLOCK = 512
END = 2 * BLOCK
_MOST_DIGITS = 12  # of a number in a pax record: no content has more
_UPLOAD = re.compile(r"[a-z2-7]{26}")
# The two words are a folder's name, and part of a reply certificate's. None: the source is deleted.
_DESIGNATION = re.compile(r"([a-z]{1,40}( [a-z]{1,40}){1,3})?")
_DIGITS = re.compile(rb"[0-9]{1,12}")
_OCTAL = re.compile(rb"[0-7]{7,11}\0?")
_TIME = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_EXTENDED, _REGULAR = b"x", b"0"
_MAGIC = b"ustar\x0000"
_KEYWORDS = {"comment", "path", "mtime", "size"}
_FACTS = ("upload", "source", "received", "path", "modified", "filetype")
_MODE, _NOBODY = b"0000600\0", b"0000000\0" * 2
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Receipt:
    """The facts that were sealed with a file. `path`, `modified` and `filetype` are the source's.

    `modified`: milliseconds since 1970; `set_id` and `part` (from 1, or 0 if its
    program counts so): of a file that came in parts.
    """

    upload: str
    source: str
    received: dt.date
    path: str
    modified: int | None
    filetype: str | None
    set_id: str | None
    part: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the content: `length` octets of head, then `size` octets of content."""

    length: int
    size: int
    receipt: Receipt

    @property
    def end(self) -> int:
        """Octets of zeros behind the content."""
        return -self.size % BLOCK + END


def decode_head(octets: bytes) -> Head | None:
    """Read the head at the beginning of a tar; None if more octets are needed.

    Raises NotTheContentError. A head never has more octets than a chunk.
    """
    if len(octets) < BLOCK:
        return None
    extended = _header(octets[:BLOCK], _EXTENDED)
    at = BLOCK + extended + -extended % BLOCK
    if at + BLOCK > CHUNK:
        raise NotTheContentError(why="a head of more than 64 KiB")
    if len(octets) < at + BLOCK:
        return None
    if any(octets[BLOCK + extended : at]):
        raise NotTheContentError(why="octets behind the extended header")
    records = dict(_records(octets[BLOCK : BLOCK + extended]))
    block = octets[at : at + BLOCK]
    size = _header(block, _REGULAR)
    if "size" in records:
        size = _number(records["size"].encode())
    receipt = _receipt(records)
    _require_plain(block)
    _require_same(receipt, records.get("path", _ustar_name(block)), records.get("mtime", ""))
    return Head(at + BLOCK, size, receipt)


def _header(block: bytes, kind: bytes) -> int:
    """Check one header block (POSIX ustar) and give its size."""
    stated = int(block[148:154], 8) if re.fullmatch(rb"[0-7]{6}\0 ", block[148:156]) else -1
    if stated != sum(block[:148]) + 8 * 0x20 + sum(block[156:]):
        raise NotTheContentError(why="no tar")
    if block[156:157] != kind:
        raise NotTheContentError(why="a link, folder, device or another kind of entry")
    if block[257:265] != _MAGIC:
        raise NotTheContentError(why="another kind of tar")
    size = block[124:136]
    if not _OCTAL.fullmatch(size):
        raise NotTheContentError(why="a size that is no number")
    return int(size.rstrip(b"\0"), 8)


def _require_plain(block: bytes) -> None:
    """Refuse what is not a file of mode 0600 and of nobody."""
    owner, link, names, devices = block[108:124], block[157:257], block[265:329], block[329:345]
    plain = block[100:108] == _MODE and owner == _NOBODY and not any(link) and not any(names)
    if not plain or set(devices) - set(b"0\0"):
        raise NotTheContentError(why="an owner, a link or another mode")


def _ustar_name(block: bytes) -> str:
    name, prefix = (_text(field.rstrip(b"\0")) for field in (block[:100], block[345:500]))
    return f"{prefix}/{name}" if prefix else name


def _require_same(receipt: Receipt, name: str, mtime: str) -> None:
    """Refuse an entry that says another name or time than its receipt."""
    if name != writable_path(receipt.path):
        raise NotTheContentError(why="an entry with another name than its receipt")
    if not _TIME.fullmatch(mtime) or round(float(mtime) * 1000) != milliseconds(receipt):
        raise NotTheContentError(why="an entry with another time than its receipt")


def milliseconds(receipt: Receipt) -> int:
    """Give the file's time since 1970: the source's, or else midnight of the day it arrived."""
    if receipt.modified is not None:
        return receipt.modified
    return (receipt.received - dt.date(1970, 1, 1)).days * 86_400_000


def _records(extended: bytes) -> Iterator[tuple[str, str]]:
    r"""Read pax records, `length keyword=value\n`, each keyword once."""
    seen: set[str] = set()
    while extended:
        digits, space, _rest = extended[:16].partition(b" ")
        length = _number(digits) if space else 0
        record = extended[len(digits) + 1 : length]
        keyword, equals, value = _text(record[:-1]).partition("=")
        if length > len(extended) or record[-1:] != b"\n" or not equals:
            raise NotTheContentError(why="an extended header that is none")
        if keyword not in _KEYWORDS - seen:
            raise NotTheContentError(why="another keyword in the extended header")
        seen.add(keyword)
        yield keyword, value
        extended = extended[length:]


def _number(digits: bytes) -> int:
    if not _DIGITS.fullmatch(digits) or len(digits) > _MOST_DIGITS:
        raise NotTheContentError(why="a number that is none")
    return int(digits)


def _text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise NotTheContentError(why="a name that is not UTF-8") from None


def _receipt(records: dict[str, str]) -> Receipt:
    comment = records.get("comment", "")
    try:
        facts = json.loads(comment, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise NotTheContentError(why="no receipt") from None
    if not isinstance(facts, dict) or facts.pop("nightferry", None) != _VERSION:
        raise NotTheContentError(
            why="no receipt, or one of a later version: look for a newer unseal"
        )
    order = [fact for fact in _FACTS if fact in facts]
    if [fact for fact in facts if fact in _FACTS] != order or _canonical(facts) != comment:
        raise NotTheContentError(why="a receipt in another form")
    receipt = Receipt(
        upload=_fact(facts, "upload"),
        source=_fact(facts, "source"),
        received=_day(_fact(facts, "received")),
        path=_fact(facts, "path"),
        modified=_optional_number(facts, "modified"),
        filetype=_fact(facts, "filetype") if "filetype" in facts else None,
        set_id=_fact(facts, "set") if "set" in facts else None,
        part=_optional_number(facts, "part"),
    )
    return _checked(receipt, facts)


def _canonical(facts: dict[str, object]) -> str:
    return json.dumps({"nightferry": _VERSION, **facts}, separators=(",", ":"))


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a fact twice")
    return dict(pairs)


def _checked(receipt: Receipt, left: dict[str, object]) -> Receipt:
    if left:
        raise NotTheContentError(why="facts that this unseal does not know: look for a newer one")
    if not _UPLOAD.fullmatch(receipt.upload):
        raise NotTheContentError(why="a receipt for no upload")
    if not _DESIGNATION.fullmatch(receipt.source):
        raise NotTheContentError(why="a designation that is none")
    if (receipt.set_id is None) != (receipt.part is None) or (receipt.part or 0) < 0:
        raise NotTheContentError(why="a part of nothing")
    return receipt


def _fact(facts: dict[str, object], name: str) -> str:
    value = facts.pop(name, None)
    if not isinstance(value, str):
        raise NotTheContentError(why=f"a receipt without {name}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotTheContentError(why=f"a receipt with half letters in {name}") from None
    return value


def _optional_number(facts: dict[str, object], name: str) -> int | None:
    value = facts.pop(name, None)
    if value is not None and type(value) is not int:
        raise NotTheContentError(why=f"a receipt in which {name} is no number")
    return value if isinstance(value, int) else None


def _day(text: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise NotTheContentError(why="a day that is none") from None
    if day.isoformat() != text:
        raise NotTheContentError(why="a day that is none")
    return day
