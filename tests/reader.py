"""A second reader of sealed files, written from docs/format.md alone.

It shares no code with crypto/: what it opens is the format, and not a habit of our writer.

Rule 1: `read` is strict. It accepts what the format's one encoding gives, and nothing else.
Rule 2: `read_partial` salvages what authenticates of an upload that never became complete.
"""

import datetime as dt
import hashlib
import hmac
import io
import json
import tarfile
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESOCB3

# A test may make the pieces small, in the writer and here alike.
PIECE = 1 << 30
PARTIAL_LENGTH = 0xFE
DEFINITE_LIMIT = 1 << 32

CHUNK, TAG, IV = 65_536, 16, 15
PKESK, LITERAL, ENCRYPTED_DATA, PADDING = 1, 11, 20, 21
PARAMETERS = bytes([1, 9, 2, 10])
ASSOCIATED = b"\xd4" + PARAMETERS
LITERAL_FIELDS = b"b\0\0\0\0\0"
SMALLEST_PKESK = 10
BLOCK = 512
FACTS = {
    "nightferry": int,
    "upload": str,
    "source": str,
    "received": str,
    "path": str,
    "modified": int,
    "filetype": str,
    "set": str,
    "part": int,
}
OPTIONAL = {"modified", "filetype", "set", "part"}
PAX_KEYWORDS = {"comment", "path", "mtime", "size"}
MODE = 0o600
LONGEST_COMPONENT, LONGEST_PATH = 255, 3840


class ReaderError(Exception):
    """These octets are no sealed file. The children say in which layer it breaks."""


class FramingError(ReaderError):
    """A packet is missing, cut off or too much, or its length is not the one encoding."""


class ParametersError(ReaderError):
    """Version, cipher, mode or chunk size are others."""


class ChunkError(ReaderError):
    """A chunk does not authenticate in its place."""


class EndError(ReaderError):
    """The final tag does not authenticate this number of chunks and octets."""


class LiteralError(ReaderError):
    """The literal data packet has another format, a name or a date."""


class PaddingError(ReaderError):
    """The padding is not zeros up to the one right size."""


class ArchiveError(ReaderError):
    """The tar is not one regular file with its receipt, and zeros behind it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A sealed file's whole content. `name` is the tar entry's; `receipt["path"]` is exact."""

    name: str
    content: bytes
    receipt: dict[str, object]
    plaintext_length: int


@dataclass(frozen=True, slots=True)
class Salvaged:
    """The authentic beginning of a content that would have had `length` octets."""

    name: str
    content: bytes
    length: int
    chunks: int


@dataclass(frozen=True, slots=True)
class Packet:
    """As much of a packet's body as is there, its whole length if that is known, and its end."""

    body: bytes
    length: int | None
    end: int


def read(sealed: bytes, session_key: bytes) -> Opened:
    """Open a complete sealed file. Raises ReaderError for anything else."""
    data = whole_packet(sealed, after_pkesks(sealed), ENCRYPTED_DATA)
    require(data.end == len(sealed), FramingError("octets behind the encrypted data"))
    plaintext = open_chunks(data.body, session_key)
    literal = whole_packet(plaintext, 0, LITERAL)
    check_padding(plaintext, literal.end)
    return unpack(tar_of(literal.body), len(plaintext))


def read_partial(sealed: bytes, session_key: bytes, tail: bytes = b"") -> Salvaged:
    """Give what authenticates of a file that was cut off or damaged, and of its tail.

    Raises ReaderError if the tar head is not among it.
    """
    data = packet(sealed, after_pkesks(sealed), ENCRYPTED_DATA)
    plaintext, chunks = open_authentic(data, session_key)
    plaintext += open_tail(tail, session_key, chunks)
    tar = tar_of(packet(plaintext, 0, LITERAL).body)
    member = entry(tar)
    content = tar[member.offset_data :][: member.size]
    return Salvaged(member.name, content, member.size, chunks)


def require(holds: bool, error: ReaderError) -> None:
    """Raise the error unless something holds."""
    if not holds:
        raise error


# --- packets ----------------------------------------------------------------------------------


def after_pkesks(sealed: bytes) -> int:
    """Give where the packets for the recipients end; there is at least one."""
    at = 0
    while sealed[at : at + 1] != bytes([0xC0 | ENCRYPTED_DATA]):
        at = after_pkesk(sealed, at)
    require(at > 0, FramingError("no recipient"))
    return at


def after_pkesk(sealed: bytes, at: int) -> int:
    """Skip one packet with a session key in it, in either form of header, version 3."""
    header, one, two = sealed[at : at + 1], sealed[at + 1 : at + 2], sealed[at + 1 : at + 3]
    if header == b"\x84" or (header == b"\xc1" and one < b"\xc0"):
        begin, length = at + 2, int.from_bytes(one)
    elif header == b"\x85":
        begin, length = at + 3, int.from_bytes(two)
    elif header == b"\xc1" and one < b"\xe0":
        begin, length = at + 3, int.from_bytes(two) - 0xC000 + 192
    else:
        raise FramingError("neither a recipient's packet nor encrypted data")
    body = sealed[begin : begin + length]
    whole = len(body) == length >= SMALLEST_PKESK and body[0] == 3
    require(whole, FramingError("a recipient's packet"))
    return begin + length


def packet(octets: bytes, at: int, tag: int) -> Packet:
    """Read a packet with canonical lengths; it may be cut off."""
    require(octets[at : at + 1] == bytes([0xC0 | tag]), FramingError(f"no packet with tag {tag}"))
    pieces, at = [], at + 1
    while octets[at : at + 1] == bytes([PARTIAL_LENGTH]):
        pieces.append(octets[at + 1 : at + 1 + PIECE])
        at += 1 + PIECE
    header = octets[at : at + 5]
    if len(header) < 5:
        return Packet(b"".join(pieces), None, at)
    last = int.from_bytes(header[1:])
    length = len(pieces) * PIECE + last
    require(header[0] == 0xFF and is_canonical(pieces, last), FramingError("another length form"))
    pieces.append(octets[at + 5 : at + 5 + last])
    return Packet(b"".join(pieces), length, at + 5 + last)


def is_canonical(pieces: list[bytes], last: int) -> bool:
    """Tell whether a body of this length must have so many partial lengths."""
    if pieces:
        return 1 <= last <= PIECE and len(pieces) * PIECE + last >= DEFINITE_LIMIT
    return 1 <= last < DEFINITE_LIMIT


def whole_packet(octets: bytes, at: int, tag: int) -> Packet:
    """Read a packet that must be whole."""
    found = packet(octets, at, tag)
    require(len(found.body) == found.length, FramingError(f"packet with tag {tag} cut off"))
    return found


# --- chunks -----------------------------------------------------------------------------------


class Chunks:
    """Opens the chunks of one encrypted data packet."""

    def __init__(self, header: bytes, session_key: bytes) -> None:
        require(len(header) == len(PARAMETERS) + IV, FramingError("encrypted data cut off"))
        require(header[: len(PARAMETERS)] == PARAMETERS, ParametersError("not what we write"))
        self._aead = AESOCB3(session_key)
        self._iv = header[len(PARAMETERS) :]

    def open(self, index: int, sealed: bytes, *, total: int | None = None) -> bytes | None:
        """Give a chunk's plaintext, None if it does not authenticate; `total` for the final tag."""
        nonce = int.from_bytes(self._iv) ^ index
        end = b"" if total is None else total.to_bytes(8, "big")
        associated = ASSOCIATED + index.to_bytes(8, "big") + end
        try:
            return self._aead.decrypt(nonce.to_bytes(IV, "big"), sealed, associated)
        except InvalidTag:
            return None


def split(body: bytes) -> tuple[bytes, bytes]:
    """Take the header off the body of an encrypted data packet."""
    return body[: len(PARAMETERS) + IV], body[len(PARAMETERS) + IV :]


def open_chunks(body: bytes, session_key: bytes) -> bytes:
    """Give the plaintext of a whole encrypted data packet."""
    header, rest = split(body)
    chunks, end = Chunks(header, session_key), rest[-TAG:]
    sealed = rest[:-TAG]
    opened: list[bytes] = []
    for at in range(0, len(sealed), CHUNK + TAG):
        plaintext = chunks.open(len(opened), sealed[at : at + CHUNK + TAG])
        if not plaintext:
            raise ChunkError(f"chunk {len(opened)}")
        opened.append(plaintext)
    total = sum(map(len, opened))
    if chunks.open(len(opened), end, total=total) != b"":
        raise EndError("final tag")
    return b"".join(opened)


def open_authentic(data: Packet, session_key: bytes) -> tuple[bytes, int]:
    """Give the plaintext up to the first chunk that is not there or does not authenticate."""
    header, rest = split(data.body)
    chunks = Chunks(header, session_key)
    end = None if data.length is None else data.length - len(header) - TAG
    opened: list[bytes] = []
    at = 0
    while at != end:
        size = CHUNK + TAG if end is None else min(CHUNK + TAG, end - at)
        plaintext = chunks.open(len(opened), rest[at : at + size])
        if not plaintext:
            break
        opened.append(plaintext)
        at += size
    return b"".join(opened), len(opened)


def open_tail(tail: bytes, session_key: bytes, chunks: int) -> bytes:
    """Give the octets of the chunk that is not full; none if the tail is of another chunk."""
    extracted = hmac.digest(bytes(32), session_key, hashlib.sha256)
    key = hmac.digest(extracted, b"nightferry tail 1\x01", hashlib.sha256)
    if len(tail) != 12 + 12 + CHUNK + TAG:
        return b""
    try:
        opened = AESGCM(key).decrypt(tail[:12], tail[12:], None)
    except InvalidTag:
        return b""
    index, end = int.from_bytes(opened[:8]), 12 + int.from_bytes(opened[8:12])
    return opened[12:end] if index == chunks and not any(opened[end:]) else b""


# --- what is inside ---------------------------------------------------------------------------


def padme(length: int) -> int:
    """Round up to a multiple of the smallest unit that Padmé allows for this length."""
    exponent = length.bit_length() - 1
    unit = 1 << max(0, exponent - exponent.bit_length())
    return -(-length // unit) * unit


def check_padding(plaintext: bytes, at: int) -> None:
    """Check that a padding packet of zeros fills the plaintext up to its Padmé size."""
    padding = whole_packet(plaintext, at, PADDING)
    require(padding.end == len(plaintext), FramingError("octets behind the padding"))
    require(not any(padding.body), PaddingError("padding that is not zeros"))
    right = padme(max(4096, at + 6 + 1))
    require(len(plaintext) == right, PaddingError(f"{len(plaintext)} octets and not {right}"))


def tar_of(literal: bytes) -> bytes:
    """Take the fields off a literal data packet's body."""
    require(literal[: len(LITERAL_FIELDS)] == LITERAL_FIELDS, LiteralError("fields"))
    return literal[len(LITERAL_FIELDS) :]


def entry(tar: bytes) -> tarfile.TarInfo:
    """Read the tar's first entry."""
    try:
        with tarfile.open(fileobj=io.BytesIO(tar), mode="r:", encoding="utf-8") as archive:
            member = archive.next()
    except (tarfile.TarError, ValueError):
        raise ArchiveError("no tar") from None
    if member is None or member.type != tarfile.REGTYPE:
        raise ArchiveError("no regular file")
    return member


def unpack(tar: bytes, plaintext_length: int) -> Opened:
    """Take the one file out of a whole tar."""
    member = entry(tar)
    end = member.offset_data + member.size
    require(len(tar) == end + -member.size % BLOCK + 2 * BLOCK, ArchiveError("its length"))
    require(not any(tar[end:]), ArchiveError("octets behind the content"))
    require(set(member.pax_headers) <= PAX_KEYWORDS, ArchiveError("another keyword"))
    plain = (member.mode, member.uid, member.gid, member.uname, member.gname)
    require(plain == (MODE, 0, 0, "", ""), ArchiveError("an owner or another mode"))
    receipt = receipt_of(member)
    return Opened(member.name, tar[member.offset_data : end], receipt, plaintext_length)


def receipt_of(member: tarfile.TarInfo) -> dict[str, object]:
    """Read the receipt, and check what the entry repeats of it."""
    comment = member.pax_headers.get("comment", "")
    try:
        receipt = json.loads(comment)
        received = dt.date.fromisoformat(receipt["received"])
    except (ValueError, KeyError, TypeError):
        raise ArchiveError("no receipt") from None
    known = {fact: kind for fact, kind in FACTS.items() if fact in receipt or fact not in OPTIONAL}
    kinds = {fact: type(value) for fact, value in receipt.items()}
    canonical = json.dumps(receipt, separators=(",", ":")) == comment
    same = canonical and list(kinds.items()) == list(known.items())
    require(same, ArchiveError("another form of receipt"))
    require(receipt["nightferry"] == 1, ArchiveError("a later version"))
    require(is_right_name(member.name, receipt["path"]), ArchiveError("another name"))
    midnight = dt.datetime.combine(received, dt.time(), dt.UTC)
    modified = receipt.get("modified", int(midnight.timestamp()) * 1000)
    require(round(member.mtime * 1000) == modified, ArchiveError("another time"))
    return dict(receipt)


def is_right_name(name: str, path: str) -> bool:
    """Tell whether the entry has the exact path, or a harmless one where no file can have it."""
    if is_writable(path):
        return name == path
    return is_writable(name)


def is_writable(path: str) -> bool:
    """Tell whether a file can have this path below any folder."""
    parts = path.split("/")
    short = len(path.encode()) <= LONGEST_PATH
    return (
        short
        and "\0" not in path
        and all(0 < len(part.encode()) <= LONGEST_COMPONENT for part in parts)
        and not {".", ".."} & set(parts)
    )
