"""Close a bag: manifests, report and messages, and last of all its declaration (RFC 8493).

Each file of ours is written under another name and renamed. `bagit.txt` comes last: a bag that has it
is whole. From the same items come the same octets.
"""

import hashlib
import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from crypto.unseal import VERSION, custody
from crypto.unseal.content import disk_errors
from crypto.unseal.errors import DiskError, StrangerInBagError
from crypto.unseal.messages import as_text
from crypto.unseal.names import safe_part, shortened
from crypto.unseal.shelf import (
    CERTIFICATE,
    CERTIFICATES,
    DECLARATION,
    STATE,
    Shelf,
    certificate_name,
    make_durable,
)
from crypto.unseal.signing import SIGNATURE, SIGNED, Signer

ALGORITHMS = ("sha256", "sha512")
INFO, MESSAGES, REPORT = "bag-info.txt", "messages.txt", "custody.json"
_MANY = 100  # files: from here on one sync of all disks is faster than so many of one file
_DECLARED = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def is_closed(shelf: Shelf, bag: str, signer: Signer | None) -> bool:
    """Tell whether nothing is left to do for a bag."""
    folder = shelf.into / bag
    signed = signer is None or (folder / SIGNATURE).exists()
    # A power cut can leave an empty one.
    return signed and _is_same(folder / DECLARATION, _DECLARED.encode())


def close(shelf: Shelf, bag: str, signer: Signer | None) -> None:
    """Write all that makes the folder a bag. Raises StrangerInBagError, SigningError, DiskError."""
    _require_no_stranger(shelf, bag)
    shelf.unclose(bag)
    make_durable([shelf.into / bag])
    writer = _Writer(shelf, bag)
    writer.write_manifests()
    writer.write_reports()
    try:
        if signer:
            writer.write(SIGNATURE, signer.sign(bag, (shelf.into / bag / SIGNED).read_bytes()))
    finally:
        writer.write_tag_manifests()
        writer.put_certificates_aside()
        _make_all_durable([shelf.into / bag / place for place in shelf.journal.places(bag)])
        make_durable([shelf.into / bag])
        writer.write(DECLARATION, _DECLARED.encode())
        make_durable([shelf.into / bag])


class _Writer:
    def __init__(self, shelf: Shelf, bag: str) -> None:
        self._shelf, self._bag, self._folder = shelf, bag, shelf.into / bag
        self._items = shelf.journal.in_bag(bag)
        self._joined = shelf.journal.joined_in(bag)
        self._digests: dict[str, dict[str, str]] = {}

    def write(self, name: str, octets: bytes) -> None:
        """Write a file at the bag's root by rename."""
        self._replace(self._folder / name, octets)
        self._digests[name] = {a: hashlib.new(a, octets).hexdigest() for a in ALGORITHMS}

    def write_manifests(self) -> None:
        """Write what the payload is, and how much."""
        for algorithm in ALGORITHMS:
            lines = sorted(self._payload(algorithm))
            self.write(f"manifest-{algorithm}.txt", "".join(lines).encode())
        self.write(INFO, self._info().encode())

    def write_reports(self) -> None:
        """Write the messages and the custody report in both forms: it vouches for all before it."""
        self.write(MESSAGES, as_text(self._folder, self._items).encode())
        self.write(REPORT, custody.as_json(self._bag, self._items, self._joined).encode())
        vouched = {name: digests["sha256"] for name, digests in self._digests.items()}
        text = custody.as_text(self._bag, self._items, self._joined, vouched)
        # A signature of another report is none of this one.
        if not _is_same(self._folder / SIGNED, text.encode()):
            (self._folder / SIGNATURE).unlink(missing_ok=True)
        elif (self._folder / SIGNATURE).exists():
            self.write(SIGNATURE, (self._folder / SIGNATURE).read_bytes())
        self.write(SIGNED, text.encode())

    def write_tag_manifests(self) -> None:
        """Write the hashes of all the files at the bag's root."""
        self._digests[DECLARATION] = {
            a: hashlib.new(a, _DECLARED.encode()).hexdigest() for a in ALGORITHMS
        }
        every = sorted(self._digests.items())
        for algorithm in ALGORITHMS:
            lines = [f"{digests[algorithm]}  {name}\n" for name, digests in every]
            self.write(f"tagmanifest-{algorithm}.txt", "".join(lines).encode())

    def put_certificates_aside(self) -> None:
        """Copy the source's reply certificates to where `gpg --import` is told to look."""
        ours = [i for i in self._items if i.kind == CERTIFICATE and not i.is_partial]
        target = self._shelf.into / CERTIFICATES
        # Of equal names the one without a number came first.
        for item in sorted(ours, key=lambda item: (len(item.place), item.place)):
            with disk_errors(target):
                target.mkdir(mode=0o700, exist_ok=True)
                octets = (self._folder / item.place).read_bytes()
            self._put_aside(target, safe_part(certificate_name(item.source)), octets)
        if ours:
            make_durable([target])

    def _put_aside(self, target: Path, name: str, octets: bytes) -> None:
        """Never replace another certificate: anybody can seal one with a designation of their choice."""
        for path in (target / _numbered(name, number) for number in itertools.count(1)):
            if _is_same(path, octets):
                return
            if not os.path.lexists(path):
                self._replace(path, octets)
                return

    def _replace(self, path: Path, octets: bytes) -> None:
        new = self._shelf.into / STATE / "new"
        with disk_errors(path.parent):
            new.unlink(missing_ok=True)
            file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "wb") as opened:
                opened.write(octets)
                opened.flush()
                os.fsync(opened.fileno())
            new.rename(path)

    def _payload(self, algorithm: str) -> Iterator[str]:
        inside = {upload for each in self._joined for upload in each.uploads}
        for item in self._items:
            if item.upload not in inside:
                yield f"{getattr(item, algorithm)}  {item.place}\n"
        for each in self._joined:
            yield f"{getattr(each, algorithm)}  {each.place}\n"

    def _info(self) -> str:
        inside = {upload for each in self._joined for upload in each.uploads}
        sizes = [item.kept for item in self._items if item.upload not in inside]
        sizes += [each.size for each in self._joined]
        return (
            f"Bag-Software-Agent: unseal {VERSION}\n"
            f"External-Identifier: {self._bag}\n"
            f"Payload-Oxum: {sum(sizes)}.{len(sizes)}\n"
        )


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else shortened(name, f" ({number})")


def _make_all_durable(paths: list[Path]) -> None:
    """Get onto the disk what the manifests promise, before the bag says that it is whole."""
    if len(paths) > _MANY:
        os.sync()
        return
    make_durable({*paths, *(path.parent for path in paths)})


def _is_same(path: Path, octets: bytes) -> bool:
    with disk_errors(path):
        return path.is_file() and path.read_bytes() == octets


def _require_no_stranger(shelf: Shelf, bag: str) -> None:
    """Check that the payload is what the journal says, and nothing else."""
    left = shelf.journal.lengths(bag)
    folder = shelf.into / bag
    for found, folders, names in os.walk(folder / "data"):
        for name in sorted(names + [f for f in folders if Path(found, f).is_symlink()]):
            place = Path(found, name).relative_to(folder).as_posix()
            there = Path(found, name).lstat()
            if left.pop(place, None) != there.st_size or not stat.S_ISREG(there.st_mode):
                raise StrangerInBagError(bag=folder, name=place)
    for place in left:
        raise DiskError(where=folder / place, why="it was here when this run began")
