"""Sealing a plain form's file, whose length nobody knows until it has ended.

A browser's form does not say how long its files are, but the tar head must. So the first
chunk waits in memory and is written last. Below 4 GiB every other chunk lies in the same
place whatever the length turns out to be (docs/format.md, "Positions").
"""

from collections.abc import Callable
from dataclasses import dataclass

from crypto.framing import DEFINITE_LIMIT
from crypto.layout import CHUNK, Layout
from crypto.seal import ChunkCipher, Sealed, Sealer, data_header, first_plaintext

MAX_UNSIZED = DEFINITE_LIMIT - (1 << 27)  # octets of content: with padding still below 2^32


@dataclass(frozen=True, slots=True)
class Ending:
    """The last octets of a sealed file: `rest` goes to its end, then `start` to its beginning."""

    start: Sealed
    rest: list[Sealed]


class UnsizedSealer:
    """Seals content of unknown length under fresh keys, in one go.

    invariant: chunk 0 is sealed by `end` alone, once the head is known.
    """

    def __init__(
        self, session_key: bytes, iv: bytes, pkesks: bytes, encode_head: Callable[[int], bytes]
    ) -> None:
        """Take what a message begins with; `encode_head(length)` is as long for every length."""
        self._cipher = ChunkCipher(session_key, iv)
        self._iv, self._pkesks, self._encode_head = iv, pkesks, encode_head
        self._head = len(encode_head(0))
        self._first = bytearray()
        self._room = CHUNK - self._layout(0).content_begins
        self._sealer = Sealer(self._cipher, self._layout(MAX_UNSIZED), 1, b"")
        self._later = 0

    @property
    def length(self) -> int:
        """How many octets of content were added."""
        return len(self._first) + self._later

    @property
    def start_length(self) -> int:
        """How many octets `Ending.start` has if there is a second chunk: where that one begins."""
        return self._layout(MAX_UNSIZED).chunk_begins(1)

    def add(self, content: bytes) -> list[Sealed]:
        """Take the next content; give the chunks, from the second on, that are full now.

        The caller keeps `length` at most MAX_UNSIZED.
        """
        room = self._room - len(self._first)
        self._first += content[:room]
        self._later += len(content[room:])
        return self._sealer.add(memoryview(content)[room:])

    def end(self) -> Ending:
        """Give what is left to write."""
        layout = self._layout(self.length)
        plaintext = first_plaintext(layout, self._encode_head(self.length)) + bytes(self._first)
        header = [Sealed(self._pkesks), data_header(layout, self._iv)]
        if len(plaintext) < CHUNK:
            whole = Sealer(self._cipher, layout, 0, plaintext).end()
            return Ending(Sealed(b"".join([*header, *whole])), [])
        start = Sealed(b"".join([*header, Sealed(self._cipher.seal(0, plaintext))]))
        last = Sealer(self._cipher, layout, self._sealer.index, self._sealer.pending)
        return Ending(start, list(last.end()))

    def _layout(self, length: int) -> Layout:
        return Layout(len(self._pkesks), self._head, length)
