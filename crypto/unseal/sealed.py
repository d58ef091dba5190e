"""A sealed file as it lies on the stick: its outermost octets, before GnuPG sees any of them.

Rule 1: GnuPG is given only what has the one outer form of docs/format.md: packets for recipients,
        then one encrypted data packet, then nothing. No signature, armor or passphrase comes to it.
Rule 2: what is given to GnuPG is what is hashed: one reading serves both.
"""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crypto.framing import DEFINITE_LIMIT, PIECE, Framing
from crypto.layout import DATA_HEADER, SEALED_CHUNK
from crypto.unseal.errors import DiskError, NotSealedError, UnreadableError

SUFFIX = ".tar.gpg"
TAIL_SUFFIX = ".tail"
BLOCK = 1 << 20  # octets that are read at once
_ENCRYPTED_DATA = 20
_BEYOND_ANY = 1 << 40  # octets: longer than any sealed file
_DATA_TAG = bytes([0xC0 | _ENCRYPTED_DATA])
_PARTIAL, _DEFINITE, _DEFINITE_OCTETS = 0xFE, 0xFF, 5
_OLD_ONE, _OLD_TWO, _NEW = 0x84, 0x85, 0xC1  # headers of a PKESK
_TWO_OCTETS_FROM, _TWO_OCTETS_BELOW = 192, 224
_SMALLEST_PKESK, _PKESK_VERSION = 10, 3
_LONGEST_PREFIX = 1 << 16  # octets: dozens of recipients
_SALVAGE_PIECE = 20  # exponent of the lengths that stand in for the file's own
# GnuPG has to meet one whole chunk that fails behind the last one that holds (docs/format.md).
_ZEROS = bytes(1 << 17)
_GONE = {errno.ENOENT, errno.ENODEV, errno.ENXIO}


@dataclass(frozen=True, slots=True)
class Shape:
    """Where the encrypted data begins, how long the file is, and how long it says it is.

    `prefix`: octets of the packets for recipients; `body`: octets of the encrypted data packet's
    body as its lengths say, None if the file is cut before the last of them.
    """

    prefix: int
    size: int
    body: int | None

    @property
    def declared(self) -> int | None:
        """Octets of the whole file, as its lengths say."""
        if self.body is None:
            return None
        return self.prefix + Framing(_ENCRYPTED_DATA, self.body).framed_length

    @property
    def is_cut(self) -> bool:
        """Tell whether its end is not there: an upload that is not complete, or half a copy."""
        return self.declared is None or self.size < self.declared

    @property
    def full_chunks(self) -> int:
        """How many chunks of full length lie whole in the file."""
        framing = Framing(_ENCRYPTED_DATA, self.body or _BEYOND_ANY)
        return max(0, framing.holds(self.size - self.prefix) - DATA_HEADER) // SEALED_CHUNK


@contextlib.contextmanager
def read_errors(path: Path, what: str = "") -> Iterator[None]:
    """Say in words what the stick refuses: of one file, unless the stick is not there any more."""
    try:
        yield
    except OSError as error:
        if error.errno in _GONE:
            raise DiskError(where=path, why=error.strerror) from None
        raise UnreadableError(why=f"{what}{error.strerror}") from None


def read_shape(file: int) -> Shape:
    """Read the outer form. Raises NotSealedError."""
    size = os.fstat(file).st_size
    prefix = _end_of_pkesks(os.pread(file, _LONGEST_PREFIX, 0))
    shape = Shape(prefix, size, _body_length(file, prefix, size))
    if shape.declared is not None and size > shape.declared:
        raise NotSealedError(why="there is more behind its end")
    return shape


def _end_of_pkesks(start: bytes) -> int:
    at = 0
    while start[at : at + 1] != _DATA_TAG:
        at = _end_of_pkesk(start, at)
    if at == 0:
        raise NotSealedError(why="it is for no recipient")
    return at


def _end_of_pkesk(start: bytes, at: int) -> int:
    """Skip one packet for a recipient, in either form of header (RFC 9580, 4.2 and 5.1)."""
    header, octets = start[at : at + 1], start[at + 1 : at + 3]
    if len(octets) < 2 or header[0] not in {_OLD_ONE, _OLD_TWO, _NEW}:  # noqa: PLR2004
        raise NotSealedError(why="it does not begin as one")
    begin, length = at + 2, octets[0]
    if header[0] == _OLD_TWO:
        begin, length = at + 3, int.from_bytes(octets, "big")
    elif header[0] == _NEW and octets[0] >= _TWO_OCTETS_FROM:
        if octets[0] >= _TWO_OCTETS_BELOW:
            raise NotSealedError(why="a recipient's packet has an unusual length")
        begin = at + 3
        length = int.from_bytes(octets, "big") - (_TWO_OCTETS_FROM << 8) + _TWO_OCTETS_FROM
    body = start[begin : begin + length]
    if len(body) < length or length < _SMALLEST_PKESK or body[0] != _PKESK_VERSION:
        raise NotSealedError(why="a recipient's packet is not whole")
    return begin + length


def _body_length(file: int, prefix: int, size: int) -> int | None:
    """Add up the lengths of the encrypted data packet; None if the file ends before the last."""
    at, pieces = prefix + 1, 0
    while (header := os.pread(file, _DEFINITE_OCTETS, at))[:1] == bytes([_PARTIAL]) and at < size:
        at, pieces = at + 1 + PIECE, pieces + 1
    if len(header) < _DEFINITE_OCTETS:
        return None
    if header[0] != _DEFINITE:
        raise NotSealedError(why="its length has another form")
    last = int.from_bytes(header[1:], "big")
    framing = Framing(_ENCRYPTED_DATA, pieces * PIECE + last)
    if last == 0 or framing.pieces != pieces or (pieces and framing.length < DEFINITE_LIMIT):
        raise NotSealedError(why="its length has another form")
    return framing.length


class Feed:
    """Reads a sealed file once, for GnuPG and for its own hash. Raises UnreadableError, DiskError."""

    def __init__(self, file: int, path: Path) -> None:
        self._file, self._path = file, path
        self._hash = hashlib.sha256()

    def whole(self) -> Iterator[bytes]:
        """Give the file as it is."""
        os.lseek(self._file, 0, os.SEEK_SET)
        while block := self._read():
            yield block

    def for_salvage(self, shape: Shape) -> Iterator[bytes]:
        """Give a file without its end so that GnuPG opens each whole chunk, and fails behind it.

        Its lengths say more than is there, and near an edge of 2^30 octets they would mislead GnuPG;
        so the encrypted data gets lengths of its own, and zeros behind it.
        """
        blocks = self.whole()
        start = _read_beyond(blocks, shape.prefix)
        yield start[: shape.prefix] + _DATA_TAG
        body = _body(start[shape.prefix + 1 :], blocks)
        if shape.full_chunks:
            yield from _reframed(body)
        else:
            # GnuPG would take the first chunk's noise for packets, and perhaps ask for a passphrase.
            yield _definite(b"".join(body)[:DATA_HEADER])

    def digest(self) -> str:
        """Give the SHA-256 of the file; of what is not read yet, too."""
        while self._read():
            pass
        return self._hash.hexdigest()

    def _read(self) -> bytes:
        with read_errors(self._path):
            block = os.read(self._file, BLOCK)
        self._hash.update(block)
        return block


def _read_beyond(blocks: Iterator[bytes], prefix: int) -> bytes:
    start = b""
    for block in blocks:
        start += block
        if len(start) > prefix + _DEFINITE_OCTETS:
            break
    return start


def _body(start: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Take the lengths out of the octets behind the packet's tag."""
    kept, left = start, 0
    while True:
        if left == 0:
            if kept[:1] == bytes([_PARTIAL]):
                kept, left = kept[1:], PIECE
            elif len(kept) >= _DEFINITE_OCTETS:
                kept, left = kept[_DEFINITE_OCTETS:], DEFINITE_LIMIT
        if left and kept:
            piece, kept = kept[:left], kept[left:]
            left -= len(piece)
            yield piece
            continue
        block = next(blocks, b"")
        if not block:
            return
        kept += block


def _reframed(body: Iterator[bytes]) -> Iterator[bytes]:
    """Frame a body of unknown length in pieces of 2^20 octets, zeros at its end (RFC 9580, 4.2.1.4)."""
    held = bytearray()
    size = 1 << _SALVAGE_PIECE
    for block in body:
        held += block
        while len(held) >= size:
            yield bytes([224 + _SALVAGE_PIECE]) + held[:size]
            del held[:size]
    held += _ZEROS
    yield _definite(held)


def _definite(body: bytes | bytearray) -> bytes:
    return bytes([_DEFINITE]) + len(body).to_bytes(4, "big") + body


@dataclass(frozen=True, slots=True)
class SealedFile:
    """One sealed file on the stick, and the tail beside it if there is one."""

    path: Path
    size: int
    tail: Path | None

    @property
    def upload(self) -> str:
        """Give the upload that its name speaks of."""
        return self.path.name.removesuffix(SUFFIX)
