"""Packets as other programs write them: in pieces, to the end, in either format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import MalformedPacketError
from crypto.packet_stream import StreamedPacket, split_packets

DATA = st.sampled_from([8, 9, 11, 18, 20])


def definite(tag: int, body: bytes) -> bytes:
    """Write a packet with a length of five octets."""
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4) + body


@st.composite
def in_pieces(draw: st.DrawFn) -> tuple[StreamedPacket, bytes]:
    """Write a packet of encrypted or packed data with partial lengths (RFC 9580, 4.2.1.4)."""
    tag, written, body = draw(DATA), b"", b""
    for power in draw(st.lists(st.integers(0, 9), max_size=5)):
        piece = draw(st.binary(min_size=1 << power, max_size=1 << power))
        written, body = written + bytes([224 + power]) + piece, body + piece
    last = draw(st.binary(max_size=191))
    packet = bytes([0xC0 | tag]) + written + bytes([len(last)]) + last
    return StreamedPacket(tag, body + last), packet


@given(st.lists(in_pieces(), max_size=4))
def test_pieces_are_put_together(packets: list[tuple[StreamedPacket, bytes]]) -> None:
    """However a body was cut up, it comes out whole, and the next packet begins behind it."""
    message = b"".join(octets for _, octets in packets)
    assert split_packets(message) == tuple(packet for packet, _ in packets)


@given(st.integers(1, 63), st.binary(max_size=300), st.binary(max_size=300))
def test_definite_and_open_lengths_are_read(tag: int, first: bytes, last: bytes) -> None:
    """A packet of the old format may go on to the end: gpg packs so."""
    message = definite(tag, first) + bytes([0x80 | 8 << 2 | 3]) + last
    assert split_packets(message) == (StreamedPacket(tag, first), StreamedPacket(8, last))


@given(in_pieces())
def test_what_is_cut_off_is_refused(packet: tuple[StreamedPacket, bytes]) -> None:
    """A packet without its last octet is none."""
    with pytest.raises(MalformedPacketError):
        split_packets(packet[1][:-1])


@given(st.integers(1, 63).filter(lambda tag: tag not in {8, 9, 11, 18, 20}))
def test_only_data_comes_in_pieces(tag: int) -> None:
    """A key packet in pieces is a trick (RFC 9580, 4.2.1.4)."""
    with pytest.raises(MalformedPacketError):
        split_packets(bytes([0xC0 | tag, 224, 0, 0]))


@given(st.binary(max_size=100))
def test_any_octets_are_split_or_refused(octets: bytes) -> None:
    """There is no third way."""
    try:
        packets = split_packets(octets)
    except MalformedPacketError:
        return
    assert sum(len(packet.body) for packet in packets) <= len(octets)
