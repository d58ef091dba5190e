"""A file of more than 4 GiB, whose lengths come in pieces: opened as a stream, salvaged at their edges."""

import hashlib
import os
from pathlib import Path

import pytest

from crypto.archive import Entry, encode_head
from crypto.layout import CHUNK, Layout
from crypto.seal import ChunkCipher, Sealer, data_header, first_plaintext
from crypto.session_key import NewMessageKeys
from tests.unseal.staff import MODIFIED, RECEIVED, SOURCE, Staff, new_id

LENGTH = (1 << 32) + 777_777
PIECE = 1 << 30
BLOCK = 1 << 20

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def block(number: int) -> bytes:
    """Content of which no two blocks are alike."""
    return number.to_bytes(8) * (BLOCK // 8)


def digest_of(length: int) -> str:
    """The SHA-256 of the first octets of the content."""
    digest = hashlib.sha256()
    for number in range(-(-length // BLOCK)):
        digest.update(block(number)[: length - number * BLOCK])
    return digest.hexdigest()


def seal_into(path: Path, keys: NewMessageKeys, upload: str) -> Layout:
    """Seal a large upload as a stream."""
    head = encode_head(Entry("large.mp4", MODIFIED, RECEIVED, None, upload, SOURCE), LENGTH)
    layout, iv = Layout(len(keys.pkesks), len(head), LENGTH), os.urandom(15)
    cipher = ChunkCipher(keys.session_key, iv)
    sealer = Sealer(cipher, layout, 0, first_plaintext(layout, head))
    with path.open("wb") as file:
        file.write(keys.pkesks + data_header(layout, iv))
        for number in range(-(-LENGTH // BLOCK)):
            octets = block(number)[: LENGTH - number * BLOCK]
            file.writelines(sealer.add(octets))
        file.writelines(sealer.end())
    return layout


def opened(staff: Staff) -> tuple[str, int, str]:
    """Give name, length and SHA-256 of the one file that was opened."""
    (path,) = (p for p in staff.into.glob("*/data/files/*") if p.is_file())
    with path.open("rb") as file:
        return path.name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def test_more_than_four_gibibytes(tmp_path: Path, staff: Staff, keys: NewMessageKeys) -> None:
    """Cut at both sides of an edge of 2^30 octets, every whole chunk is salvaged; whole, all of it."""
    upload = new_id()
    whole = tmp_path / "whole"
    layout = seal_into(whole, keys, upload)
    assert layout.data.pieces
    for edge in (len(keys.pkesks) + 1 + PIECE + d for d in (0, 1, 2, 70_000)):
        stick = tmp_path / f"cut-{edge}"
        stick.mkdir()
        with whole.open("rb") as source, (stick / f"{upload}.tar.gpg").open("wb") as cut:
            os.copy_file_range(source.fileno(), cut.fileno(), edge)
        length = layout.offset_at(layout.whole_chunks(cut_length(stick)) * CHUNK)
        assert staff.open(stick).code == 3
        assert opened(staff) == ("large.mp4.partial", length, digest_of(length))
        (stick / f"{upload}.tar.gpg").unlink()
    stick = tmp_path / "stick"
    stick.mkdir()
    whole.rename(stick / f"{upload}.tar.gpg")
    assert staff.open(stick).code == 0
    assert opened(staff) == ("large.mp4", LENGTH, digest_of(LENGTH))


def cut_length(stick: Path) -> int:
    """Octets of the one sealed file there."""
    (path,) = stick.iterdir()
    return path.stat().st_size
