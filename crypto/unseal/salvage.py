"""What holds of an upload whose end is not there (docs/format.md, "Salvage").

    what GnuPG wrote, but for the chunk it failed at  ·  what the tail beside it holds

GnuPG writes out the chunk it fails at, unauthenticated, and no chunk behind it; 2.2.40 and 2.4.7 alike,
tried at every kind of edge. So of T octets of tar all is authentic up to the last chunk's edge below T.
"""

from collections.abc import Iterator

from crypto.framing import DEFINITE_LIMIT, Framing
from crypto.layout import CHUNK, LITERAL_HEADER, Layout
from crypto.unseal.errors import DamagedError
from crypto.unseal.gnupg import Running
from crypto.unseal.sealed import SealedFile, Shape, read_errors
from crypto.unseal.tail import TAIL_LENGTH, NoLibgcryptError, open_tail

_HELD_BACK = 2 * CHUNK
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
        held, given = bytearray(), 0
        for block in self._gnupg.blocks():
            held += block
            free = len(held) - _HELD_BACK
            if free > 0:
                if given + free > self._edge(self._chunks):
                    # A compressed packet inside: it could fill the disk.
                    raise DamagedError(why="GnuPG gave more than there is")
                yield memoryview(bytes(held[:free]))
                del held[:free]
                given += free
        self._gnupg.ended()
        end = self._authentic(given + len(held))
        if end < given:
            raise DamagedError(why="GnuPG gave more than there is")
        yield memoryview(bytes(held[: end - given]))
        if end == self._edge(self._chunks) and not self.damaged:
            yield memoryview(self._tail())

    def require_all(self, kept: int, *, salvage_damaged: bool) -> None:
        """Check that every whole chunk opened. Raises DamagedError, unless that may be salvaged."""
        layout = self.layout
        if layout and not self._is_all_of(layout):
            self.damaged |= kept < layout.offset_at(self._chunks * CHUNK)
        if self.damaged and not salvage_damaged:
            raise DamagedError(why="a chunk in its middle does not authenticate")

    def words(self, all_of_it: bool) -> str:  # noqa: FBT001
        """Say how it came about."""
        end = "all of the content is here; the end of the sealed file is not" if all_of_it else ""
        return "; ".join(filter(None, (end, self.note)))

    def _is_all_of(self, layout: Layout) -> bool:
        """Tell whether GnuPG failed behind the content: then it does not show at which chunk."""
        return self._gnupg.octets == layout.literal.length - LITERAL_HEADER

    def _authentic(self, written: int) -> int:
        """How many octets of the tar are authentic if GnuPG wrote so many before it failed."""
        chunk = written // CHUNK + 1
        while chunk and self._edge(chunk) >= written:
            chunk -= 1
        # invariant: what is behind the last whole chunk never authenticated.
        return self._edge(chunk if self.damaged else min(chunk, self._chunks))

    def _edge(self, chunk: int) -> int:
        """Where in the tar a chunk begins."""
        literal = _LONG if self._gnupg.report.length is None else _SHORT
        if self.layout:
            literal = self.layout.literal
        return max(0, literal.holds(chunk * CHUNK) - LITERAL_HEADER)

    def _tail(self) -> bytes:
        """Give the octets of the tar that the tail holds."""
        key, tail = self._gnupg.report.session_key, self._sealed.tail
        if key is None or tail is None:
            return b""
        with read_errors(tail, "its tail: "), tail.open("rb") as file:
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
