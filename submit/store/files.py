"""Sealed files and their tails: created, appended to, cut back, finished, removed."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress

from submit.store.disk import Disk, File, is_full, locked
from submit.store.errors import DiskFaultError, DiskFullError, MissingFileError, MovedOnError
from submit.store.owners import Owners

_WRITE_BEHIND = 8 << 20  # octets
_SEALED, _TAIL, _NEW_TAIL, _PART = ".tar.gpg", ".tail", ".tail.new", ".part"


class SealedFiles:
    """The folder of sealed files.

    A file is known by its upload's id. `<id>.tar.gpg` is the upload, `<id>.tail` the sealed
    octets of its chunk that is not full, `<id>.part` a form's file that is still coming in.
    """

    def __init__(self, disk: Disk, owners: Owners, reserve: int) -> None:
        """Keep `reserve` octets of the disk free, whatever comes."""
        self._disk = disk
        self._owners = owners
        self._reserve = reserve

    def require_room(self, octets: int) -> None:
        """Refuse (DiskFullError) what would go into the reserve."""
        if self._disk.free() - octets < self._reserve:
            raise DiskFullError

    def making(self, upload: str) -> AbstractContextManager[None]:
        """Be the only one, in any process, who makes this upload; TakenError if somebody is."""
        return self._owners.making(upload)

    def create(self, upload: str, start: bytes) -> "SealedFile":
        """Create an upload's file with its first octets; durable on return."""
        opened = self.create_part(upload, start)
        try:
            # The start first, then the name: a file that lost its start to a crash could be
            # filled to its end, and no recipient could open it.
            opened.sync()
            with disk_errors():
                self._name(upload)
        except BaseException:
            opened.close()
            self.remove(upload)
            raise
        return opened

    def create_part(self, upload: str, start: bytes) -> "SealedFile":
        """Create a form's file; `publish` makes it a sealed file like any other."""
        name = upload + _PART
        with disk_errors():
            opened = SealedFile(upload, self._disk, self._disk.create(name), self._owners)
            try:
                opened.take_over()
                opened.append(0, [start])
            except BaseException:
                opened.close()
                self._disk.remove(name)
                raise
        return opened

    def open(self, upload: str) -> "SealedFile":
        """Open an upload's file; MissingFileError if there is none."""
        try:
            file = self._disk.open(upload + _SEALED)
        except FileNotFoundError:
            raise MissingFileError from None
        return SealedFile(upload, self._disk, file, self._owners)

    def is_there(self, upload: str) -> bool:
        """Tell whether an upload has its file."""
        try:
            self.open(upload).close()
        except MissingFileError:
            return False
        return True

    def read(self, upload: str, *, tail: bool = False) -> File:
        """Open a sealed file, or its tail, only to read it; MissingFileError if there is none."""
        with disk_errors():
            try:
                return self._disk.open_to_read(upload + (_TAIL if tail else _SEALED))
            except FileNotFoundError:
                raise MissingFileError from None

    def publish(self, upload: str, day: int) -> None:
        """Give a form's file, already synced, its lasting name."""
        with disk_errors():
            self._disk.set_day(upload + _PART, day)
            self._name(upload)

    def _name(self, upload: str) -> None:
        self._disk.rename(upload + _PART, upload + _SEALED)
        self._disk.sync_names()

    def blur(self, upload: str, day: int) -> None:
        """Blur the times of file and tail before the row says that it is over."""
        with disk_errors():
            for name in (upload + _SEALED, upload + _TAIL):
                with suppress(FileNotFoundError):
                    self._disk.set_day(name, day)

    def drop_tail(self, upload: str) -> None:
        """Drop the tail of an upload whose row says that it is over."""
        with disk_errors():
            self._disk.remove(upload + _TAIL)
            self._disk.remove(upload + _NEW_TAIL)
            self._disk.sync_names()

    def tails(self) -> list[str]:
        """Give the uploads that have a tail."""
        return [name.removesuffix(_TAIL) for name in self._disk.names() if name.endswith(_TAIL)]

    def remove(self, upload: str) -> None:
        """Remove everything of an upload; whoever still appends to it stops."""
        self._owners.claim(upload)
        with disk_errors():
            for ending in (_SEALED, _TAIL, _NEW_TAIL, _PART):
                self._disk.remove(upload + ending)
            self._disk.sync_names()

    def remove_leftovers(self) -> int:
        """Remove what a crash left of forms and tails. Call it before any request is served."""
        left = [name for name in self._disk.names() if name.endswith((_PART, _NEW_TAIL))]
        for name in left:
            self._disk.remove(name)
        return len(left)


class SealedFile:
    """One sealed file, opened by one request.

    invariant: octets below `durable` have been synced. All lengths are the file's own.
    """

    def __init__(self, upload: str, disk: Disk, file: File, owners: Owners) -> None:
        """Take over an open file."""
        self._upload, self._disk, self._file, self._owners = upload, disk, file, owners
        self._token = b""
        self._durable = self._begun = 0

    def claim(self) -> int:
        """Take the upload over from any older request; give the length, which is durable now.

        A failure to make it durable is not tried again: DiskFaultError.
        """
        with disk_errors(), locked(self._file):
            self.take_over()
            try:
                self._file.sync()
                # A request that was killed may have left its tail without a durable name.
                self._disk.sync_names()
            except OSError:
                # The kernel may still show what it could not write: the next look is at the disk.
                with suppress(OSError):
                    self._file.forget_cached()
                raise DiskFaultError from None
            self._durable = self._begun = self._file.length()
        return self._durable

    def take_over(self) -> None:
        """Stop every older request; what the file holds need not be durable."""
        self._token = self._owners.claim(self._upload)

    def length(self) -> int:
        """Give the length now, without taking the upload over."""
        with disk_errors():
            return self._file.length()

    def is_owned(self) -> bool:
        """Tell whether no newer request has claimed the upload."""
        return self._owners.holds(self._upload, self._token)

    def append(self, expected: int, pieces: Sequence[bytes]) -> int:
        """Write sealed octets where the file ends, if it ends at `expected`; give its new length.

        The caller has sealed these octets for exactly this place. Not durable before `sync`.
        MovedOnError if another request came between: then nothing was written.
        """
        with disk_errors(), self._mine(expected):
            try:
                self._file.write(expected, pieces)
            except OSError:
                self._file.cut(expected)
                raise
        end = expected + sum(map(len, pieces))
        if end - self._begun >= _WRITE_BEHIND:
            # The disk works while the next octets come in, so that the last sync has less to do.
            self._file.begin_sync(self._begun, end - self._begun)
            self._begun = end
        return end

    def write_start(self, data: bytes) -> None:
        """Fill in the start of a form's file, which nobody else has open."""
        with disk_errors():
            self._file.write(0, [data])

    def read(self, begin: int, end: int) -> bytes:
        """Read what lies between two positions; shorter where the file ends."""
        with disk_errors():
            return self._file.read(begin, end - begin)

    def forget_cached(self) -> None:
        """Let the next reads come from the disk itself."""
        with disk_errors():
            self._file.sync()
            self._file.forget_cached()

    def sync(self) -> None:
        """Make everything appended durable.

        A failed fsync is never tried again, because the kernel may have dropped the pages and
        would report success ("fsyncgate"): the file is cut back to what is known durable.
        """
        with disk_errors(), locked(self._file):
            length = self._file.length()
            try:
                self._file.sync()
            except OSError:
                # Still under the lock: nobody takes over what is about to be cut.
                if self.is_owned():
                    with suppress(OSError):
                        self._file.cut(self._durable)
                raise
            self._durable = length

    def cut(self, length: int, *, keep_tail: bool) -> None:
        """Cut back to `length` octets, durably; first the tail goes, if it is not to be kept."""
        with disk_errors(), self._mine(None):
            if not keep_tail:
                self._disk.remove(self._upload + _TAIL)
                self._disk.sync_names()
            self._file.cut(length)
            self._file.sync()
            self._durable = length

    def read_tail(self) -> bytes:
        """Give the sealed tail; empty if there is none."""
        try:
            tail = self._disk.open(self._upload + _TAIL)
        except FileNotFoundError:
            return b""
        try:
            return tail.read(0, tail.length())
        finally:
            tail.close()

    def write_tail(self, expected: int, sealed: bytes) -> None:
        """Replace the tail of a file that ends at `expected`; durable on return."""
        with disk_errors(), self._mine(expected):
            self._disk.remove(self._upload + _NEW_TAIL)
            tail = self._disk.create(self._upload + _NEW_TAIL)
            try:
                tail.write(0, [sealed])
                tail.sync()
            finally:
                tail.close()
            self._disk.rename(self._upload + _NEW_TAIL, self._upload + _TAIL)
            self._disk.sync_names()

    def close(self) -> None:
        """Close the file; what was not synced may be lost."""
        self._file.close()

    @contextmanager
    def _mine(self, expected: int | None) -> Iterator[None]:
        with locked(self._file):
            if not self.is_owned():
                raise MovedOnError
            if expected is not None and self._file.length() != expected:
                raise MovedOnError
            yield


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn the operating system's errors into refusals with words."""
    try:
        yield
    except OSError as error:
        raise (DiskFullError if is_full(error) else DiskFaultError) from None
