"""Marks that are sent in, and the search for them in everything at rest.

A mark is random, so where it is found it came from what was sent. It is looked for in every form
that programs give to octets by the way: raw, base64 at each of its three alignments, hexadecimal,
UTF-16, percent signs; and hashed, whole and in pieces.
"""

import base64
import hashlib
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

_CHUNK, _PERIOD = 1 << 16, 32
_HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")
_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")
_LARGEST_TEMPORARY = 16 << 20  # octets; the marked content is far smaller
_JOINTS = ("-", "_", "+", "", ",", '", "', "\n")  # by which words of a codename could be joined
_SHORTEST = 5  # octets: anything shorter is found by chance

Needles = Mapping[bytes, str]


@dataclass(frozen=True)
class Marked:
    """Content that consists of one random mark, again and again, and a name like no other."""

    mark: bytes
    content: bytes
    name: str


def make_marked(length: int) -> Marked:
    """Make content of `length` octets in which every 63 octets hold the whole mark."""
    mark = secrets.token_bytes(_PERIOD)
    content = (mark * (length // _PERIOD + 1))[:length]
    return Marked(mark, content, f"пленка-{secrets.token_hex(8)}.mp4")


def make_text() -> str:
    """Make a word that nobody else has."""
    return f"Mark{secrets.token_hex(12)}"


def needles_of(what: str, secret: bytes) -> dict[bytes, str]:
    """Give every form in which a secret could lie somewhere."""
    wide = b"".join(bytes([octet, 0]) for octet in secret)
    forms = {
        secret: "raw",
        secret.hex().encode(): "hexadecimal",
        secret.hex().upper().encode(): "hexadecimal",
        wide: "UTF-16",
        base64.b32encode(secret).rstrip(b"="): "base32",
        quote(secret).encode(): "percent signs",
        **dict.fromkeys(_base64_forms(secret), "base64"),
    }
    with suppress(UnicodeDecodeError):
        text = secret.decode()
        forms |= {text.encode("utf-16-le"): "UTF-16", text.encode("utf-16-be"): "UTF-16"}
        forms[text.encode("unicode-escape")] = "JSON escapes"
    return {form: f"{what}, {how}" for form, how in forms.items() if len(form) >= _SHORTEST}


def _base64_forms(secret: bytes) -> Iterator[bytes]:
    for shift in range(3):
        # The characters that neither neighbour has a part in.
        begin, end = -(-shift * 4 // 3), (shift + len(secret)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(shift) + secret)[begin:end]


def hashes_of(what: str, content: bytes, pieces: Iterable[bytes]) -> dict[bytes, str]:
    """Give the hashes of content: whole, of any 64 KiB of it, and of the pieces it was sent in.

    The content repeats itself every 32 octets, so 64 KiB of it from anywhere are one of these 32.
    """
    chunks = [content[begin : begin + _CHUNK] for begin in range(_PERIOD)]
    return {
        needle: f"{what}: {name}"
        for piece in {content, *chunks, *pieces}
        for name, digest in _digests(piece)
        for needle in _written(digest)
        if piece and len(needle) >= _SHORTEST
    }


def _digests(piece: bytes) -> Iterator[tuple[str, bytes]]:
    for name in _HASHES:
        yield name, hashlib.new(name, piece).digest()
    yield "crc32", zlib.crc32(piece).to_bytes(4)


def _written(digest: bytes) -> list[bytes]:
    """Write a digest as programs do; four raw octets would be found by chance."""
    written = [digest.hex().encode(), base64.b64encode(digest).rstrip(b"=")]
    if len(digest) > 4:
        return [digest, *written]
    return [*written, str(int.from_bytes(digest)).encode()]


def codename_needles(codename: str) -> dict[bytes, str]:
    """Give every two neighbouring words of a codename, however they are joined."""
    words = codename.split()
    pairs = list(pairwise(words))
    found: dict[bytes, str] = {}
    for pair in pairs:
        found |= needles_of("codename", " ".join(pair).encode())
        found |= {joint.join(pair).encode(): "codename" for joint in _JOINTS}
    return found


def search(places: Mapping[str, bytes], needles: Needles) -> list[str]:
    """Give where which needle lies."""
    return [
        f"{needles[needle]} in {place}"
        for place, octets in places.items()
        for needle in needles
        if needle in octets
    ]


def search_many(places: Mapping[str, bytes], needles: Needles) -> list[str]:
    """Do the same for thousands of needles: only those whose beginning is there are looked for."""
    beginnings: dict[bytes, list[bytes]] = {}
    for needle in needles:
        beginnings.setdefault(needle[:_SHORTEST], []).append(needle)
    found = []
    for place, octets in places.items():
        windows = {octets[at : at + _SHORTEST] for at in range(len(octets))}
        near = {
            needle: needles[needle]
            for start in windows & beginnings.keys()
            for needle in beginnings[start]
        }
        found += search({place: octets}, near)
    return found


def at_rest(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder; its name is searched, too."""
    return {
        str(path): str(path).encode() + b"\n" + path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def newer_temporary_files(since: float) -> dict[str, bytes]:
    """Read what lies in the machine's temporary folders and changed since, but for pytest's own."""
    found = {}
    for folder in _TEMPORARY:
        for parent, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if not name.startswith("pytest-of-")]
            for path in (Path(parent, name) for name in names):
                with suppress(OSError):
                    if _is_of_interest(path, since):
                        found[str(path)] = str(path).encode() + b"\n" + path.read_bytes()
    return found


def _is_of_interest(path: Path, since: float) -> bool:
    status = path.lstat()
    is_regular = path.is_file() and not path.is_symlink()
    return is_regular and status.st_ctime >= since and status.st_size <= _LARGEST_TEMPORARY


def process_lists(group: int) -> dict[str, bytes]:
    """Read what anybody on the machine can list of a process group; and files without a name."""
    found = {}
    for process in (path for path in Path("/proc").iterdir() if path.name.isdecimal()):
        with suppress(OSError):
            if os.getpgid(int(process.name)) == group:
                for kind in ("cmdline", "environ", "comm"):
                    found[f"{kind} of {process.name}"] = (process / kind).read_bytes()
                found |= _nameless_files(process)
    return found


def _nameless_files(process: Path) -> dict[str, bytes]:
    nameless = {}
    for descriptor in (process / "fd").iterdir():
        with suppress(OSError):
            target = str(descriptor.readlink())
            if target.endswith(" (deleted)") and descriptor.is_file():
                nameless[f"{process.name}: {target}"] = descriptor.read_bytes()
    return nameless
