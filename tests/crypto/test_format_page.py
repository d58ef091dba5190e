"""docs/format.md cannot drift: its figures are computed, and its command lines are run."""

import os
import subprocess
from pathlib import Path

import pytest

from crypto.layout import CHUNK, Layout
from crypto.session_key import NewMessageKeys, SessionKeyMaker
from tests.crypto.keys.making import Ngo
from tests.crypto.sealing import Upload, octets

PAGE = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")
EXAMPLES = [Layout(97, 1536, length) for length in (1, 100_000, 5 << 30)]
ROWS: dict[str, list[int | None]] = {
    "zeros behind the content": [at.archive_end for at in EXAMPLES],
    "literal packet, body": [at.literal.length for at in EXAMPLES],
    "… its pieces of 2^30": [at.literal.pieces for at in EXAMPLES],
    "… framed": [at.literal.framed_length for at in EXAMPLES],
    "content begins in the plaintext at": [at.content_begins for at in EXAMPLES],
    "plaintext": [at.plaintext for at in EXAMPLES],
    "padding packet, body": [at.padding.length for at in EXAMPLES],
    "chunks": [at.chunks for at in EXAMPLES],
    "encrypted data packet, body": [at.data.length for at in EXAMPLES],
    "chunk 0 begins at": [at.chunk_begins(0) for at in EXAMPLES],
    "chunk 1 begins at": [None, *(at.chunk_begins(1) for at in EXAMPLES[1:])],
    "chunk 16,380 begins at": [None, None, EXAMPLES[2].chunk_begins(16_380)],
    "offset with one whole chunk": [at.offset_at(CHUNK) for at in EXAMPLES],
    "offset with 16,384 whole chunks": [None, None, EXAMPLES[2].offset_at(16_384 * CHUNK)],
    "final tag begins at": [at.chunk_begins(at.chunks) for at in EXAMPLES],
    "file": [at.file_length for at in EXAMPLES],
}


@pytest.mark.parametrize("row", ROWS)
def test_the_worked_example_is_what_the_code_computes(row: str) -> None:
    """Each figure under "Positions" is the mapping's own."""
    cells = ["" if figure is None else f" {figure:,}" for figure in ROWS[row]]
    assert f"| {row} |{' |'.join(cells)} |\n" in PAGE


@pytest.fixture(scope="module")
def keys(ngo: Ngo, tmp_path_factory: pytest.TempPathFactory) -> NewMessageKeys:
    """A session key for the NGO."""
    home = tmp_path_factory.mktemp("empty")
    home.chmod(0o700)
    return SessionKeyMaker("gpg", home, [ngo.certificate]).make()


def run(ngo: Ngo, folder: Path, line: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a line of the page in a folder, as the staff would."""
    assert f"    {line}\n" in PAGE
    environment = {**os.environ, "GNUPGHOME": str(ngo.home), "LC_ALL": "C.UTF-8"}
    command = ["sh", "-c", line.replace("FILE", "upload.tar.gpg")]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, check=False, timeout=60
    )


def test_the_line_that_opens_a_file(ngo: Ngo, keys: NewMessageKeys, tmp_path: Path) -> None:
    """Promise 3, word for word."""
    content = octets(3 * CHUNK + 100)
    upload = Upload(len(content), "папка/clip.mp4", keys.pkesks, keys.session_key)
    (tmp_path / "upload.tar.gpg").write_bytes(upload.seal(content))
    assert run(ngo, tmp_path, "gpg -d FILE | tar x").returncode == 0
    assert (tmp_path / "папка" / "clip.mp4").read_bytes() == content


@pytest.mark.parametrize("beyond", [0, 16, 40_000])
def test_the_line_that_salvages_a_file(
    ngo: Ngo, keys: NewMessageKeys, tmp_path: Path, beyond: int
) -> None:
    """All whole chunks of an unfinished upload end on disk, and no octet that is not its own."""
    content = octets(9 * CHUNK)
    upload = Upload(len(content), "clip.mp4", keys.pkesks, keys.session_key)
    cut = upload.layout.chunk_begins(4) + beyond
    (tmp_path / "upload.tar.gpg").write_bytes(upload.seal(content)[:cut])
    line = "(cat FILE; head -c 131072 /dev/zero) | gpg -d | head -c -65536 | tar x"
    assert run(ngo, tmp_path, line).returncode != 0
    salvaged = (tmp_path / "clip.mp4").read_bytes()
    assert salvaged == content[: len(salvaged)]
    # GNU tar writes whole blocks of 512 octets only.
    assert 0 <= upload.layout.offset_at(4 * CHUNK) - len(salvaged) < 512
