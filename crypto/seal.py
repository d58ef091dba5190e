"""The sealed stream: content in, sealed chunks out (LibrePGP draft, 5.16; docs/format.md).

Rule 1: a chunk is sealed once. A (session key, nonce) pair never meets two different
        plaintexts: the octets of a chunk that is not full wait in the tail instead.
Rule 2: everything after the content (tar end, padding) is zeros, so that a completion
        which a crash interrupted is repeated with the very same octets.
Rule 3: nothing here remembers anything between two requests but what the file holds.
"""

from collections.abc import Iterator
from typing import NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESOCB3

from crypto.layout import CHUNK, DATA_HEADER, LITERAL_HEADER, SEALED_CHUNK, TAG_LENGTH, Layout

Plaintext = NewType("Plaintext", bytes)
Sealed = NewType("Sealed", bytes)

IV_LENGTH = 15
_PARAMETERS = bytes([1, 9, 2, 10])  # version 1, AES-256, OCB, chunks of 2^16 octets
_ASSOCIATED = bytes([0xD4]) + _PARAMETERS
_LITERAL_FIELDS = b"b\0" + bytes(4)  # binary; no name and no date in the literal packet
_ZEROS = bytes(CHUNK)


class ChunkCipher:
    """Seals and authenticates single chunks under one session key and IV."""

    def __init__(self, session_key: bytes, iv: bytes) -> None:
        """Take the 32 octets of the session key and the 15 of the message's IV."""
        self._aead = AESOCB3(session_key)
        self._iv_start, self._iv_end = iv[:7], int.from_bytes(iv[7:])

    def seal(self, index: int, plaintext: bytes | bytearray | memoryview) -> bytes:
        """Seal chunk `index`."""
        return self._aead.encrypt(self._nonce(index), plaintext, _ASSOCIATED + index.to_bytes(8))

    def seal_end(self, chunks: int, total: int) -> bytes:
        """Give the final tag over the number of chunks and of plaintext octets."""
        return self._aead.encrypt(self._nonce(chunks), b"", self._end_data(chunks, total))

    def holds(self, index: int, sealed: bytes) -> bool:
        """Tell whether `sealed` is chunk `index` as it was sealed."""
        return self._authentic(index, sealed, _ASSOCIATED + index.to_bytes(8))

    def holds_end(self, chunks: int, total: int, sealed: bytes) -> bool:
        """Tell whether `sealed` is the final tag."""
        return self._authentic(chunks, sealed, self._end_data(chunks, total))

    def _authentic(self, index: int, sealed: bytes, associated: bytes) -> bool:
        try:
            self._aead.decrypt(self._nonce(index), sealed, associated)
        except InvalidTag:
            return False
        return True

    def _nonce(self, index: int) -> bytes:
        return self._iv_start + (self._iv_end ^ index).to_bytes(8)

    @staticmethod
    def _end_data(chunks: int, total: int) -> bytes:
        return _ASSOCIATED + chunks.to_bytes(8) + total.to_bytes(8)


class Sealer:
    """Seals the content of one upload, in order, from where the file and its tail end.

    invariant: `index` chunks are sealed; `pending` holds the plaintext of the next one and is
    shorter than a chunk whenever a method has returned.
    """

    def __init__(self, cipher: ChunkCipher, layout: Layout, index: int, pending: bytes) -> None:
        """Go on behind `index` sealed chunks with the `pending` octets of the next."""
        self.layout = layout
        self.index = index
        self._cipher = cipher
        self._pending = bytearray(pending)

    @property
    def offset(self) -> int:
        """How many octets of content this sealer and the file hold."""
        return self.layout.offset_at(self._plain)

    @property
    def pending(self) -> Plaintext:
        """The octets that belong into the tail."""
        return Plaintext(bytes(self._pending))

    @property
    def room(self) -> int:
        """How many octets of content fill the chunk that is not yet full."""
        return CHUNK - len(self._pending)

    @property
    def _plain(self) -> int:
        return self.index * CHUNK + len(self._pending)

    def add(self, content: bytes | memoryview) -> list[Sealed]:
        """Take the next content; give the chunks that are full now, ready for the file."""
        literal, position = self.layout.literal, LITERAL_HEADER + self.layout.head + self.offset
        framed = literal.frame(position, content)
        # A chunk's edge can fall into the five octets of a length: what is sealed already goes.
        return self._seal_full(framed[self._plain - literal.begins_at(position) :])

    def end(self) -> Iterator[Sealed]:
        """Give what follows the content, to the end of the file.

        Call it once all content was added; RuntimeError otherwise.
        """
        if self.offset != self.layout.length:
            raise RuntimeError("internal error: the content is not whole")
        for zeros in self._trailer():
            yield from self._seal_full(zeros)
        if self._pending:
            yield self._seal_next(self._pending)
            self._pending.clear()
        yield self._framed_end()

    def _trailer(self) -> Iterator[bytes | memoryview]:
        """Give the plaintext from the current position to its end: tar end and padding."""
        layout = self.layout
        archived = LITERAL_HEADER + layout.head + layout.length
        begin = layout.literal.begins_at(archived)
        closing = bytes(layout.literal.frame(archived, bytes(layout.archive_end)))
        closing += bytes(layout.padding.frame(0, b"\0"))
        if self._plain < begin + len(closing):
            yield closing[self._plain - begin :]
        while self._plain < layout.plaintext:
            yield _ZEROS[: layout.plaintext - self._plain]

    def _seal_full(self, plaintext: bytes | memoryview) -> list[Sealed]:
        """Seal every chunk that `plaintext` fills; keep the rest pending."""
        view, sealed = memoryview(plaintext), []
        if self._pending:
            room = CHUNK - len(self._pending)
            self._pending += view[:room]
            view = view[room:]
            if len(self._pending) == CHUNK:
                sealed.append(self._seal_next(self._pending))
                self._pending = bytearray()
        while len(view) >= CHUNK:
            sealed.append(self._seal_next(view[:CHUNK]))
            view = view[CHUNK:]
        self._pending += view
        return sealed

    def _seal_next(self, plaintext: bytearray | memoryview) -> Sealed:
        # Nonce safety: `index` moves on here and nowhere back, and the caller writes what is
        # returned only if the file still ends where this chunk begins.
        body = DATA_HEADER + self.index * SEALED_CHUNK
        sealed = self._cipher.seal(self.index, plaintext)
        self.index += 1
        return Sealed(bytes(self.layout.data.frame(body, sealed)))

    def _framed_end(self) -> Sealed:
        layout = self.layout
        tag = self._cipher.seal_end(layout.chunks, layout.plaintext)
        return Sealed(bytes(layout.data.frame(layout.data.length - TAG_LENGTH, tag)))


def data_header(layout: Layout, iv: bytes) -> Sealed:
    """Give the start of the encrypted data packet, up to its first chunk."""
    return Sealed(bytes(layout.data.frame(0, _PARAMETERS + iv)))


def first_plaintext(layout: Layout, head: bytes) -> Plaintext:
    """Give the plaintext before the content: the literal packet's start and the tar head."""
    return Plaintext(bytes(layout.literal.frame(0, _LITERAL_FIELDS + head)))
