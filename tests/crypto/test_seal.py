"""The sealed stream: the same file whatever it arrived in, and no nonce for two plaintexts."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.layout import CHUNK, TAG_LENGTH
from crypto.seal import ChunkCipher, Plaintext, Sealer
from tests import reader
from tests.crypto.sealing import (
    IV,
    SESSION_KEY,
    RecordingCipher,
    Upload,
    octets,
    sliced,
    small_pieces,
)

BEGINS = Upload(0).layout.content_begins
# The tar end is 1024 octets behind a content of whole blocks; the padding's header has 6.
BOUNDARY_LENGTHS = [
    *(0, 1, CHUNK - 1, CHUNK, CHUNK + 1),
    *(n * CHUNK - BEGINS + d for n in (1, 2) for d in (-1, 0, 1)),  # content ends at a chunk's edge
    *(2 * CHUNK - BEGINS - 1024 - d for d in (0, 5, 6, 7)),  # the tar or the padding's header does
    3 * CHUNK + 1000,
]
APPENDS = [511, 512, CHUNK - BEGINS, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]


def no_nonce_met_two(cipher: RecordingCipher) -> bool:
    """Tell whether every nonce of a session key has sealed one plaintext only."""
    return all(len(plaintexts) == 1 for plaintexts in cipher.met.values())


@pytest.mark.parametrize("length", BOUNDARY_LENGTHS)
def test_a_second_reader_opens_every_boundary_length(length: int) -> None:
    """A reader that shares no code with ours finds name, content, receipt and Padmé size."""
    upload, content = Upload(length), octets(length)
    opened = reader.read(upload.seal(content), SESSION_KEY)
    assert (opened.name, opened.content) == ("clip.mp4", content)
    assert (opened.receipt["path"], opened.receipt["modified"]) == ("clip.mp4", 1_700_000_000_123)
    assert opened.plaintext_length == upload.layout.plaintext


@pytest.mark.parametrize("length", BOUNDARY_LENGTHS)
@pytest.mark.parametrize("append", APPENDS)
def test_the_size_of_appends_does_not_show(length: int, append: int) -> None:
    """Boundary lengths by sizes of append: the file is the same as from one append."""
    upload, content = Upload(length), octets(length)
    assert upload.seal(content, range(append, length, append)) == Upload(length).seal(content)
    assert len(upload.seal(content)) == upload.layout.file_length


def test_octet_by_octet() -> None:
    """The smallest append of all gives the same file, across a chunk's edge."""
    content = octets(2 * CHUNK)
    edge = CHUNK - BEGINS
    cuts = range(edge - 300, edge + 300)
    assert Upload(len(content)).seal(content, cuts) == Upload(len(content)).seal(content)


def resumed(upload: Upload, content: bytes, cut: int) -> bytes:
    """Cut an upload at an offset; another request goes on with what file and tail hold."""
    first = upload.begin()
    sealed = first.add(content[:cut])
    second = upload.resume(first.index, first.pending)
    assert second.offset == cut
    rest = second.add(content[cut:])
    return b"".join([upload.start, *sealed, *rest, *second.end()])


@pytest.mark.parametrize("length", [2 * CHUNK + 500, 3 * CHUNK - BEGINS])
def test_a_cut_anywhere_around_a_chunk_resumes_to_the_same_file(length: int) -> None:
    """At every offset within 20 octets of an edge, a new sealer goes on to the same octets."""
    upload, content = Upload(length), octets(length)
    whole = Upload(length).seal(content)
    cuts = {edge + d for edge in [0, *upload.edges(), length] for d in range(-20, 21)}
    for cut in sorted(cut for cut in cuts if 0 <= cut <= length):
        assert resumed(upload, content, cut) == whole
    assert no_nonce_met_two(upload.cipher)


def test_a_lost_tail_costs_one_chunk_and_no_nonce() -> None:
    """After power loss only the file counts: the offset falls to the last edge, and all goes on."""
    upload = Upload(3 * CHUNK + 100)
    content = octets(upload.length)
    whole = upload.seal(content)
    for index in range(1, upload.layout.chunks):
        sealer = upload.resume(index, Plaintext(b""))
        assert sealer.offset == upload.layout.offset_at(index * CHUNK)
        rest = [*sealer.add(content[sealer.offset :]), *sealer.end()]
        assert whole[: upload.layout.chunk_begins(index)] + b"".join(rest) == whole
    assert no_nonce_met_two(upload.cipher)


def test_a_completion_that_a_crash_interrupted_is_repeated_with_the_same_octets() -> None:
    """Rule 2: behind the content come zeros alone, so sealing it again changes nothing."""
    upload = Upload(5 * CHUNK)
    sealer = upload.begin()
    file = upload.start + b"".join(sealer.add(octets(upload.length)))
    first, pending = sealer.index, sealer.pending
    endings = list(sealer.end())
    whole = file + b"".join(endings)
    assert list(upload.resume(first, pending).end()) == endings
    for index in range(first + 1, upload.layout.chunks + 1):
        again = upload.resume(index, Plaintext(b""))
        assert whole[: upload.layout.chunk_begins(index)] + b"".join(again.end()) == whole
    assert no_nonce_met_two(upload.cipher)


def test_the_sealer_tells_its_state() -> None:
    """Offset, pending octets and room add up after each append, and no chunk waits when full."""
    upload = Upload(2 * CHUNK)
    sealer, content = upload.begin(), octets(upload.length)
    assert (sealer.offset, len(sealer.pending), sealer.room) == (0, BEGINS, CHUNK - BEGINS)
    assert sealer.add(content[: sealer.room - 1]) == []
    assert (sealer.offset, sealer.room) == (CHUNK - BEGINS - 1, 1)
    assert len(sealer.add(content[sealer.offset : sealer.offset + 1])) == 1
    assert (sealer.index, sealer.pending, sealer.room) == (1, b"", CHUNK)
    assert [len(chunk) for chunk in sealer.add(content[sealer.offset :])] == [CHUNK + TAG_LENGTH]
    assert sealer.offset == upload.length


def test_an_append_of_a_whole_chunk_waits_for_nothing() -> None:
    """A chunk that is full is given at once, also if one append fills it from its first octet."""
    upload = Upload(3 * CHUNK)
    sealer = upload.begin()
    sealer.add(bytes(sealer.room))
    for appended in (CHUNK, 2 * CHUNK):
        sealer = upload.resume(1, Plaintext(b""))
        assert len(sealer.add(octets(appended))) == appended // CHUNK
        assert (sealer.pending, sealer.room) == (b"", CHUNK)


def test_an_end_before_all_content_is_our_own_fault() -> None:
    """A file cannot be completed with content missing: nothing would show it afterwards."""
    sealer = Upload(10).begin()
    sealer.add(b"123456789")
    with pytest.raises(RuntimeError, match=r"^internal error: the content is not whole$"):
        next(sealer.end())


@settings(max_examples=60)
@given(st.data())
def test_partial_lengths_anywhere_in_content_and_chunks(data: st.DataObject) -> None:
    """With small pieces, lengths fall on chunk edges and into them: the reader opens it all."""
    exponent = data.draw(st.integers(9, 14))
    length = data.draw(st.integers(0, 6 * CHUNK) | st.integers(0, 8).map(lambda n: n << exponent))
    cuts = data.draw(st.lists(st.integers(0, length), max_size=4))
    upload, content = Upload(length), octets(length)
    with small_pieces(exponent, CHUNK):
        sealer, file = upload.begin(), [upload.start]
        for part in sliced(content, cuts):
            file += sealer.add(part)
            sealer = upload.resume(sealer.index, sealer.pending)
        sealed = b"".join([*file, *sealer.end()])
        assert reader.read(sealed, SESSION_KEY).content == content
    assert no_nonce_met_two(upload.cipher)


@settings(max_examples=30)
@given(st.integers(9, 13), st.integers(0, 3 * CHUNK))
def test_a_lost_tail_with_partial_lengths(exponent: int, length: int) -> None:
    """Resuming at each chunk's edge alone gives the same file, wherever its lengths lie."""
    upload, content = Upload(length), octets(length)
    with small_pieces(exponent, CHUNK):
        whole = upload.seal(content)
        for index in range(1, upload.layout.chunks + 1):
            sealer = upload.resume(index, Plaintext(b""))
            rest = [*sealer.add(content[sealer.offset :]), *sealer.end()]
            assert whole[: upload.layout.chunk_begins(index)] + b"".join(rest) == whole
    assert no_nonce_met_two(upload.cipher)


# Pieces of 2^exponent octets, and how many of them, that put a chunk's edge behind so many of the
# five octets of the literal packet's last length.
SPLIT_LENGTHS = [
    *((11, 4094, 1), (11, 8188, 3)),  # before content
    *((9, 1022, 1), (9, 1533, 2), (9, 2044, 3), (9, 2555, 4)),  # within the tar's end
]


@pytest.mark.parametrize(("exponent", "pieces", "octets_before"), SPLIT_LENGTHS)
def test_a_chunk_edge_within_the_last_length(
    exponent: int, pieces: int, octets_before: int
) -> None:
    """Where a lost tail puts the file's end between two octets of a length, what is sealed stays."""
    upload = Upload((pieces << exponent) - (1024 if exponent == 11 else 2560))
    content = octets(upload.length)
    with small_pieces(exponent, 1 << (2 * exponent)):
        index, into = divmod(upload.layout.literal.begins_at(pieces << exponent), CHUNK)
        assert into == CHUNK - octets_before
        whole = upload.seal(content)
        assert reader.read(whole, SESSION_KEY).content == content
        sealer = upload.resume(index + 1, Plaintext(b""))
        rest = [*sealer.add(content[sealer.offset :]), *sealer.end()]
        assert whole[: upload.layout.chunk_begins(index + 1)] + b"".join(rest) == whole
    assert no_nonce_met_two(upload.cipher)


def test_a_partial_length_within_the_final_tag() -> None:
    """With 30 chunks and pieces of 512 octets the last length cuts the final tag; it opens."""
    upload = Upload(30 * CHUNK - 20_000)
    content = octets(upload.length)
    with small_pieces(9, CHUNK):
        layout, file = upload.layout, upload.seal(content)
        assert (layout.chunks, layout.data.length % 512) == (30, 3)
        assert reader.read(file, SESSION_KEY).content == content
        end_tag = layout.sealed_end(file[layout.chunk_begins(30) :])
        assert upload.cipher.holds_end(30, layout.plaintext, end_tag)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_chunk_holds_only_in_its_place(index: int) -> None:
    """A chunk authenticates at its index and no other, whole and unchanged."""
    cipher = ChunkCipher(SESSION_KEY, IV)
    sealed = cipher.seal(index, b"content")
    assert [cipher.holds(place, sealed) for place in range(3)] == [n == index for n in range(3)]
    assert not cipher.holds(index, sealed[:-1])
    assert not cipher.holds(index, b"")
    assert not cipher.holds(index, bytes([sealed[0] ^ 1]) + sealed[1:])
    assert not ChunkCipher(bytes(32), IV).holds(index, sealed)


def test_the_final_tag_holds_only_for_its_number_of_chunks_and_octets() -> None:
    """What was cut off at a chunk's edge is noticed by the final tag."""
    cipher = ChunkCipher(SESSION_KEY, IV)
    tag = cipher.seal_end(2, 70_000)
    assert len(tag) == TAG_LENGTH
    assert cipher.holds_end(2, 70_000, tag)
    assert not cipher.holds_end(1, 70_000, tag)
    assert not cipher.holds_end(2, 69_999, tag)
    assert not cipher.holds(2, tag)


def test_a_chunk_of_no_octets_is_not_a_final_tag() -> None:
    """The final tag's associated data is longer, so an empty chunk cannot stand in for it."""
    cipher = ChunkCipher(SESSION_KEY, IV)
    assert not cipher.holds_end(0, 0, cipher.seal(0, b""))


def test_the_index_goes_into_the_low_octets_of_the_nonce() -> None:
    """Nonce = IV with its low eight octets XOR the index, also where they are all ones."""
    ones = b"\xff" * 15
    cipher = RecordingCipher(SESSION_KEY, ones)
    cipher.seal(0, b"")
    cipher.seal(1 << 40, b"")
    assert list(cipher.met) == [ones, b"\xff" * 7 + b"\xff\xff\xfe" + b"\xff" * 5]


def test_a_sealer_can_be_given_views_of_a_buffer() -> None:
    """A buffer that is filled again after `add` changes nothing: what waits is a copy."""
    upload, buffer = Upload(8), bytearray(b"12345678")
    sealer: Sealer = upload.begin()
    sealer.add(memoryview(buffer)[:4])
    buffer[:4] = b"xxxx"
    sealer.add(memoryview(buffer)[4:])
    assert sealer.pending.endswith(b"12345678")


@settings(max_examples=30)
@given(st.integers(9, 14), st.integers(0, 6 * CHUNK))
def test_every_chunk_can_be_read_back_from_the_file(exponent: int, length: int) -> None:
    """What lies between two chunks' begins authenticates as that chunk, lengths taken out."""
    upload = Upload(length)
    with small_pieces(exponent, CHUNK):
        file, layout = upload.seal(octets(length)), upload.layout
        begins = [layout.chunk_begins(index) for index in range(layout.chunks + 1)]
        for index, (begin, end) in enumerate(pairwise(begins)):
            assert layout.whole_chunks(begin) == layout.whole_chunks(end - 1) == index
            assert upload.cipher.holds(index, layout.sealed_chunk(index, file[begin:end]))
        end_tag = layout.sealed_end(file[begins[-1] :])
        assert upload.cipher.holds_end(layout.chunks, layout.plaintext, end_tag)
