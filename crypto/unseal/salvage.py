"""What holds of an upload whose end is not there (docs/format.md, "Salvage").

    what GnuPG wrote, but for the last 64 KiB  ·  what the tail beside it holds

GnuPG writes out the chunk it fails at, unauthenticated; so the last 64 KiB are dropped, and of a file
that is only cut never more is taken than its whole chunks hold.
"""

from collections.abc import Iterator

from crypto.framing import DEFINITE_LIMIT, Framing
from crypto.layout import CHUNK, LITERAL_HEADER, Layout
from crypto.unseal.content import all_but_last
from crypto.unseal.errors import DamagedError
from crypto.unseal.gnupg import Running
from crypto.unseal.sealed import SealedFile, Shape
from crypto.unseal.tail import TAIL_LENGTH, NoLibgcryptError, open_tail

_UNTRUSTED = CHUNK
_SURE = CHUNK - 12  # octets of the tar in the first chunk, whatever its lengths look like
_LITERAL = 11
_PARTIAL = 0xFE
_LONG, _SHORT = Framing(_LITERAL, 1 << 40), Framing(_LITERAL, DEFINITE_LIMIT - 1)


class Rest:
    """The authentic beginning of one upload. Set `layout` once the head is known."""

    def __init__(self, sealed: SealedFile, shape: Shape, gnupg: Running, *, damaged: bool) -> None:
        self.layout: Layout | None = None
        self.damaged = damaged
        self.note = "" if sealed.tail is None else "its tail was not used"
        self._sealed, self._gnupg = sealed, gnupg
        self._chunks = shape.full_chunks

    def tar(self) -> Iterator[memoryview]:
        """Give the beginning of the tar, as much as is authentic."""
        given = 0
        for block in all_but_last(self._gnupg.blocks(), _UNTRUSTED):
            # invariant: what is behind the last whole chunk never authenticated.
            for part in _apart(block, first=given == 0):
                piece = part if self.damaged else part[: max(0, self._in_chunks() - given)]
                given += len(piece)
                yield piece
        self._gnupg.ended()
        if given == self._in_chunks() and not self.damaged:
            yield memoryview(self._tail())

    def require_all(self, kept: int, *, salvage_damaged: bool) -> None:
        """Check that every whole chunk opened. Raises DamagedError, unless that may be salvaged."""
        if self.layout and kept < self.layout.offset_at(self._chunks * CHUNK):
            self.damaged = True
        if self.damaged and not salvage_damaged:
            raise DamagedError(why="a chunk in its middle does not authenticate")

    def _in_chunks(self) -> int:
        """How many octets of the tar lie in the whole chunks."""
        if self._chunks == 0:
            return 0
        literal = self.layout.literal if self.layout else _SHORT
        return max(0, literal.holds(self._chunks * CHUNK) - LITERAL_HEADER)

    def _tail(self) -> bytes:
        """Give the octets of the tar that the tail holds."""
        key, tail = self._gnupg.report.session_key, self._sealed.tail
        if key is None or tail is None:
            return b""
        with tail.open("rb") as file:
            octets = file.read(TAIL_LENGTH + 1)
        try:
            opened = open_tail(octets, key, self._chunks)
        except NoLibgcryptError:
            self.note = "its tail could not be opened: this machine has no libgcrypt"
            return b""
        if opened is None:
            self.note = "its tail is damaged, or of another moment: fetch both files again"
            return b""
        self.note = "its tail was added"
        return _tar_in(opened, self._chunks * CHUNK, self.layout)


def _apart(block: memoryview, *, first: bool) -> Iterator[memoryview]:
    """Split the first block behind the head, so that `layout` is known for what follows."""
    yield from (block[:_SURE], block[_SURE:]) if first else (block,)


def _tar_in(framed: bytes, begins: int, layout: Layout | None) -> bytes:
    """Drop the literal packet's tag, lengths and fields from octets of the plaintext."""
    literal = layout.literal if layout else _LONG if framed[1:2] == bytes([_PARTIAL]) else _SHORT
    held = [literal.holds(begins + at) for at in range(len(framed) + 1)]
    body = bytes(
        octet
        for octet, before, after in zip(framed, held, held[1:], strict=False)
        if after > before
    )
    return body[max(0, LITERAL_HEADER - held[0]) :]
