"""One OpenPGP packet of known length: where each octet of its body lies in the file.

A body under 2^32 octets gets one five-octet length. A longer one begins with partial
lengths of 2^30 octets and ends with a five-octet length (RFC 9580, 4.2.1.4). So every
position is a pure function of the body's length, and nothing has to be remembered
between two requests.
"""

from collections.abc import Iterator
from dataclasses import dataclass

PIECE = 1 << 30  # octets under one partial length
DEFINITE_LIMIT = 1 << 32  # a body this long no longer fits a five-octet length
_TAG_OCTETS = 1
_PARTIAL_OCTETS = 1
_DEFINITE_OCTETS = 5
_PARTIAL_LENGTH = bytes([224 + 30])  # RFC 9580, 4.2.1.4: 1 << 30


@dataclass(frozen=True, slots=True)
class Framing:
    """A packet of type `tag` with a body of `length` octets (at least one)."""

    tag: int
    length: int

    @property
    def pieces(self) -> int:
        """How many pieces of 2^30 octets stand before the last one."""
        return 0 if self.length < DEFINITE_LIMIT else (self.length - 1) // PIECE

    @property
    def framed_length(self) -> int:
        """Octets of the whole packet, its tag and lengths included."""
        return self._headers_through(self.pieces) + self.length

    def begins_at(self, position: int) -> int:
        """Where the body octet `position` begins, a length that stands before it included."""
        return 0 if position == 0 else self._lies_at(position - 1) + 1

    def holds(self, framed: int) -> int:
        """How many octets of the body lie in the first `framed` octets of the packet."""
        after_tag = max(0, framed - _TAG_OCTETS)
        whole = min(after_tag // (PIECE + _PARTIAL_OCTETS), self.pieces)
        rest = after_tag - whole * (PIECE + _PARTIAL_OCTETS)
        header = _PARTIAL_OCTETS if whole < self.pieces else _DEFINITE_OCTETS
        return min(whole * PIECE + max(0, rest - header), self.length)

    def frame(self, position: int, octets: bytes | memoryview) -> bytes | memoryview:
        """Give `octets` of the body, from `position` on, with the lengths that belong between."""
        end = position + len(octets)
        if position and not self._crosses(position, end):
            return octets
        return b"".join(self._framed(position, memoryview(octets)))

    def _framed(self, position: int, octets: memoryview) -> Iterator[bytes | memoryview]:
        while octets:
            piece = min(position // PIECE, self.pieces)
            if position == piece * PIECE:
                yield self._header(piece)
            piece_end = (piece + 1) * PIECE if piece < self.pieces else self.length
            taken = octets[: piece_end - position]
            yield taken
            position += len(taken)
            octets = octets[len(taken) :]

    def unframe(self, position: int, framed: bytes) -> bytes:
        """Undo `frame`: drop the lengths from what begins at `begins_at(position)`."""
        kept, at = [], 0
        while at < len(framed):
            piece = min(position // PIECE, self.pieces)
            if position == piece * PIECE:
                at += len(self._header(piece))
            piece_end = (piece + 1) * PIECE if piece < self.pieces else self.length
            kept.append(framed[at : at + piece_end - position])
            at += len(kept[-1])
            position = piece_end
        return b"".join(kept)

    def _crosses(self, position: int, end: int) -> bool:
        first = -(-position // PIECE)
        return first <= self.pieces and first * PIECE < end

    def _header(self, piece: int) -> bytes:
        tag = bytes([0xC0 | self.tag]) if piece == 0 else b""
        if piece < self.pieces:
            return tag + _PARTIAL_LENGTH
        return tag + b"\xff" + (self.length - piece * PIECE).to_bytes(4)

    def _lies_at(self, position: int) -> int:
        return position + self._headers_through(min(position // PIECE, self.pieces))

    def _headers_through(self, piece: int) -> int:
        partial = min(piece + 1, self.pieces) * _PARTIAL_OCTETS
        return _TAG_OCTETS + partial + (_DEFINITE_OCTETS if piece == self.pieces else 0)
