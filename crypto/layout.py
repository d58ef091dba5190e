"""Where everything lies in a sealed file: a pure mapping (docs/format.md, "Positions").

    content offset -> tar -> literal data packet -> encrypted data packet -> file position

All of it follows from three lengths that never change once an upload exists, so the
offset of an upload is read off its file's size, and no table can disagree with it.
"""

from dataclasses import dataclass
from functools import cached_property

from crypto.framing import Framing

CHUNK = 1 << 16  # octets of plaintext under one authentication tag (LibrePGP 5.16, chunk octet 10)
TAG_LENGTH = 16
SEALED_CHUNK = CHUNK + TAG_LENGTH
DATA_HEADER = 19  # version, cipher, AEAD, chunk octet and 15 octets of IV
LITERAL_HEADER = 6  # format, empty name, date
MAX_CONTENT = (1 << 38) - (1 << 20)  # beyond it the padding packet would need partial lengths

_LITERAL, _ENCRYPTED_DATA, _PADDING = 11, 20, 21
_PADDING_HEADER = 6
_SMALLEST_PLAINTEXT = 4096
_BLOCK = 512


def padme(length: int) -> int:
    """Round up to a Padmé size, so that at most O(log log length) bits of it show.

    Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
    PURBs" (PoPETs 2019), algorithm 1: overhead at most 12 %, falling with the length.
    """
    exponent = length.bit_length() - 1
    mantissa = exponent.bit_length()
    mask = (1 << max(0, exponent - mantissa)) - 1
    return (length + mask) & ~mask


@dataclass(frozen=True)
class Layout:
    """The positions in one sealed file.

    `prefix`: octets of the PKESK packets; `head`: octets of the tar head; `length`: octets
    of content, at most MAX_CONTENT (ValueError beyond).
    """

    prefix: int
    head: int
    length: int

    def __post_init__(self) -> None:
        """Refuse what the format cannot hold."""
        if not 0 <= self.length <= MAX_CONTENT:
            raise ValueError("internal error: content length out of range")
        if self.content_begins > CHUNK:
            raise ValueError("internal error: the head must fit the first chunk")

    @cached_property
    def archive_end(self) -> int:
        """Octets of zeros after the content: up to a whole block, then two empty ones (POSIX)."""
        return -self.length % _BLOCK + 2 * _BLOCK

    @cached_property
    def literal(self) -> Framing:
        """The literal data packet around the tar."""
        return Framing(_LITERAL, LITERAL_HEADER + self.head + self.length + self.archive_end)

    @cached_property
    def plaintext(self) -> int:
        """Octets inside the encryption: a Padmé size, and at least 4 KiB."""
        return padme(max(self.literal.framed_length + _PADDING_HEADER + 1, _SMALLEST_PLAINTEXT))

    @cached_property
    def padding(self) -> Framing:
        """The padding packet that fills the plaintext up (RFC 9580, 5.14)."""
        return Framing(_PADDING, self.plaintext - self.literal.framed_length - _PADDING_HEADER)

    @cached_property
    def chunks(self) -> int:
        """How many chunks the whole plaintext fills, the last one perhaps in part."""
        return -(-self.plaintext // CHUNK)

    @cached_property
    def data(self) -> Framing:
        """The encrypted data packet: header, chunks, final tag."""
        sealed = self.plaintext + self.chunks * TAG_LENGTH + TAG_LENGTH
        return Framing(_ENCRYPTED_DATA, DATA_HEADER + sealed)

    @property
    def file_length(self) -> int:
        """Octets of the complete sealed file."""
        return self.prefix + self.data.framed_length

    @property
    def content_begins(self) -> int:
        """The position of the first content octet in the plaintext."""
        return self.literal.begins_at(LITERAL_HEADER + self.head)

    def chunk_begins(self, index: int) -> int:
        """Give the file position where chunk `index` begins: the file's length with `index` whole.

        For `index` equal to `chunks` it is where the final tag begins.
        """
        tags = min(index, self.chunks) * TAG_LENGTH
        body = DATA_HEADER + min(index * CHUNK, self.plaintext) + tags
        return self.prefix + self.data.begins_at(body)

    def whole_chunks(self, file_length: int) -> int:
        """How many chunks lie whole in the first `file_length` octets of the file."""
        body = self.data.holds(file_length - self.prefix) - DATA_HEADER
        if body >= self.plaintext + self.chunks * TAG_LENGTH:
            return self.chunks
        return max(0, body) // SEALED_CHUNK

    def sealed_chunk(self, index: int, framed: bytes) -> bytes:
        """Drop the packet lengths from the file's octets of chunk `index`."""
        return self.data.unframe(DATA_HEADER + index * SEALED_CHUNK, framed)

    def sealed_end(self, framed: bytes) -> bytes:
        """Drop the packet lengths from the file's octets of the final tag."""
        return self.data.unframe(self.data.length - TAG_LENGTH, framed)

    def offset_at(self, plaintext: int) -> int:
        """How many octets of content lie in the first `plaintext` octets of the plaintext."""
        content = self.literal.holds(plaintext) - LITERAL_HEADER - self.head
        return min(max(0, content), self.length)
