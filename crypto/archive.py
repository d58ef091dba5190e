"""The tar around one file: its exact name, time and size, and the receipt (POSIX pax).

Promise 3: `gpg -d FILE | tar x` gives the file under its exact name. Where no file system
can hold the name that the source's browser sent (`..`, NUL, 300 octets), the entry gets the
nearest name that can be written, and the exact one stands in the receipt.
"""

import datetime as dt
import json
import tarfile
from dataclasses import dataclass

_LONGEST_COMPONENT = 255  # octets: NAME_MAX of every file system that staff use
_LONGEST_PATH = 4096 - 256  # octets: PATH_MAX, less room for the folder it is opened in
_NAMELESS = "nameless"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a file before its content.

    `path` is the exact path or name the source's program gave; `modified` milliseconds since
    1970 or None; `received` the UTC day; `filetype` as claimed; `upload` the id of the sealed
    file and `source` the designation, both for binding a file to its place on the desk. `set` is
    the id that all parts of one large file share and `part` the number of this one, or both None.
    """

    path: str
    modified: int | None
    received: dt.date
    filetype: str | None
    upload: str
    source: str
    set: str | None = None
    part: int | None = None


def encode_head(entry: Entry, length: int) -> bytes:
    """Give the tar headers for `length` octets of content (IEEE 1003.1, pax interchange format)."""
    header = tarfile.TarInfo(writable_path(entry.path))
    header.size = length
    header.mode = 0o600  # LESSONS: nothing that arrives is ever executable
    header.mtime = _modified_seconds(entry)
    # tar warns at keywords it does not know; `comment` is in the standard.
    header.pax_headers = {"comment": encode_receipt(entry)}
    return header.tobuf(tarfile.PAX_FORMAT)  # always UTF-8


def encode_receipt(entry: Entry) -> str:
    """Give the receipt facts as one line of JSON, ASCII only."""
    facts = {
        "nightferry": 1,
        "upload": entry.upload,
        "source": entry.source,
        "received": entry.received.isoformat(),
        "path": entry.path,
        "modified": entry.modified,
        "filetype": entry.filetype,
        "set": entry.set,
        "part": entry.part,
    }
    return json.dumps({k: v for k, v in facts.items() if v is not None}, separators=(",", ":"))


def writable_path(path: str) -> str:
    """Give `path` itself if a file can have it, else the nearest path that one can."""
    parts = [_writable_component(part) for part in path.split("/")]
    kept = [part for part in parts if part]
    if len("/".join(kept).encode()) > _LONGEST_PATH:
        kept = kept[-1:]
    return "/".join(kept) or _NAMELESS


def _writable_component(part: str) -> str:
    if part in {".", ".."}:
        return "_" * len(part)
    encoded = part.replace("\0", "_").encode()
    if len(encoded) <= _LONGEST_COMPONENT:
        return encoded.decode()
    # The ending is kept: it tells staff what opens the file.
    _, dot, ending = encoded.rpartition(b".")
    tail = dot + ending if dot and len(ending) < _LONGEST_COMPONENT // 8 else b""
    return (encoded[: _LONGEST_COMPONENT - len(tail)] + tail).decode(errors="ignore")


def _modified_seconds(entry: Entry) -> float:
    if entry.modified is not None:
        return entry.modified / 1000
    midnight = dt.datetime.combine(entry.received, dt.time(), dt.UTC)
    return midnight.timestamp()
