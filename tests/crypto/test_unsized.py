"""A form's file, whose length nobody knows before its end: the same file as an upload's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crypto.unsized
from crypto.archive import encode_head
from crypto.framing import DEFINITE_LIMIT
from crypto.layout import CHUNK, Layout
from crypto.unsized import MAX_UNSIZED, UnsizedSealer
from tests import reader
from tests.crypto.sealing import (
    IV,
    PKESK,
    SESSION_KEY,
    RecordingCipher,
    Upload,
    octets,
    sliced,
)

BEGINS = Upload(0).layout.content_begins
ROOM = CHUNK - BEGINS
LENGTHS = [0, 1, ROOM - 1, ROOM, ROOM + 1, CHUNK, ROOM + CHUNK - 1, ROOM + CHUNK, ROOM + CHUNK + 1]


def unsized(path: str = "clip.mp4") -> UnsizedSealer:
    """A sealer with the same keys and the same entry as `Upload`."""
    entry = Upload(0, path=path).entry
    return UnsizedSealer(SESSION_KEY, IV, PKESK, lambda length: encode_head(entry, length))


def written(sealer: UnsizedSealer, parts: list[bytes]) -> bytes:
    """Write a file as a form's is: from the second chunk on, then its start."""
    chunks = [chunk for part in parts for chunk in sealer.add(part)]
    ending = sealer.end()
    if chunks or ending.rest:
        assert len(ending.start) == sealer.start_length
    return b"".join([ending.start, *chunks, *ending.rest])


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("size", [1000, ROOM - 1, ROOM, ROOM + 1, CHUNK, 3 * CHUNK])
def test_boundary_lengths_in_any_size_of_part(length: int, size: int) -> None:
    """Around the edges of the chunks, the file equals the one of a known length."""
    content = octets(length)
    parts = list(sliced(content, range(size, length, size)))
    assert written(unsized(), parts) == Upload(length).seal(content)


@settings(max_examples=50)
@given(st.integers(0, 4 * CHUNK), st.lists(st.integers(0, 4 * CHUNK), max_size=6))
def test_any_slices_give_the_file_of_a_known_length(length: int, cuts: list[int]) -> None:
    """However a form's parts arrive, the file is the one that an upload would have become."""
    content = octets(length)
    sealer = unsized()
    parts = list(sliced(content, {min(cut, length) for cut in cuts}))
    assert written(sealer, parts) == Upload(length).seal(content)
    assert sealer.length == length


@pytest.mark.parametrize("components", [14, 62])
def test_a_head_that_nearly_fills_the_first_chunk(components: int) -> None:
    """A long path leaves little room for content in chunk 0, and nothing changes."""
    path = "/".join(["ф" * 30] * components)
    content = octets(2 * CHUNK)
    file = written(unsized(path), [content])
    assert file == Upload(len(content), path=path).seal(content)
    assert reader.read(file, SESSION_KEY).receipt["path"] == path


@pytest.mark.parametrize("length", [0, 1, CHUNK])
def test_a_head_that_fills_the_first_chunk_exactly(length: int) -> None:
    """With no room left in chunk 0, all content lies behind it."""
    head = bytes(CHUNK - 12)
    sealer = UnsizedSealer(SESSION_KEY, IV, PKESK, lambda _: head)
    content = octets(length)
    file = written(sealer, [content])
    layout = Layout(len(PKESK), len(head), length)
    assert len(file) == layout.file_length
    begin, end = layout.chunk_begins(0), layout.chunk_begins(1)
    assert RecordingCipher(SESSION_KEY, IV).holds(0, file[begin:end])


def test_no_nonce_meets_two_plaintexts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunk 0 is sealed once, at the end, and every other chunk once, as it fills."""
    met: list[dict[bytes, set[bytes]]] = []

    class Cipher(RecordingCipher):
        def __init__(self, session_key: bytes, iv: bytes) -> None:
            super().__init__(session_key, iv)
            met.append(self.met)

    monkeypatch.setattr(crypto.unsized, "ChunkCipher", Cipher)
    for length in LENGTHS:
        written(unsized(), list(sliced(octets(length), range(100, length, 7919))))
    assert len(met) == len(LENGTHS)
    assert {len(plaintexts) for each in met for plaintexts in each.values()} == {1}


def test_the_first_chunk_waits_for_the_end() -> None:
    """Before the end nothing of chunk 0 is given away, because its head is not known."""
    sealer = unsized()
    assert sealer.add(octets(CHUNK)) == []
    assert [len(chunk) for chunk in sealer.add(octets(CHUNK))] == [CHUNK + 16]
    second = Upload(2 * CHUNK).layout.chunk_begins(1)
    assert (sealer.length, sealer.start_length) == (2 * CHUNK, second)


def test_the_longest_form_file_needs_no_partial_lengths() -> None:
    """Whatever the length turns out to be, below the limit every later chunk lies in one place."""
    head = len(Upload(0).head)
    longest = Layout(len(PKESK), head, MAX_UNSIZED)
    assert (longest.data.pieces, longest.literal.pieces, longest.data.length >> 32) == (0, 0, 0)
    for length in range(2 * CHUNK, MAX_UNSIZED, MAX_UNSIZED // 7):
        shorter = Layout(len(PKESK), head, length)
        for index in (1, 2, shorter.chunks - 1):
            assert shorter.chunk_begins(index) == longest.chunk_begins(index)


def test_the_longest_form_file_leaves_room_for_its_padding() -> None:
    """The limit of 2^32 - 2^27 octets keeps the padded packet below 2^32 even with a long head."""
    assert DEFINITE_LIMIT - (1 << 27) == MAX_UNSIZED
    assert Layout(5000, CHUNK - 12, MAX_UNSIZED).data.pieces == 0


@pytest.mark.parametrize("length", [1, 1 << 20, MAX_UNSIZED])
def test_the_head_is_as_long_for_every_length(length: int) -> None:
    """The room in chunk 0 is known before the length is."""
    entry = Upload(0).entry
    assert len(encode_head(entry, length)) == len(encode_head(entry, 0))
