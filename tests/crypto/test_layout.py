"""Where everything lies in a sealed file: each mapping is undone by its inverse, at every edge."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.layout import CHUNK, MAX_CONTENT, SEALED_CHUNK, TAG_LENGTH, Layout, padme
from tests import reader

PREFIX, HEAD = 112, 1536
PIECE = 1 << 30
AROUND = range(-2, 3)
LENGTHS = [
    *(0, 1, 511, 512, 513, 1000),
    *(n * CHUNK - HEAD - 12 + d for n in (1, 2, 3) for d in AROUND),
    *(CHUNK + d for d in AROUND),
    *((1 << power) - HEAD - 1024 - 6 + d for power in (30, 32, 33) for d in AROUND),
    *((1 << power) + d for power in (30, 32, 33) for d in AROUND),
    5 << 30,
    40 * 10**9,
    MAX_CONTENT - 1,
    MAX_CONTENT,
]
every_length = pytest.mark.parametrize("length", LENGTHS)


def layout(length: int) -> Layout:
    """A layout with the usual prefix and head."""
    return Layout(PREFIX, HEAD, length)


def interesting_chunks(layout: Layout) -> set[int]:
    """The first and last chunks, and those around each partial length of the file."""
    edges = range(0, layout.file_length + PIECE, PIECE)
    around = {edge // SEALED_CHUNK + d for edge in edges for d in AROUND}
    around |= {edge // CHUNK + d for edge in edges for d in AROUND}
    ends = {0, 1, layout.chunks - 1, layout.chunks}
    return {index for index in around | ends if 0 <= index <= layout.chunks}


@every_length
def test_a_file_with_so_many_chunks_has_so_many_chunks(length: int) -> None:
    """`whole_chunks` undoes `chunk_begins`, and one octet less is one chunk less."""
    at = layout(length)
    for index in interesting_chunks(at):
        begins = at.chunk_begins(index)
        assert at.whole_chunks(begins) == index
        assert at.whole_chunks(begins - 1) == max(0, index - 1)
        if index < at.chunks:
            assert at.whole_chunks(at.chunk_begins(index + 1) - 1) == index


@every_length
def test_whole_chunks_of_any_length_of_file(length: int) -> None:
    """No length of file has more chunks than there are, and none has fewer than none."""
    at = layout(length)
    assert [at.whole_chunks(n) for n in (0, PREFIX, PREFIX + 24, PREFIX + 25)] == [0] * 4
    assert {at.whole_chunks(at.file_length + n) for n in (-TAG_LENGTH, -1, 0, 1)} == {at.chunks}


@every_length
def test_offset_at_undoes_begins_at(length: int) -> None:
    """The offset is what the plaintext holds of the content, and no octet of a length counts."""
    at = layout(length)
    for edge in range(0, length + PIECE, PIECE):
        for offset in {min(max(0, edge + d), length) for d in (*range(-2000, 2001, 61), *AROUND)}:
            assert at.offset_at(at.literal.begins_at(6 + HEAD + offset)) == offset


@every_length
def test_before_and_behind_the_content_the_offset_stands_still(length: int) -> None:
    """Head, tar end and padding are no content: the offset is 0 before and the length behind."""
    at = layout(length)
    assert [at.offset_at(n) for n in (0, 1, at.content_begins)] == [0, 0, 0]
    assert at.offset_at(at.content_begins + 1) == min(1, length)
    assert {at.offset_at(n) for n in (at.literal.framed_length, at.plaintext)} == {length}


@every_length
def test_the_plaintext_is_whole_and_has_a_padme_size(length: int) -> None:
    """Literal and padding packet fill it up exactly, and the size is the smallest allowed."""
    at = layout(length)
    assert at.literal.framed_length + at.padding.framed_length == at.plaintext
    assert at.padding.length >= 1
    assert at.plaintext == reader.padme(max(4096, at.literal.framed_length + 7))
    assert at.padding.pieces == 0


@every_length
def test_the_tar_ends_with_two_empty_blocks(length: int) -> None:
    """POSIX pax: content fills its last block with zeros, then come 1024 more."""
    at = layout(length)
    assert 1024 <= at.archive_end < 1536
    assert (length + at.archive_end) % 512 == 0


@every_length
def test_the_file_is_as_long_as_its_packets(length: int) -> None:
    """Prefix, tag, lengths, parameters, IV, chunks with a tag each, and the final tag."""
    at = layout(length)
    chunks = -(-at.plaintext // 65536)
    body = 4 + 15 + at.plaintext + 16 * chunks + 16
    pieces = -(-body // PIECE)
    lengths = 5 if body < 1 << 32 else pieces - 1 + 5
    assert at.chunks == chunks
    assert at.file_length == PREFIX + 1 + lengths + body
    assert at.chunk_begins(chunks) == at.file_length - 16


@given(st.integers(1, 1 << 45))
def test_padme_leaves_few_bits(length: int) -> None:
    """The size is never smaller, at most 12 % larger, and the second reader rounds alike."""
    size = padme(length)
    assert length <= size <= length + length * 12 // 100
    assert size == reader.padme(length)
    assert padme(size) == size


@pytest.mark.parametrize(
    ("length", "size"),
    [(1, 1), (2, 2), (9, 10), (4096, 4096), (4097, 4352), (65536, 65536), (10**6, 1015808)],
)
def test_padme_by_hand(length: int, size: int) -> None:
    """Values worked out from the paper, PoPETs 2019, algorithm 1."""
    assert padme(length) == size


@pytest.mark.parametrize("length", [-1, MAX_CONTENT + 1])
def test_what_the_format_cannot_hold_is_refused(length: int) -> None:
    """A length that no layout has is a fault of ours and stops at once."""
    with pytest.raises(ValueError, match=r"^internal error: content length out of range$"):
        layout(length)


@pytest.mark.parametrize(("length", "room"), [(0, 12), (1 << 32, 8)])
def test_the_head_must_fit_the_first_chunk(length: int, room: int) -> None:
    """The first octet of content lies in chunk 0, or at its edge, whatever the form of length."""
    assert Layout(PREFIX, CHUNK - room, length).content_begins == CHUNK
    with pytest.raises(ValueError, match=r"^internal error: the head must fit the first chunk$"):
        Layout(PREFIX, CHUNK - room + 1, length)


def test_the_smallest_file() -> None:
    """The worked example of docs/format.md, "Positions": one octet in one chunk of 4096."""
    at = Layout(97, 1536, 1)
    assert (at.archive_end, at.literal.framed_length, at.plaintext) == (1535, 3084, 4096)
    assert (at.content_begins, at.padding.length) == (1548, 1006)
    assert (at.chunk_begins(0), at.chunk_begins(1), at.file_length) == (122, 4234, 4250)


def test_positions_of_five_gibibytes() -> None:
    """The worked example of docs/format.md, "Positions": lengths before every piece of 2^30."""
    at = Layout(97, 1536, 5 << 30)
    assert (at.literal.length, at.literal.pieces) == (5_368_711_686, 5)
    assert (at.content_begins, at.literal.framed_length) == (1544, 5_368_711_697)
    assert (at.plaintext, at.chunks, at.data.length) == (5_435_817_984, 82_944, 5_437_145_123)
    assert [at.chunk_begins(n) for n in (0, 1, 2)] == [118, 65_670, 131_222]
    assert [at.chunk_begins(n) for n in (16_379, 16_380)] == [1_073_676_326, 1_073_741_878]
    assert [at.offset_at(n * CHUNK) for n in (1, 2, 16_384)] == [63_992, 129_528, 1_073_740_280]
    assert (at.chunk_begins(82_944), at.file_length) == (5_437_145_215, 5_437_145_231)
