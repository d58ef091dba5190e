"""One packet of known length: every octet of its body has one place, whatever it is cut into."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.framing import Framing
from tests.crypto.sealing import sliced, small_pieces

PIECE = 1 << 30
TAG = 20


def body_of(length: int) -> bytes:
    """A body whose octets tell their places."""
    return bytes(position % 251 for position in range(length))


def written_out(body: bytes) -> bytes:
    """The packet as RFC 9580, 4.2.1 describes it, for pieces of 16 octets."""
    packet, rest = bytes([0xC0 | TAG]), body
    while len(body) >= 64 and len(rest) > 16:
        packet += bytes([224 + 4]) + rest[:16]
        rest = rest[16:]
    return packet + b"\xff" + len(rest).to_bytes(4, "big") + rest


LENGTHS = st.integers(1, 200)
TINY = 4  # pieces of 16 octets, and a definite length below 64


def places_of(length: int) -> list[int]:
    """Where each octet of a body lies in its packet, found by going through it."""
    places: list[int] = []
    at, rest = 1, length
    while length >= 64 and rest > 16:
        places += range(at + 1, at + 17)
        at, rest = at + 17, rest - 16
    return [*places, *range(at + 5, at + 5 + rest)]


@given(LENGTHS, st.lists(st.integers(0, 200)))
def test_a_body_framed_in_any_slices_is_the_packet_of_the_rfc(length: int, cuts: list[int]) -> None:
    """However the body arrives in time, the packet is the one that RFC 9580 describes."""
    body, framing = body_of(length), Framing(TAG, length)
    with small_pieces(TINY):
        framed, at = b"", 0
        for part in sliced(body, {min(cut, length) for cut in cuts}):
            framed += framing.frame(at, part)
            at += len(part)
        assert framed == written_out(body)
        assert framing.framed_length == len(framed)


@given(LENGTHS, st.integers(0, 200), st.integers(0, 200))
def test_unframe_undoes_frame(length: int, one: int, other: int) -> None:
    """What is read back from the packet at `begins_at` is what was framed there."""
    body, framing = body_of(length), Framing(TAG, length)
    begin, end = sorted((min(one, length), min(other, length)))
    with small_pieces(TINY):
        packet = written_out(body)[framing.begins_at(begin) : framing.begins_at(end)]
        assert framing.unframe(begin, packet) == body[begin:end]
        assert framing.frame(begin, body[begin:end]) == packet


@given(LENGTHS, st.integers(0, 260))
def test_holds_counts_the_body_octets_in_any_beginning(length: int, framed: int) -> None:
    """The first octets of a packet hold as many of its body as lie there."""
    with small_pieces(TINY):
        assert Framing(TAG, length).holds(framed) == sum(n < framed for n in places_of(length))


@given(LENGTHS)
def test_an_octet_begins_where_the_one_before_ends(length: int) -> None:
    """A length that stands before an octet belongs to that octet."""
    framing, ends = Framing(TAG, length), [place + 1 for place in places_of(length)]
    with small_pieces(TINY):
        assert [framing.begins_at(n) for n in range(length + 1)] == [0, *ends]


@pytest.mark.parametrize("length", [50, 64, 100])
def test_octets_that_no_length_falls_into_are_not_copied(length: int) -> None:
    """Nearly every chunk and append stays where it lies in memory; only edges cost a copy."""
    framing = Framing(TAG, length)
    with small_pieces(TINY):
        edges = [n * 16 for n in range(1, framing.pieces + 1)]
        for begin, end in combinations(range(1, length + 1), 2):
            octets = memoryview(bytes(end - begin))
            crossed = any(begin <= edge < end for edge in edges)
            assert (framing.frame(begin, octets) is octets) == (not crossed)


def test_nothing_is_framed_as_nothing() -> None:
    """An append without octets writes no length early: it would be written twice."""
    framing = Framing(TAG, 100)
    with small_pieces(TINY):
        assert [bytes(framing.frame(at, b"")) for at in (0, 15, 16, 17, 96, 100)] == [b""] * 6


def test_the_beginning_of_another_file_holds_nothing() -> None:
    """A file shorter than what stands before the packet holds none of it."""
    assert Framing(TAG, 100).holds(-5) == 0


# --- the real pieces, without the data ------------------------------------------------------------

AROUND = range(-3, 4)
REAL_LENGTHS = [
    *range(1, 4),
    *(PIECE + n for n in AROUND),
    *((1 << 32) + n for n in AROUND),
    *(5 * PIECE + n for n in AROUND),
    40 * 10**9,
    *((1 << 38) + n for n in AROUND),
]


def real_places(length: int, position: int) -> int:
    """Where a body octet lies: the tag, the lengths up to its piece, the octets before it."""
    if length < 1 << 32:
        return 1 + 5 + position
    last = -(-length // PIECE) - 1
    piece = min(position // PIECE, last)
    return 1 + piece + (5 if piece == last else 1) + position


@pytest.mark.parametrize("length", REAL_LENGTHS)
def test_positions_around_every_piece_of_two_to_the_thirty(length: int) -> None:
    """Around each edge of 2^30, both mappings agree with a count of the lengths before it."""
    framing = Framing(TAG, length)
    for edge in range(0, length + PIECE, PIECE):
        for position in {min(max(0, edge + n), length - 1) for n in AROUND}:
            place = real_places(length, position)
            assert framing.begins_at(position + 1) == place + 1
            assert framing.holds(place) == position
            assert framing.holds(place + 1) == position + 1


@pytest.mark.parametrize("length", REAL_LENGTHS)
def test_no_octet_of_the_lengths_counts_as_body(length: int) -> None:
    """A file that ends within a length holds as much of the body as before that length."""
    framing = Framing(TAG, length)
    for edge in range(0, length, PIECE):
        begin, place = framing.begins_at(edge), real_places(length, edge)
        assert {framing.holds(at) for at in range(begin, place + 1)} == {edge}


@pytest.mark.parametrize(
    ("length", "pieces", "framed"),
    [
        (1, 0, 7),
        ((1 << 32) - 1, 0, (1 << 32) + 5),
        (1 << 32, 3, (1 << 32) + 9),
        ((1 << 32) + 1, 4, (1 << 32) + 11),
        (5 * PIECE, 4, 5 * PIECE + 10),
        (5 * PIECE + 1, 5, 5 * PIECE + 12),
    ],
)
def test_partial_lengths_begin_at_four_gibibytes(length: int, pieces: int, framed: int) -> None:
    """The worked lengths of docs/format.md: one definite length below 2^32, pieces from there."""
    assert Framing(TAG, length).pieces == pieces
    assert Framing(TAG, length).framed_length == framed


def test_the_lengths_have_the_octets_of_the_rfc() -> None:
    """RFC 9580, 4.2.1: 0xFE for 2^30 octets, 0xFF and four octets for the last piece."""
    framing = Framing(11, (1 << 32) + 1)
    assert bytes(framing.frame(0, b"x")) == b"\xcb\xfex"
    assert bytes(framing.frame(PIECE - 1, b"xy")) == b"x\xfey"
    assert bytes(framing.frame(4 * PIECE - 1, b"xy")) == b"x\xff\x00\x00\x00\x01y"
    assert bytes(Framing(21, 7).frame(0, b"x")) == b"\xd5\xff\x00\x00\x00\x07x"
