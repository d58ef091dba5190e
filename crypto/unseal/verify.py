"""Check a bag, of `unseal` or of anybody (RFC 8493; also what python's `bagit` writes).

A bag is good if every file that a manifest names is there and has its hash, and its payload holds
no file that a manifest does not name. An algorithm that we do not know makes it not checked, never good.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from crypto.unseal.content import disk_errors
from crypto.unseal.errors import NotABagError
from crypto.unseal.sealed import BLOCK

_ALGORITHMS = {"md5", "sha1", "sha224", "sha256", "sha384", "sha512"}
_DECLARATION = re.compile(
    r"BagIt-Version: (0\.9[3-7]|1\.0)\r?\nTag-File-Character-Encoding: UTF-8(\r?\n)?"
)
_LINE = re.compile(r"([0-9A-Fa-f]+)[ \t]+\*?(.+)")
_MANIFEST = re.compile(r"(tag)?manifest-([a-z0-9]+)\.txt")
_OXUM = re.compile(r"^Payload-Oxum: *([0-9]+)\.([0-9]+) *$", re.MULTILINE)
_ENCODED = re.compile(r"%(0[ad]|25)", re.IGNORECASE)


@dataclass
class Checked:
    """What was found: how many files and octets hold, and each fault in words."""

    files: int = 0
    octets: int = 0
    faults: list[str] = field(default_factory=list)
    is_signed: bool = False


def check(bag: Path, count: Callable[[int], None]) -> Checked:
    """Check a bag; `count` is told how many octets were read. Raises NotABagError, DiskError."""
    declared = _text(bag, "bagit.txt")
    if not _DECLARATION.fullmatch(declared):
        raise NotABagError(where=bag, why="its bagit.txt says another version or encoding")
    checked = Checked(is_signed=(bag / "custody.txt.asc").exists())
    manifests = dict(_manifests(bag))
    payload = {name for (tag, _), lines in manifests.items() if not tag for name in lines}
    _check_payload(bag, manifests, payload, checked)
    for name in sorted({name for lines in manifests.values() for name in lines}):
        digests = {a: lines[name] for (_, a), lines in manifests.items() if name in lines}
        _check_file(bag, name, digests, checked, count)
    _check_oxum(bag, payload, checked)
    return checked


def _text(bag: Path, name: str) -> str:
    try:
        return (bag / name).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise NotABagError(where=bag, why=f"its {name} is not UTF-8") from None
    except OSError:
        raise NotABagError(where=bag, why=f"it has no {name} that can be read") from None


def _manifests(bag: Path) -> Iterator[tuple[tuple[bool, str], dict[str, str]]]:
    found = [_MANIFEST.fullmatch(path.name) for path in sorted(bag.iterdir())]
    matches = [match for match in found if match]
    if not any(match[1] is None for match in matches):
        raise NotABagError(where=bag, why="it has no manifest")
    for match in matches:
        if match[2] not in _ALGORITHMS:
            raise NotABagError(where=bag, why=f"it uses {match[2]}, which unseal does not know")
        yield (match[1] is not None, match[2]), _lines(bag, match[0])


def _lines(bag: Path, name: str) -> dict[str, str]:
    lines = {}
    for line in _text(bag, name).replace("\r\n", "\n").split("\n"):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise NotABagError(where=bag, why=f"a line of {name} is none")
        path = _ENCODED.sub(lambda code: chr(int(code[1], 16)), match[2])
        parts = path.removeprefix("./").split("/")
        if not all(parts) or {".", ".."} & set(parts) or "\0" in path:
            raise NotABagError(where=bag, why=f"{name} names a file outside the bag")
        lines["/".join(parts)] = match[1].lower()
    return lines


def _check_payload(
    bag: Path,
    manifests: dict[tuple[bool, str], dict[str, str]],
    payload: set[str],
    checked: Checked,
) -> None:
    """Compare what lies in `data` with each manifest: RFC 8493, 3, wants each to be complete."""
    with disk_errors(bag):
        here = set(_files(bag))
    checked.faults += [f"no manifest names it: {name}" for name in sorted(here - payload)]
    for (tag, algorithm), lines in manifests.items():
        if not tag:
            short = sorted(payload - set(lines))
            checked.faults += [f"manifest-{algorithm}.txt does not name {name}" for name in short]
    if (bag / "fetch.txt").exists():
        checked.faults.append("fetch.txt: this bag says itself that it is not complete")


def _files(bag: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(bag / "data"):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in names + links:
            yield Path(folder, name).relative_to(bag).as_posix()


def _check_file(
    bag: Path, name: str, digests: dict[str, str], checked: Checked, count: Callable[[int], None]
) -> None:
    path = bag / name
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            checked.faults.append(f"it is a link or no file: {name}")
            return
    except OSError:
        checked.faults.append(f"it is missing: {name}")
        return
    hashes = {algorithm: hashlib.new(algorithm) for algorithm in digests}
    with disk_errors(path), path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            count(len(block))
            checked.octets += len(block)
            for each in hashes.values():
                each.update(block)
    wrong = [a for a, digest in digests.items() if hashes[a].hexdigest() != digest]
    checked.files += not wrong
    checked.faults += [f"it was changed ({algorithm}): {name}" for algorithm in wrong]


def _check_oxum(bag: Path, payload: set[str], checked: Checked) -> None:
    if not (bag / "bag-info.txt").exists():
        return
    stated = _OXUM.search(_text(bag, "bag-info.txt").replace("\r\n", "\n"))
    sizes = [(bag / name).stat().st_size for name in payload if (bag / name).is_file()]
    if stated and (int(stated[1]), int(stated[2])) != (sum(sizes), len(sizes)):
        checked.faults.append("bag-info.txt states another number of files or bytes (Payload-Oxum)")
