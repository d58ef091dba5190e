"""Split OpenPGP packets as other programs write them, with partial and open lengths (RFC 9580, 4.2).

crypto/packets.py is for what our own GnuPG process has written and is stricter. This one reads
what staff made with any version of gpg, and what was inside it.

Rule 1: nothing is interpreted here except the headers.
Rule 2: every octet belongs to a packet, or MalformedPacketError is raised.
Rule 3: the work is linear in the octets, whatever they are.
"""

from dataclasses import dataclass, field

from crypto.errors import MalformedPacketError

_ALWAYS_SET, _OPENPGP_FORMAT = 0x80, 0x40
_TWO_OCTETS, _PARTIAL, _FIVE_OCTETS = 192, 224, 255  # first octets of lengths: RFC 9580, 4.2.1
_LEGACY_LENGTH_OCTETS = (1, 2, 4)
_MAY_BE_PARTIAL = frozenset({8, 9, 11, 18, 20})  # data packets: RFC 9580, 4.2.1.4


@dataclass(frozen=True, slots=True)
class StreamedPacket:
    """One packet: its tag and its body, put together if it came in pieces."""

    tag: int
    body: bytes = field(repr=False)


def split_packets(octets: bytes) -> tuple[StreamedPacket, ...]:
    """Split all of `octets`. Raises MalformedPacketError."""
    packets = []
    reader = _Reader(octets)
    while reader.left:
        packets.append(reader.packet())
    return tuple(packets)


class _Reader:
    def __init__(self, octets: bytes) -> None:
        self._octets, self._at = octets, 0

    @property
    def left(self) -> int:
        return len(self._octets) - self._at

    def packet(self) -> StreamedPacket:
        header = self._take(1)[0]
        if not header & _ALWAYS_SET:
            raise MalformedPacketError
        if header & _OPENPGP_FORMAT:
            tag = header & 0x3F
            return StreamedPacket(tag, self._body(tag))
        return StreamedPacket(header >> 2 & 0x0F, self._legacy_body(header & 0x03))

    def _body(self, tag: int) -> bytes:
        pieces = []
        length, more = self._length()
        while more:
            if tag not in _MAY_BE_PARTIAL:
                raise MalformedPacketError
            pieces.append(self._take(length))
            length, more = self._length()
        return b"".join([*pieces, self._take(length)])

    def _length(self) -> tuple[int, bool]:
        first = self._take(1)[0]
        if first < _TWO_OCTETS:
            return first, False
        if first < _PARTIAL:
            return ((first - _TWO_OCTETS) << 8) + self._take(1)[0] + _TWO_OCTETS, False
        if first == _FIVE_OCTETS:
            return int.from_bytes(self._take(4)), False
        return 1 << (first & 0x1F), True

    def _legacy_body(self, length_type: int) -> bytes:
        if length_type == len(_LEGACY_LENGTH_OCTETS):
            return self._take(self.left)  # to the end: gpg's compressed packets
        return self._take(int.from_bytes(self._take(_LEGACY_LENGTH_OCTETS[length_type])))

    def _take(self, octets: int) -> bytes:
        if octets > self.left:
            raise MalformedPacketError
        self._at += octets
        return self._octets[self._at - octets : self._at]
