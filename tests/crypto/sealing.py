"""Whole files sealed by crypto/, for the tests that open them, and what opens them."""

import datetime as dt
import hashlib
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import crypto.framing
import tests.reader
from crypto.archive import Entry, encode_head
from crypto.layout import Layout
from crypto.seal import ChunkCipher, Plaintext, Sealer, data_header, first_plaintext

SESSION_KEY = bytes(range(32))
IV = bytes(range(100, 115))
# A session key for nobody: programs skip it, and take the key that the test gives them.
PKESK = bytes([0xC1, 13, 3]) + bytes(8) + bytes([1, 0, 1, 1])
MODIFIED = 1_700_000_000_123


class RecordingCipher(ChunkCipher):
    """A cipher that remembers which plaintexts met each nonce."""

    def __init__(self, session_key: bytes, iv: bytes) -> None:
        super().__init__(session_key, iv)
        self.met: dict[bytes, set[bytes]] = {}

    def seal(self, index: int, plaintext: bytes | bytearray | memoryview) -> bytes:
        self._remember(index, plaintext)
        return super().seal(index, plaintext)

    def seal_end(self, chunks: int, total: int) -> bytes:
        self._remember(chunks, b"end of " + total.to_bytes(8))
        return super().seal_end(chunks, total)

    def _remember(self, index: int, plaintext: bytes | bytearray | memoryview) -> None:
        digest = hashlib.blake2b(plaintext, digest_size=16).digest()
        self.met.setdefault(self._nonce(index), set()).add(digest)


@dataclass(frozen=True)
class Upload:
    """One upload: what is known of it, and its keys. `seal` gives its whole file."""

    length: int
    path: str = "clip.mp4"
    pkesks: bytes = PKESK
    session_key: bytes = SESSION_KEY
    iv: bytes = IV
    modified: int | None = MODIFIED
    cipher: RecordingCipher = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cipher", RecordingCipher(self.session_key, self.iv))

    @property
    def entry(self) -> Entry:
        """What the source's program said of the file."""
        return Entry(
            self.path, self.modified, dt.date(2023, 11, 15), None, "a" * 26, "quiet harbour"
        )

    @property
    def head(self) -> bytes:
        """The tar head."""
        return encode_head(self.entry, self.length)

    @property
    def layout(self) -> Layout:
        """Where everything lies."""
        return Layout(len(self.pkesks), len(self.head), self.length)

    @property
    def start(self) -> bytes:
        """What the file begins with, before its first chunk."""
        return self.pkesks + data_header(self.layout, self.iv)

    def begin(self) -> Sealer:
        """A sealer before the first octet of content."""
        return Sealer(self.cipher, self.layout, 0, first_plaintext(self.layout, self.head))

    def resume(self, index: int, pending: Plaintext) -> Sealer:
        """A sealer of another request, which has only what file and tail hold."""
        return Sealer(self.cipher, self.layout, index, pending)

    def seal(self, content: bytes, cuts: Iterable[int] = ()) -> bytes:
        """The whole file; the content is added in pieces that end at `cuts`."""
        sealer = self.begin()
        sealed = [piece for part in sliced(content, cuts) for piece in sealer.add(part)]
        return b"".join([self.start, *sealed, *sealer.end()])

    def edges(self) -> list[int]:
        """The content offsets at which a chunk is full."""
        sizes = range(self.layout.chunks + 1)
        offsets = {self.layout.offset_at(index * crypto.layout.CHUNK) for index in sizes}
        return sorted(offsets - {0, self.length})


def sliced(content: bytes, cuts: Iterable[int]) -> Iterator[bytes]:
    """Slice content at some offsets."""
    at = 0
    for cut in sorted(cuts):
        yield content[at:cut]
        at = cut
    yield content[at:]


def octets(length: int) -> bytes:
    """Content in which no two chunks are alike and nothing is zero for long."""
    return b"".join(number.to_bytes(8) for number in range(1, length // 8 + 2))[:length]


def gpg_with_key(sealed: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Open a file with GnuPG, the session key given to it by hand; the caller judges."""
    key = f"9:{SESSION_KEY.hex()}"
    command = ["gpg", "--batch", "--no-options", "--no-keyring", "--quiet"]
    command += ["--override-session-key", key, *arguments, "--decrypt"]
    return subprocess.run(command, input=sealed, capture_output=True, check=False, timeout=60)


def tar_x(tar: bytes, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Unpack as the staff do."""
    command = ["tar", "--directory", str(folder), "--extract"]
    return subprocess.run(command, input=tar, capture_output=True, check=False, timeout=60)


@contextmanager
def small_pieces(exponent: int, limit: int | None = None) -> Iterator[None]:
    """Let packets have pieces of 2^exponent octets, in our writer and in the second reader.

    Bodies below `limit` have one definite length; the padding packet must stay below it.
    """
    values = {"PIECE": 1 << exponent, "DEFINITE_LIMIT": limit or 4 << exponent}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setattr(crypto.framing, name, value)
            patch.setattr(tests.reader, name, value)
        patch.setattr(crypto.framing, "_PARTIAL_LENGTH", bytes([224 + exponent]))
        patch.setattr(tests.reader, "PARTIAL_LENGTH", 224 + exponent)
        yield
