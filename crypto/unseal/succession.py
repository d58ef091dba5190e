"""Which of two results for one upload counts: the one that holds more, if it begins with the other.

Anybody who has the staff's public key can seal a file under an upload's id. So what was opened first is
replaced only by what contains it; another file is refused, and staff decide (docs/unseal.md).
"""

import hashlib
from enum import Enum
from pathlib import Path

from crypto.unseal.content import disk_errors
from crypto.unseal.errors import SecondFileError
from crypto.unseal.journal import Item
from crypto.unseal.opening import Opened
from crypto.unseal.sealed import BLOCK


class Verdict(Enum):
    """What to do with what was opened."""

    MORE = "it takes the place of the earlier result"
    SAME = "the same content out of more of the sealed file: only the report changes"
    LESS = "nothing of it is needed"


def compare(earlier: Item, lies: tuple[Path, int], opened: Opened) -> Verdict:
    """Compare what was opened with an earlier result, which begins in a file at `lies`.

    Raises SecondFileError, DiskError.
    """
    receipt = opened.receipt
    said = (receipt.source, receipt.path, opened.size)
    if said != (earlier.source, earlier.path, earlier.size) or not _begin_alike(
        earlier, lies, opened
    ):
        raise SecondFileError(
            first=f"{earlier.bag}/{earlier.place}, SHA-256 {earlier.sha256}",
            first_source=earlier.source,
            second=f"{receipt.path}, SHA-256 {opened.digests.sha256}",
            second_source=receipt.source,
        )
    if opened.kept < earlier.kept or (opened.is_partial and not earlier.is_partial):
        return Verdict.LESS
    if opened.kept > earlier.kept or opened.is_partial != earlier.is_partial:
        return Verdict.MORE
    return Verdict.SAME if opened.sealed.size > earlier.sealed_size else Verdict.LESS


def file_digest(path: Path, start: int = 0, length: int | None = None) -> str:
    """Give the SHA-256 of `length` octets of a file, or of all from `start` on."""
    digest = hashlib.sha256()
    with disk_errors(path), path.open("rb", buffering=0) as file:
        left = path.stat().st_size - start if length is None else length
        file.seek(start)
        while left > 0 and (block := file.read(min(left, BLOCK))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()


def _begin_alike(earlier: Item, lies: tuple[Path, int], opened: Opened) -> bool:
    """Tell whether the shorter is the beginning of the longer. Equal lengths need no reading."""
    if opened.kept == earlier.kept:
        return opened.digests.sha256 == earlier.sha256
    if opened.kept > earlier.kept:
        return file_digest(opened.staged, 0, earlier.kept) == earlier.sha256
    return file_digest(*lies, opened.kept) == opened.digests.sha256
