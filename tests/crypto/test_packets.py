"""Packets: a message is split without a remainder, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError, MalformedPacketError
from crypto.packets import parse_packets


def legacy(tag: int, length_type: int, length: bytes, body: bytes) -> bytes:
    """Write a packet with a legacy header (RFC 9580, 4.2.2)."""
    return bytes([0x80 | tag << 2 | length_type]) + length + body


def modern(tag: int, length: bytes, body: bytes) -> bytes:
    """Write a packet with an OpenPGP format header (RFC 9580, 4.2.1)."""
    return bytes([0xC0 | tag]) + length + body


# The lengths of RFC 9580, 4.2.1.4: 100, 1723 and 100000 octets.
WHOLE = {
    "legacy, one octet": (1, 3, legacy(1, 0, b"\x03", b"abc")),
    "legacy, two octets": (1, 300, legacy(1, 1, b"\x01\x2c", bytes(300))),
    "legacy, four octets": (15, 3, legacy(15, 2, b"\0\0\0\x03", b"abc")),
    "one octet": (18, 100, modern(18, b"\x64", bytes(100))),
    "one octet, the most": (18, 191, modern(18, b"\xbf", bytes(191))),
    "two octets, the least": (18, 192, modern(18, b"\xc0\x00", bytes(192))),
    "two octets": (63, 1723, modern(63, b"\xc5\xfb", bytes(1723))),
    "two octets, the most": (18, 8383, modern(18, b"\xdf\xff", bytes(8383))),
    "five octets": (20, 100_000, modern(20, b"\xff\x00\x01\x86\xa0", bytes(100_000))),
    "empty": (21, 0, modern(21, b"\0", b"")),
}


@pytest.mark.parametrize(("tag", "length", "octets"), WHOLE.values(), ids=WHOLE)
def test_every_definite_length_is_read(tag: int, length: int, octets: bytes) -> None:
    """Tag and body are found in each form of header that the RFC defines."""
    (packet,) = parse_packets(octets)

    assert (packet.tag, len(packet.body), packet.raw) == (tag, length, octets)
    assert octets.endswith(packet.body)


def test_packets_follow_each_other() -> None:
    """A message is a row of packets, in their order."""
    row = [octets for _, _, octets in WHOLE.values()]

    assert [packet.raw for packet in parse_packets(b"".join(row))] == row


@pytest.mark.parametrize("octets", [octets for _, _, octets in WHOLE.values()], ids=WHOLE)
def test_a_packet_cut_short_is_refused(octets: bytes) -> None:
    """A packet that is cut off anywhere is no packet."""
    for end in {1, 2, 3, 5, len(octets) - 1} & set(range(1, len(octets))):
        with pytest.raises(MalformedPacketError):
            parse_packets(octets[:end])


REFUSED = {
    "no header": b"\x00",
    "armor": b"-----BEGIN PGP MESSAGE-----",
    "the highest bit is not set": b"\x7f\x00",
    "legacy, indeterminate length": legacy(11, 3, b"", b"abc"),
    "the least partial length": modern(11, b"\xe0", bytes(1 + 8384)),  # would be whole
    "five octets, far too long": modern(20, b"\xff\x01\x00\x00\x00", b""),
    "the greatest partial length": modern(11, b"\xfe", b"abc\0"),
    "something left over": modern(11, b"\x01", b"a") + b"x",
}


@pytest.mark.parametrize("octets", REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused(octets: bytes) -> None:
    """Indeterminate and partial lengths, and octets that are no packets, are refused."""
    with pytest.raises(MalformedPacketError):
        parse_packets(octets)


def test_an_empty_message_has_no_packets() -> None:
    """Nothing is split into nothing."""
    assert parse_packets(b"") == ()


@given(st.binary(max_size=400) | st.binary(max_size=400).map(lambda tail: b"\xd2" + tail))
def test_garbage_is_split_without_remainder_or_refused(octets: bytes) -> None:
    """Any octets are split so that the packets join to the same octets, or are refused."""
    try:
        packets = parse_packets(octets)
    except CryptoError as refused:
        assert type(refused) is MalformedPacketError  # noqa: PT017 - never any other error
    else:
        assert b"".join(packet.raw for packet in packets) == octets
