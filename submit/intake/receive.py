"""From a request's body into the sealed file: the only place where content is plaintext.

    body.read -> sealer.add -> file.append

Whatever ends the body (its length, a cut circuit, a stop of the service, a newer request),
what has arrived is kept: whole chunks in the file, the rest in the tail.
"""

from collections.abc import Callable

from crypto.layout import CHUNK
from crypto.seal import ChunkCipher, Sealed, Sealer, first_plaintext
from crypto.tail import TailCipher
from submit.intake.ports import Body
from submit.intake.state import UploadState
from submit.store.errors import DiskFaultError
from submit.store.files import SealedFile

_BATCH = 16  # chunks of padding written at once
_AHEAD = 7 * CHUNK  # taken at once behind a chunk's edge, if so much is there


class Progress:
    """One upload in one request: its file, and the sealer that stands at the file's end.

    invariant: `position` is where the file ends if nobody else has appended, and everything
    below it authenticates.
    """

    def __init__(self, state: UploadState, file: SealedFile, length: int, unsure: int = 1) -> None:
        """Go on where a file of `length` octets and its tail end. Nothing is changed by this.

        So many chunks at its end are `unsure`: they count only up to the first that is not
        authentic.
        """
        self.state = state
        self.file = file
        self._cipher = ChunkCipher(state.session_key, state.iv)
        self._tails = TailCipher(state.session_key)
        self.position = 0
        self._kept: tuple[int, bytes] | None = None  # what the tail holds, and of which chunk
        self.sealer = self._sealer_at(self._sound_chunks(length, unsure))

    @property
    def offset(self) -> int:
        """How many octets of content file and tail hold."""
        return self.sealer.offset

    @property
    def is_whole(self) -> bool:
        """Tell whether all content is there."""
        return self.sealer.offset == self.state.length

    @property
    def tenths(self) -> int:
        """How many whole tenths of the content that is."""
        return 10 * self.sealer.offset // self.state.length if self.state.length else 10

    def mend(self) -> None:
        """Cut off what a crash has left behind the last chunk that holds."""
        # A file with its end keeps it: an older request may be about to call the upload complete.
        if self.file.length() != self.position and not self._is_ended():
            self._cut()

    def receive(self, body: Body, octets: int, beat: Callable[[], None], interval: int) -> int:
        """Seal and append at most `octets` from the body; give how many came.

        `beat` is called for every chunk. At most `unsynced_chunks(interval)` are unsynced at once.
        """
        left, unsynced = octets, 0
        while left and (content := body.read(min(self.sealer.room + _AHEAD, left))):
            left -= len(content)
            if unsynced + len(content) > interval:
                self.file.sync()
                unsynced = 0
            unsynced += len(content)
            chunks = self.sealer.add(content)
            if chunks:
                beat()
                self.position = self.file.append(self.position, chunks)
        return octets - left

    def keep(self) -> None:
        """Make everything that was received durable, the chunk that is not full in the tail."""
        self.file.sync()
        index, pending = self.sealer.index, self.sealer.pending
        if (index, pending) != self._kept and pending != self._before(index):
            self.file.write_tail(self.position, self._tails.seal(index, pending))
            self._kept = index, pending

    def finish(self) -> None:
        """Write everything that follows the content, unless it is there; durable on return."""
        if not self._is_ended():
            self._write_end()
        self.file.sync()

    def read_back(self, sound: int) -> int:
        """Authenticate every chunk from `sound` on, from the disk itself; give how many hold.

        This is the last moment at which a fault can be found while the source still has the
        original. It stops early when a newer request takes over.
        """
        self.file.forget_cached()
        while sound < self.sealer.index and self.file.is_owned() and self._holds(sound):
            sound += 1
        return sound

    def cut_back(self, sound: int) -> None:
        """Keep the first `sound` chunks: the offset is lower now."""
        self.sealer = self._sealer_at(sound)
        self._cut()

    def _cut(self) -> None:
        # A tail of the chunk that comes next was acknowledged. Any other is of a chunk that goes,
        # and must not be there when that chunk's turn comes again.
        self.file.cut(self.position, keep_tail=self._kept is not None)

    def _write_end(self) -> None:
        pieces = []
        for piece in self.sealer.end():
            pieces.append(piece)
            if len(pieces) == _BATCH:
                self.position = self.file.append(self.position, pieces)
                pieces.clear()
        self.position = self.file.append(self.position, pieces)

    def _is_ended(self) -> bool:
        layout = self.state.layout
        if self.sealer.index < layout.chunks:
            return False
        # Only the final tag is left to write, and there is only one way to write it.
        end = b"".join(self.sealer.end())
        return self.file.read(self.position, layout.file_length + 1) == end

    def _sealer_at(self, index: int) -> Sealer:
        self.position = self.state.layout.chunk_begins(index)
        tail = self._tail(index)
        self._kept = None if tail is None else (index, tail)
        pending = self._before(index) if tail is None else tail
        return Sealer(self._cipher, self.state.layout, index, pending)

    def _tail(self, index: int) -> bytes | None:
        if index < self.state.layout.chunks and (sealed := self.file.read_tail()):
            return self._tails.open(index, Sealed(sealed))
        return None

    def _before(self, index: int) -> bytes:
        """Give what chunk `index` holds before any content and without a tail."""
        return first_plaintext(self.state.layout, self.state.head) if index == 0 else b""

    def _sound_chunks(self, length: int, unsure: int) -> int:
        """Give how many chunks stand at the start of the file, the last `unsure` authentic."""
        end = self.state.layout.whole_chunks(length)
        window = range(max(0, end - unsure), end)
        index = next((i for i in window if not self._holds(i)), end)
        while index and not self._holds(index - 1):
            index -= 1
        return index

    def _holds(self, index: int) -> bool:
        layout = self.state.layout
        try:
            framed = self.file.read(layout.chunk_begins(index), layout.chunk_begins(index + 1))
        except DiskFaultError:
            # A sector that cannot be read stays so until it is written anew: this costs a chunk
            # to be sent again, an error would cost the whole upload.
            return False
        return self._cipher.holds(index, layout.sealed_chunk(index, framed))


def unsynced_chunks(interval: int) -> int:
    """Give how many chunks `receive` may have left unsynced at the end of a file.

    `interval` octets (at least one read) and the chunk that was begun before them.
    """
    return interval // CHUNK + 1


class MemoryBody:
    """A body that was read and verified before anything of it is sealed."""

    def __init__(self, content: bytes) -> None:
        """Hold the content."""
        self._rest = memoryview(content)

    def read(self, octets: int) -> bytes:
        """See `Body`."""
        taken, self._rest = self._rest[:octets], self._rest[octets:]
        return bytes(taken)

    def stop_when(self, interrupted: Callable[[], bool]) -> None:
        """See `Body`; nothing is waited for here."""


def read_all(body: Body, octets: int) -> bytes:
    """Read a body of known length into memory; shorter if it was cut."""
    parts = []
    while octets and (part := body.read(min(octets, CHUNK))):
        parts.append(part)
        octets -= len(part)
    return b"".join(parts)
