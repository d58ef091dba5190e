"""The tail: what is not a full chunk yet survives a restart, and only in its place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.layout import CHUNK
from crypto.seal import Plaintext, Sealed
from crypto.tail import TailCipher
from tests import reader
from tests.crypto.sealing import SESSION_KEY, Upload, octets

LENGTH = 12 + 12 + CHUNK + 16
LENGTHS = [0, 1, 511, CHUNK - 2, CHUNK - 1]


@pytest.fixture(scope="module")
def tails() -> TailCipher:
    """The tails of one upload."""
    return TailCipher(SESSION_KEY)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("index", [0, 1, 1 << 40])
def test_a_tail_gives_back_what_it_holds(tails: TailCipher, index: int, length: int) -> None:
    """The pending octets of a chunk come back exactly, zeros at their end included."""
    for pending in (octets(length), bytes(length)):
        assert tails.open(index, tails.seal(index, Plaintext(pending))) == pending


@pytest.mark.parametrize("length", LENGTHS)
def test_every_tail_has_the_same_length(tails: TailCipher, length: int) -> None:
    """How much of a chunk has arrived does not show at rest."""
    assert len(tails.seal(3, Plaintext(octets(length)))) == LENGTH


def test_a_stale_tail_is_ignored(tails: TailCipher) -> None:
    """A tail of a chunk that the file already holds, or does not reach, is as good as none."""
    sealed = tails.seal(3, Plaintext(b"pending"))
    assert [tails.open(index, sealed) for index in (2, 4, 3 + (1 << 32))] == [None] * 3


@settings(max_examples=200)
@given(st.integers(0, LENGTH * 8 - 1))
def test_a_changed_bit_is_ignored(bit: int) -> None:
    """A tail that was torn or changed in any bit counts as none: the client sends it again."""
    tails = TailCipher(SESSION_KEY)
    sealed = bytearray(tails.seal(3, Plaintext(b"pending")))
    sealed[bit // 8] ^= 1 << bit % 8
    assert tails.open(3, Sealed(bytes(sealed))) is None


@given(st.integers(0, LENGTH - 1))
def test_a_tail_cut_short_is_ignored(length: int) -> None:
    """A tail that power loss cut off anywhere, even to nothing, counts as none."""
    tails = TailCipher(SESSION_KEY)
    assert tails.open(3, Sealed(tails.seal(3, Plaintext(b"pending"))[:length])) is None


def test_a_longer_tail_is_ignored(tails: TailCipher) -> None:
    """Octets behind the tail are not passed over."""
    assert tails.open(3, Sealed(tails.seal(3, Plaintext(b"pending")) + b"\0")) is None


def test_another_uploads_tail_is_ignored(tails: TailCipher) -> None:
    """A tail put beside another upload does not authenticate: the session key is another."""
    assert TailCipher(bytes(32)).open(3, tails.seal(3, Plaintext(b"pending"))) is None


def test_each_tail_has_a_fresh_nonce(tails: TailCipher) -> None:
    """The same pending octets sealed a thousand times never meet the same nonce."""
    sealed = [tails.seal(3, Plaintext(b"pending")) for _ in range(1000)]
    assert len({tail[:12] for tail in sealed}) == 1000
    assert len({tail[12:] for tail in sealed}) == 1000


@pytest.mark.parametrize("cut", [0, 1, 300, CHUNK, 2 * CHUNK, 2 * CHUNK + 99])
def test_the_second_reader_finds_what_the_tail_holds(cut: int) -> None:
    """From file and tail, a reader of docs/format.md alone salvages every octet that arrived."""
    upload, content = Upload(2 * CHUNK + 100), octets(2 * CHUNK + 100)
    sealer = upload.begin()
    file = upload.start + b"".join(sealer.add(content[:cut]))
    tail = TailCipher(SESSION_KEY).seal(sealer.index, sealer.pending)
    salvaged = reader.read_partial(file, SESSION_KEY, tail)
    assert (salvaged.name, salvaged.length) == ("clip.mp4", len(content))
    assert salvaged.content == content[:cut]


def test_the_second_reader_ignores_a_stale_tail() -> None:
    """A tail that a crash left from an earlier chunk adds nothing."""
    upload, content = Upload(2 * CHUNK), octets(2 * CHUNK)
    sealer = upload.begin()
    tail = TailCipher(SESSION_KEY).seal(sealer.index, sealer.pending)
    file = upload.start + b"".join(sealer.add(content))
    salvaged = reader.read_partial(file, SESSION_KEY, tail)
    assert salvaged.content == content[: upload.layout.offset_at(2 * CHUNK)]
