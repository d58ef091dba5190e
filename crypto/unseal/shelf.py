"""Where the results go: one folder, in it a bag for each source, and our own notes in `.unseal`.

Rule 1: what was opened gets its name by rename, after its line is in the journal.
Rule 2: while a bag changes it has no `bagit.txt`, so no program takes it for a whole one.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from crypto.unseal.content import disk_errors
from crypto.unseal.errors import AnotherRunError
from crypto.unseal.journal import Item, Journal
from crypto.unseal.names import Names, safe_part, safe_path, shortened
from crypto.unseal.opening import Opened
from crypto.unseal.sealed import SealedFile

STATE = ".unseal"
CERTIFICATES = "reply-certificates"
DECLARATION = "bagit.txt"
MESSAGE, FILE, CERTIFICATE = "message", "file", "reply certificate"
PARTIAL = ".partial"
_MESSAGE_NAME = "message.txt"
_PRIVATE_FOLDER = 0o700
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
            self.journal.load()
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
        if item.is_partial and item.tail_sha256 != tail_digest(sealed):
            return False
        path, start = self.location(item)
        return path.is_file() and path.stat().st_size >= start + item.kept

    def location(self, item: Item) -> tuple[Path, int]:
        """Give the file in which an item lies, and where in it it begins."""
        joined = self.journal.joined.get((item.bag, item.set or ""))
        if joined is None or item.upload not in joined.uploads:
            return self.into / item.bag / item.place, 0
        before = joined.uploads[: joined.uploads.index(item.upload)]
        start = sum(self.journal.items[upload].kept for upload in before)
        return self.into / joined.bag / joined.place, start

    def place(self, opened: Opened) -> Item:
        """Give what was opened its name in its bag."""
        item = self._item(opened)
        earlier = self.journal.items.get(item.upload)
        self.publish(item, opened.staged)
        if earlier and (earlier.bag, earlier.place) != (item.bag, item.place):
            self._remove(earlier.bag, earlier.place)
        return item

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
        """Remove what a later result has replaced: a partial file, parts that were joined."""
        for bag, place in self.journal.left_behind:
            if place not in set(self.journal.places(bag)):
                self._remove(bag, place)

    def choose(self, bag: str, place: str) -> str:
        """Give a free place in a bag."""
        return self._names_of(bag).choose(place)

    def _remove(self, bag: str, place: str) -> None:
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
        return self._names[bag]

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
        earlier = self.journal.items.get(opened.receipt.upload)
        if earlier and earlier.bag == bag and earlier.is_partial == opened.is_partial:
            return earlier.place
        path = safe_path(opened.receipt.path)
        if kind == MESSAGE:
            path = f"{opened.receipt.received.isoformat()}.txt"
        if opened.is_partial:
            above, slash, name = path.rpartition("/")
            path = above + slash + shortened(name + PARTIAL)
        return self.choose(bag, f"data/{_FOLDERS[kind]}/{path}")


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
