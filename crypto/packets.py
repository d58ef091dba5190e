"""Split a short OpenPGP message into its packets (RFC 9580, 4.2).

Rule 1: strict. A length must be definite, every packet whole, and nothing may be left over.
Rule 2: nothing is interpreted here except the headers.

This reads only what our own GnuPG process has just written. What we write ourselves is laid out in
crypto/framing.py.
"""

from dataclasses import dataclass, field

from crypto.errors import MalformedPacketError

_ALWAYS_SET = 0x80
_OPENPGP_FORMAT = 0x40
# Octets of the length field, by the two low bits of a legacy header (4.2.2). The fourth value
# would mean "until the end of the file", which cannot be told from a message cut short.
_LEGACY_LENGTH_OCTETS = (1, 2, 4)
# The first octet of a length in the OpenPGP format (4.2.1): below the first value it is the
# length; up to the second, two octets hold it; the last means four more octets. Between the
# second and the last it is a partial length.
_TWO_OCTETS, _PARTIAL, _FIVE_OCTETS = 192, 224, 255


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: its tag, its body, and all of its octets as they stood in the message."""

    tag: int
    body: bytes = field(repr=False)
    raw: bytes = field(repr=False)


def parse_packets(message: bytes) -> tuple[Packet, ...]:
    """Split a whole message.

    Raises MalformedPacketError if any octet of it does not belong to a whole packet.
    """
    packets: list[Packet] = []
    start = 0
    while start < len(message):
        packet = _parse_one(message[start:])
        packets.append(packet)
        start += len(packet.raw)
    return tuple(packets)


def _parse_one(octets: bytes) -> Packet:
    header = octets[0]
    if not header & _ALWAYS_SET:
        raise MalformedPacketError
    if header & _OPENPGP_FORMAT:
        tag = header & 0x3F
        begin, length = _parse_length(octets)
    else:
        tag = header >> 2 & 0x0F
        begin, length = _parse_legacy_length(octets)
    end = begin + length
    return Packet(tag, _take(octets, begin, end), _take(octets, 0, end))


def _parse_length(octets: bytes) -> tuple[int, int]:
    """Where the body begins and how long it is, of a header in the OpenPGP format (4.2.1)."""
    first = _take(octets, 1, 2)[0]
    if first < _TWO_OCTETS:
        return 2, first
    if first < _PARTIAL:
        return 3, ((first - _TWO_OCTETS) << 8) + _take(octets, 2, 3)[0] + _TWO_OCTETS
    if first == _FIVE_OCTETS:
        return 6, int.from_bytes(_take(octets, 2, 6))
    raise MalformedPacketError


def _parse_legacy_length(octets: bytes) -> tuple[int, int]:
    """Where the body begins and how long it is, of a header in the legacy format (4.2.2)."""
    length_type = octets[0] & 0x03
    if length_type == len(_LEGACY_LENGTH_OCTETS):
        raise MalformedPacketError
    begin = 1 + _LEGACY_LENGTH_OCTETS[length_type]
    return begin, int.from_bytes(_take(octets, 1, begin))


def _take(octets: bytes, begin: int, end: int) -> bytes:
    if end > len(octets):
        raise MalformedPacketError
    return octets[begin:end]
