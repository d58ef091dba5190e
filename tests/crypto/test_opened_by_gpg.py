"""Promise 3: stock GnuPG and tar open what we seal, and GnuPG refuses what was changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.layout import CHUNK
from crypto.seal import Plaintext
from crypto.session_key import NewMessageKeys, SessionKeyMaker
from tests import reader
from tests.crypto.keys.making import Ngo
from tests.crypto.sealing import SESSION_KEY, Upload, gpg_with_key, octets, small_pieces, tar_x

BEGINS = Upload(0).layout.content_begins
LITERAL_HEADER = 12  # octets of plaintext before the tar: tag, five of length, six of fields
BOUNDARY_LENGTHS = [
    *(0, 1, CHUNK - 1, CHUNK, CHUNK + 1),
    *(2 * CHUNK - BEGINS + d for d in (-1, 0, 1)),
    *(2 * CHUNK - BEGINS - 1024 - d for d in (0, 5, 6, 7)),
    5 * CHUNK + 777,
]
# Behind a file that was cut off: what GnuPG needs to get past the chunks that are whole.
ZEROS = bytes(2 * CHUNK)


@pytest.fixture(scope="module")
def keys(ngo: Ngo, tmp_path_factory: pytest.TempPathFactory) -> NewMessageKeys:
    """A session key for the NGO, made as the service makes it."""
    home = tmp_path_factory.mktemp("empty")
    home.chmod(0o700)
    return SessionKeyMaker("gpg", home, [ngo.certificate]).make()


@pytest.fixture
def upload_for(keys: NewMessageKeys) -> Callable[..., Upload]:
    """Make uploads that are sealed to the NGO."""

    def make(length: int, path: str = "clip.mp4") -> Upload:
        return Upload(length, path, keys.pkesks, keys.session_key)

    return make


def tar_of(upload: Upload, content: bytes) -> bytes:
    """What GnuPG should give out: the whole tar."""
    return upload.head + content + bytes(upload.layout.archive_end)


@pytest.mark.parametrize("length", BOUNDARY_LENGTHS)
def test_gpg_and_tar_give_the_same_bytes_under_the_same_name(
    ngo: Ngo, upload_for: Callable[..., Upload], length: int, tmp_path: Path
) -> None:
    """`gpg -d FILE | tar x` at every boundary length, sealed in appends on and off the edges."""
    upload, content = upload_for(length, "папка/видео 1.mp4"), octets(length)
    sealed = upload.seal(content, range(CHUNK - 7, length, CHUNK // 2 + 1))
    opened = ngo.gpg("--status-fd", "2", "--decrypt", given=sealed)
    assert opened.returncode == 0
    assert {b"[GNUPG:] DECRYPTION_OKAY", b"[GNUPG:] GOODMDC"} <= set(opened.stderr.splitlines())
    assert tar_x(opened.stdout, tmp_path).returncode == 0
    assert (tmp_path / "папка" / "видео 1.mp4").read_bytes() == content


@pytest.mark.parametrize("exponent", [9, 12, 14])
@pytest.mark.parametrize("length", [CHUNK - 3300, CHUNK, 4 * CHUNK + 1, 20 * CHUNK])
def test_gpg_opens_partial_lengths(
    ngo: Ngo, upload_for: Callable[..., Upload], exponent: int, length: int
) -> None:
    """Partial lengths as in a file of 4 GiB and more, but in small pieces, in one packet or both."""
    upload, content = upload_for(length), octets(length)
    with small_pieces(exponent, CHUNK):
        sealed = upload.seal(content, range(1000, length, CHUNK - 3))
        assert sealed.count(bytes([224 + exponent])) > 1
    opened = ngo.gpg("--decrypt", given=sealed)
    assert (opened.returncode, opened.stdout) == (0, tar_of(upload, content))


# --- what was changed -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole() -> tuple[Upload, bytes, bytes]:
    """A file of four chunks, its tar and itself, under a session key that the tests know."""
    upload = Upload(3 * CHUNK + 100)
    content = octets(upload.length)
    return upload, tar_of(upload, content), upload.seal(content)


def flipped(sealed: bytes, bit: int) -> bytes:
    """Change one bit."""
    changed = bytearray(sealed)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def common(one: bytes, other: bytes) -> int:
    """How many octets two strings begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def test_gpg_refuses_every_changed_bit_of_the_packets_beginning() -> None:
    """Lengths, version, cipher, mode, chunk size and IV: no bit of them can change unseen."""
    upload = Upload(100)
    sealed = upload.seal(octets(100))
    tag = 8 * len(upload.pkesks)
    for bit in range(tag + 8, 8 * upload.layout.chunk_begins(0) + 16):
        assert gpg_with_key(flipped(sealed, bit)).returncode != 0, bit - tag


def test_gpg_gives_nothing_when_the_packets_tag_changed(tmp_path: Path) -> None:
    """Some other tags make GnuPG pass over the packet: nothing comes out, and tar refuses that."""
    upload = Upload(100)
    sealed = upload.seal(octets(100))
    for bit in range(8):
        opened = gpg_with_key(flipped(sealed, 8 * len(upload.pkesks) + bit))
        assert opened.stdout == b""
        assert opened.returncode != 0 or tar_x(opened.stdout, tmp_path).returncode != 0


def test_gpg_refuses_a_changed_bit_in_any_chunk(whole: tuple[Upload, bytes, bytes]) -> None:
    """Bits all over the file and at every edge: GnuPG fails, and stops with the damaged chunk.

    It gives that chunk out; only what comes before the last 64 KiB of its output is sound.
    """
    upload, tar, sealed = whole
    begins = [upload.layout.chunk_begins(index) for index in range(upload.layout.chunks + 1)]
    edges = {begin + d for begin in begins for d in (-17, -16, -1, 0, 1) if begin + d >= begins[0]}
    for octet in sorted(edges | set(range(begins[0], len(sealed), 7001)) | {len(sealed) - 1}):
        index = upload.layout.whole_chunks(octet)
        opened = gpg_with_key(flipped(sealed, 8 * octet + octet % 8))
        assert opened.returncode != 0
        end = min((index + 1) * CHUNK - LITERAL_HEADER, len(tar))
        assert len(opened.stdout) <= end
        assert common(opened.stdout, tar) >= end - CHUNK


def cuts(upload: Upload) -> list[int]:
    """File lengths at and around every chunk's edge, and some between."""
    begins = [upload.layout.chunk_begins(index) for index in range(upload.layout.chunks + 1)]
    around = {begin + d for begin in begins for d in (-1, 0, 1, 15, 16, 17, 31, 32, 33, 30_000)}
    whole = around | {0, 1, len(upload.pkesks), len(upload.pkesks) + 3}
    return sorted(cut for cut in whole if cut < upload.layout.file_length)


def test_gpg_refuses_a_file_that_was_cut_off_anywhere(whole: tuple[Upload, bytes, bytes]) -> None:
    """Cut off at an edge or between, GnuPG fails; all it gave but its last 64 KiB is right.

    Where not even the encrypted data begins it gives nothing, and calls that no failure.
    """
    upload, tar, sealed = whole
    for cut in cuts(upload):
        opened = gpg_with_key(sealed[:cut])
        assert opened.returncode != 0 or opened.stdout == b""
        assert common(opened.stdout, tar) >= len(opened.stdout) - CHUNK


def test_gpg_salvages_every_whole_chunk(whole: tuple[Upload, bytes, bytes]) -> None:
    """docs/format.md, "Salvage": zeros behind the file, and the last chunk of the output away."""
    upload, tar, sealed = whole
    for cut in cuts(upload):
        chunks = upload.layout.whole_chunks(cut)
        if chunks in {0, upload.layout.chunks}:
            continue
        opened = gpg_with_key(sealed[:cut] + ZEROS)
        assert opened.returncode != 0
        salvaged = opened.stdout[:-CHUNK]
        assert salvaged == tar[: len(salvaged)]
        assert len(salvaged) == min(chunks * CHUNK - LITERAL_HEADER, len(tar) - CHUNK)


def test_tar_writes_what_was_salvaged(whole: tuple[Upload, bytes, bytes], tmp_path: Path) -> None:
    """The beginning of the content stands on disk under its name, and tar says that it ended."""
    upload, _, sealed = whole
    cut = upload.layout.chunk_begins(2) + 5
    done = tar_x(gpg_with_key(sealed[:cut] + ZEROS).stdout[:-CHUNK], tmp_path)
    salvaged = (tmp_path / "clip.mp4").read_bytes()
    assert done.returncode != 0
    assert salvaged == octets(upload.length)[: len(salvaged)]
    assert len(salvaged) > upload.layout.offset_at(2 * CHUNK) - 10_240  # tar writes whole records


def test_an_upload_that_was_never_finished_is_salvaged_by_the_second_reader() -> None:
    """The same from the format alone: every chunk that is whole, and no octet more."""
    upload, content = Upload(3 * CHUNK + 100), octets(3 * CHUNK + 100)
    sealed = upload.seal(content)
    for cut in cuts(upload):
        chunks = upload.layout.whole_chunks(cut)
        if chunks == 0:
            continue
        salvaged = reader.read_partial(sealed[:cut], SESSION_KEY)
        assert (salvaged.chunks, salvaged.length) == (chunks, upload.length)
        assert salvaged.content == content[: upload.layout.offset_at(chunks * CHUNK)]


def test_chunks_of_two_uploads_do_not_mix(whole: tuple[Upload, bytes, bytes]) -> None:
    """A chunk of another upload, or of this one at another place, does not authenticate."""
    upload, _, sealed = whole
    first, second, third = (upload.layout.chunk_begins(index) for index in range(3))
    swapped = sealed[:first] + sealed[second:third] + sealed[first:second] + sealed[third:]
    other = Upload(upload.length, iv=bytes(15)).seal(octets(upload.length))
    mixed = sealed[:second] + other[second:third] + sealed[third:]
    for damaged in (swapped, mixed):
        assert gpg_with_key(damaged).returncode != 0
        with pytest.raises(reader.ChunkError):
            reader.read(damaged, SESSION_KEY)


def test_a_chunk_missing_at_the_end_is_noticed() -> None:
    """An end moved up to an earlier chunk is not the end: the final tag counts the chunks."""
    upload = Upload(2 * CHUNK)
    sealer = upload.begin()
    sealer.add(octets(upload.length))
    end = list(upload.resume(sealer.index, Plaintext(sealer.pending)).end())[-1]
    sealed = upload.seal(octets(upload.length))
    shorter = sealed[: upload.layout.chunk_begins(upload.layout.chunks - 1)] + end
    assert gpg_with_key(shorter).returncode != 0
    with pytest.raises(reader.FramingError):
        reader.read(shorter, SESSION_KEY)
