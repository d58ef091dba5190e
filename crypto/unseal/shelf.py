"""Where the results go: one folder, in it a bag for each source, and our own notes in `.unseal`.

Rule 1: what was opened gets its name by rename, after its line is in the journal.
Rule 2: while a bag changes it has no `bagit.txt`, so no program takes it for a whole one.
"""

import contextlib
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from crypto.unseal.content import disk_errors
from crypto.unseal.errors import AnotherRunError, DiskError
from crypto.unseal.journal import Item, Journal
from crypto.unseal.names import Names, safe_part, safe_path, shortened
from crypto.unseal.opening import Opened
from crypto.unseal.sealed import SealedFile
from crypto.unseal.succession import Verdict, compare, file_digest

STATE = ".unseal"
CERTIFICATES = "reply-certificates"
DECLARATION = "bagit.txt"
MESSAGE, FILE, CERTIFICATE = "message", "file", "reply certificate"
PARTIAL = ".partial"
_MESSAGE_NAME = "message.txt"
_PRIVATE_FOLDER = 0o700
_NOTHING = hashlib.sha256().hexdigest()
_UNKNOWN_SOURCE = "unknown-source"
_FOLDERS = {MESSAGE: "messages", FILE: "files", CERTIFICATE: "reply-certificate"}


class Shelf:
    """The folder that was given with `--into`."""

    def __init__(self, into: Path) -> None:
        self.into = into
        self.staging = into / STATE / "opening"
        self.journal = Journal(into / STATE / "journal.jsonl")
        self._names: dict[str, Names] = {}

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for this run alone. Raises AnotherRunError, DiskError."""
        with disk_errors(self.into):
            self.staging.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            lock = os.open(self.into / STATE / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.journal.load(self._length)
            yield
        except BlockingIOError:
            raise AnotherRunError(where=self.into) from None
        finally:
            os.close(lock)

    def clear_staging(self) -> None:
        """Remove what a run that was killed left half opened."""
        with disk_errors(self.staging):
            for path in self.staging.iterdir():
                path.unlink()

    def has(self, sealed: SealedFile) -> bool:
        """Tell whether this sealed file was opened before, and its result is still there."""
        item = self.journal.items.get(sealed.upload)
        if item is None or item.sealed_size != sealed.size:
            return False
        if item.damaged and item.sealed_sha256 != file_digest(sealed.path):
            return False
        return not item.is_partial or item.tail_sha256 == tail_digest(sealed)

    def location(self, item: Item) -> tuple[Path, int]:
        """Give the file in which an item lies, and where in it it begins."""
        if item.upload not in self.journal.inside:
            return self.into / item.bag / item.place, 0
        joined, start = self.journal.inside[item.upload]
        return self.into / joined.bag / joined.place, start

    def place(self, opened: Opened) -> bool:
        """Give what was opened its name in its bag; tell whether it was needed.

        Raises SecondFileError, if it is not what was opened for this upload before.
        """
        earlier = self.journal.items.get(opened.receipt.upload)
        try:
            verdict = compare(earlier, self.location(earlier), opened) if earlier else Verdict.MORE
            if verdict is Verdict.MORE:
                self._take(opened, earlier)
            elif verdict is Verdict.SAME:
                item = self._item(opened)
                self.unclose(item.bag)
                self.journal.add(item)
        finally:
            if earlier:
                opened.staged.unlink(missing_ok=True)
        return verdict is not Verdict.LESS

    def _take(self, opened: Opened, earlier: Item | None) -> None:
        item = self._item(opened)
        if earlier:
            make_durable([opened.staged])
        self.publish(item, opened.staged)
        if earlier and (earlier.bag, earlier.place) != (item.bag, item.place):
            make_durable([(self.into / item.bag / item.place).parent])
            self._remove(earlier.bag, earlier.place)

    def publish(self, item: Item, staged: Path) -> None:
        """Write the line, then rename."""
        self.unclose(item.bag)
        target = self.into / item.bag / item.place
        with disk_errors(target.parent):
            target.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            self.journal.add(item)
            staged.rename(target)

    def unclose(self, bag: str) -> None:
        """Take away what says that the bag is whole."""
        with disk_errors(self.into / bag):
            (self.into / bag / DECLARATION).unlink(missing_ok=True)

    def remove_left_behind(self) -> None:
        """Remove what a later result has replaced, which is there: a partial file, parts that were joined."""
        left, self.journal.left_behind = self.journal.left_behind, {}
        taken = {
            (bag, place) for bag in {bag for bag, _ in left} for place in self.journal.places(bag)
        }
        here = {
            each: by for each, by in left.items() if each not in taken and self._length(*each) >= 0
        }
        make_durable({self.into / bag / by for (bag, _), by in here.items()})
        for bag, place in here:
            self._remove(bag, place)

    def choose(self, bag: str, place: str) -> str:
        """Give a free place in a bag."""
        return self._names_of(bag).choose(place)

    def _remove(self, bag: str, place: str) -> None:
        self.unclose(bag)
        path = self.into / bag / place
        with disk_errors(path):
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # the folder has other files
                path.parent.rmdir()

    def _names_of(self, bag: str) -> Names:
        if bag not in self._names:
            self._names[bag] = Names()
            for place in self.journal.places(bag):
                self._names[bag].take(place)
            for item in self.journal.in_bag(bag):
                self._names[bag].take(item.place)
            for item in self.journal.lost.values():
                if item.bag == bag:
                    self._names[bag].take(item.place)
        return self._names[bag]

    def _length(self, bag: str, place: str) -> int:
        """Give how many octets a file has, -1 if there is none."""
        try:
            found = os.lstat(f"{self.into}/{bag}/{place}")
        except (FileNotFoundError, NotADirectoryError):
            return -1
        except OSError as error:
            raise DiskError(where=self.into / bag / place, why=error.strerror) from None
        return found.st_size if stat.S_ISREG(found.st_mode) else -1

    def _choose_unused(self, bag: str, wanted: str, opened: Opened) -> str:
        """Give a free place at which nobody has put a file of their own."""
        while True:
            place = self.choose(bag, wanted)
            path = self.into / bag / place
            # The same content, or none, is ours: a power cut took the line.
            if not os.path.lexists(path) or (
                self._length(bag, place) in {0, opened.kept}
                and file_digest(path) in {opened.digests.sha256, _NOTHING}
            ):
                return place

    def _item(self, opened: Opened) -> Item:
        receipt = opened.receipt
        kind = _kind(opened)
        bag = bag_of(receipt.source)
        return Item(
            upload=receipt.upload,
            source=receipt.source,
            received=receipt.received.isoformat(),
            path=receipt.path,
            modified=receipt.modified,
            filetype=receipt.filetype,
            set=receipt.set_id,
            part=receipt.part,
            kind=kind,
            sealed_name=opened.sealed.path.name,
            sealed_size=opened.sealed.size,
            sealed_sha256=opened.sealed_sha256,
            tail_sha256=tail_digest(opened.sealed) if opened.is_partial else None,
            opened_with_key=opened.opened_with.key,
            opened_with_certificate=opened.opened_with.certificate,
            bag=bag,
            place=self._choose_place(opened, kind, bag),
            kept=opened.kept,
            size=opened.size,
            damaged=opened.damaged,
            note=opened.tail_note,
            sha256=opened.digests.sha256,
            sha512=opened.digests.sha512,
        )

    def _choose_place(self, opened: Opened, kind: str, bag: str) -> str:
        upload = opened.receipt.upload
        earlier = self.journal.items.get(upload) or self.journal.lost.get(upload)
        if earlier and earlier.bag == bag and earlier.is_partial == opened.is_partial:
            return earlier.place
        path = safe_path(opened.receipt.path)
        if kind == MESSAGE:
            path = f"{opened.receipt.received.isoformat()}.txt"
        if opened.is_partial:
            above, slash, name = path.rpartition("/")
            path = above + slash + shortened(name + PARTIAL)
        return self._choose_unused(bag, f"data/{_FOLDERS[kind]}/{path}", opened)


def make_durable(paths: Iterable[Path]) -> None:
    """Get files and folders onto the disk. Raises DiskError."""
    for path in paths:
        with disk_errors(path):
            file = os.open(path, os.O_RDONLY)
            try:
                os.fsync(file)
            finally:
                os.close(file)


def bag_of(source: str) -> str:
    """Give the name of a source's bag: its designation."""
    name = safe_part(source.replace(" ", "-").replace("/", "_")) if source else _UNKNOWN_SOURCE
    return f"_{name}" if name == CERTIFICATES else name


def tail_digest(sealed: SealedFile) -> str | None:
    """Give the SHA-256 of the tail beside a sealed file, if there is one."""
    if sealed.tail is None:
        return None
    with disk_errors(sealed.tail):
        return hashlib.sha256(sealed.tail.read_bytes()).hexdigest()


def certificate_name(source: str) -> str:
    """Give the name under which the service seals a source's reply certificate."""
    return f"reply-to-{source.replace(' ', '-')}.asc"


def _kind(opened: Opened) -> str:
    """Tell a message and a reply certificate from a file: no program of a source gave a time or type."""
    receipt = opened.receipt
    if receipt.modified is not None or receipt.filetype is not None or receipt.set_id is not None:
        return FILE
    if receipt.path == _MESSAGE_NAME:
        return MESSAGE
    return CERTIFICATE if receipt.path == certificate_name(receipt.source) else FILE
