"""Open one sealed file: all of it verified, or nothing kept; or what holds of one without its end.

    sealed file -> its shape -> GnuPG -> the tar's head -> the content, hashed -> GnuPG's verdict

Nothing here decides about names: the result lies under the upload's id until `shelf` places it.
"""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crypto.layout import CHUNK, Layout
from crypto.unseal.archive import BLOCK as BLOCK_OF_TAR
from crypto.unseal.archive import Head, Receipt, decode_head, milliseconds
from crypto.unseal.content import Digests, NewFile, Stream, StreamEndedError
from crypto.unseal.errors import (
    CutError,
    DamagedError,
    DiskError,
    NotTheContentError,
    OtherUploadError,
)
from crypto.unseal.gnupg import GnuPG, Running
from crypto.unseal.salvage import Rest
from crypto.unseal.sealed import Feed, SealedFile, Shape, read_errors, read_shape
from crypto.unseal.statuses import OpenedWith

_DECRYPT = ("--output", "-", "--decrypt")
_DECRYPT_PARTIAL = ("--show-session-key", *_DECRYPT)


@dataclass(frozen=True, slots=True)
class Opened:
    """What came out of one sealed file; `staged` holds it. `size` is what the whole file has.

    `kept` < `size`: it is partial. `tail_note`: what became of a partial one's tail.
    """

    sealed: SealedFile
    sealed_sha256: str
    receipt: Receipt
    opened_with: OpenedWith
    staged: Path
    digests: Digests
    kept: int
    size: int
    damaged: bool
    tail_note: str

    @property
    def is_partial(self) -> bool:
        """Tell whether some of it is missing."""
        return self.kept < self.size or self.damaged


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens sealed files into a folder. `count` is told how many sealed octets GnuPG was given."""

    gnupg: GnuPG
    folder: Path
    count: Callable[[int], None]
    salvage_damaged: bool = False

    def open(self, sealed: SealedFile) -> Opened:
        """Open a sealed file. Raises SealedFileError, or RunError; then nothing of it is left."""
        with _reading(sealed.path) as file:
            with read_errors(sealed.path):
                shape = read_shape(file)
            if shape.is_cut:
                return self._salvage(sealed, file, shape, damaged=False)
            try:
                return self._open_whole(sealed, file, shape)
            except DamagedError:
                if not self.salvage_damaged:
                    raise
                return self._salvage(sealed, file, shape, damaged=True)

    def _open_whole(self, sealed: SealedFile, file: int, shape: Shape) -> Opened:
        feed = Feed(file, sealed.path)
        blocks = self._counted(feed.whole())
        with Running(self.gnupg, _DECRYPT, blocks, shape.size) as gnupg:
            stream = Stream(gnupg.blocks())
            try:
                head = _read_head(stream)
                _require_fits(head, shape)
                _require_upload(head, sealed)
                with self._new_file(head) as new:
                    _copy(stream, head.size, new)
                    _require_end(stream, head)
                    opened_with = gnupg.require_good()
                    digests = new.finish(milliseconds(head.receipt), _midnight(head.receipt))
            except StreamEndedError:
                gnupg.require_good()
                raise NotTheContentError(why="a tar that ends early") from None
        return Opened(
            sealed=sealed,
            sealed_sha256=feed.digest(),
            receipt=head.receipt,
            opened_with=opened_with,
            staged=new.path,
            digests=digests,
            kept=head.size,
            size=head.size,
            damaged=False,
            tail_note="",
        )

    def _salvage(self, sealed: SealedFile, file: int, shape: Shape, *, damaged: bool) -> Opened:
        """Keep what authenticates of a file whose end is not there, or that is damaged."""
        feed = Feed(file, sealed.path)
        blocks = self._counted(feed.for_salvage(shape))
        with Running(self.gnupg, _DECRYPT_PARTIAL, blocks, _never_small(shape)) as gnupg:
            rest = Rest(sealed, shape, gnupg, damaged=damaged)
            stream = Stream(rest.tar())
            try:
                head = _read_head(stream)
                rest.layout = _require_may_fit(head, shape)
                _require_upload(head, sealed)
                with self._new_file(head) as new:
                    _copy_some(stream, head.size, new)
                    rest.require_all(new.length, salvage_damaged=self.salvage_damaged)
                    opened_with = gnupg.report.require_key(gnupg.said)
                    digests = new.finish(milliseconds(head.receipt), _midnight(head.receipt))
            except StreamEndedError:
                gnupg.ended()
                gnupg.report.require_key(gnupg.said)
                raise (
                    DamagedError(why="its beginning does not authenticate") if damaged else CutError
                ) from None
        return Opened(
            sealed=sealed,
            sealed_sha256=feed.digest(),
            receipt=head.receipt,
            opened_with=opened_with,
            staged=new.path,
            digests=digests,
            kept=new.length,
            size=head.size,
            damaged=rest.damaged,
            tail_note=rest.words(new.length == head.size),
        )

    def _counted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self.count(len(block))
            yield block

    @contextlib.contextmanager
    def _new_file(self, head: Head) -> Iterator[NewFile]:
        """Begin the file for what comes out; leave nothing of it if an error goes by."""
        new = NewFile(self.folder / head.receipt.upload, head.size)
        try:
            yield new
        except BaseException:
            new.discard()
            raise


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[int]:
    with read_errors(path):
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield file
    except OSError as error:
        # What is read is seen to where it is read: this is our own disk, or GnuPG's pipes.
        raise DiskError(where=path, why=error.strerror) from None
    finally:
        os.close(file)


def _read_head(stream: Stream) -> Head:
    """Read up to where the content begins."""
    octets = b""
    while True:
        more = stream.read(BLOCK_OF_TAR)
        octets += more
        if not more:
            raise StreamEndedError
        if head := decode_head(octets):
            stream.put_back(octets[head.length :])
            return head


def _require_fits(head: Head, shape: Shape) -> None:
    """Refuse a size that the sealed file cannot hold, before anything is written (LESSONS 37)."""
    if _layout(head, shape).file_length != shape.size:
        raise NotTheContentError(why="its lengths do not fit the sealed file")


def _require_may_fit(head: Head, shape: Shape) -> Layout:
    layout = _layout(head, shape)
    if shape.declared not in {None, layout.file_length} or shape.size > layout.file_length:
        raise NotTheContentError(why="its lengths do not fit the sealed file")
    return layout


def _layout(head: Head, shape: Shape) -> Layout:
    try:
        return Layout(shape.prefix, head.length, head.size)
    except ValueError:
        raise NotTheContentError(why="a size that no sealed file has") from None


def _require_upload(head: Head, sealed: SealedFile) -> None:
    if head.receipt.upload != sealed.upload:
        raise OtherUploadError(upload=head.receipt.upload)


def _copy(stream: Stream, length: int, new: NewFile) -> None:
    _copy_some(stream, length, new)
    if new.length < length:
        raise StreamEndedError


def _copy_some(stream: Stream, length: int, new: NewFile) -> None:
    for piece in stream.up_to(length):
        new.add(piece)


def _require_end(stream: Stream, head: Head) -> None:
    """Check that zeros follow up to the tar's end, and nothing more."""
    end = stream.read(head.end)
    if len(end) < head.end:
        raise StreamEndedError
    if any(end) or not stream.at_end():
        raise NotTheContentError(why="octets behind the content")


def _midnight(receipt: Receipt) -> int:
    return milliseconds(dataclasses.replace(receipt, modified=None))


def _never_small(shape: Shape) -> int:
    return shape.size + 4 * CHUNK  # with the zeros that salvage adds
