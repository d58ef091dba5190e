"""Stray plaintext: what lies where only sealed octets may lie."""

import os
import re
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.doctor.finding import Finding, some, wrong
from deploy.doctor.patient import Patient
from deploy.places import DATA

_SEALED = re.compile(r"[a-z2-7]{26}(\.tar\.gpg|\.part|\.tail|\.tail\.new)")
_RUN = re.compile(r"owners|worker-[0-9]+")
_KNOWN = {
    "uploads",
    "run",
    "gnupg",
    "codename.salt",
}
# The copy beside it is an upgrade's, until the new version has started.
_DATABASE = re.compile(r"nightferry\.db(\.before-upgrade(\.new)?)?(-wal|-shm|-journal)?")
_SAMPLE = 4096  # octets
_MOST = 1000  # files read in one day: on a slow disk that is a minute
_SHRINKS = 0.9  # what is sealed does not get smaller at all

_LOOK = (
    "find out what wrote it; it was readable on this disk. Move it to the staff if it is theirs, "
    "then shred -u it"
)


def judge(patient: Patient) -> Iterator[Finding]:
    """Find files in the data folder that are not of the sealed kind."""
    yield from _strangers(patient, DATA, lambda name: _is_known(name) or _is_ext4s(patient, name))
    yield from _strangers(patient, DATA / "run", lambda name: bool(_RUN.fullmatch(name)))
    yield from _strangers(patient, DATA / "gnupg", lambda _name: False)
    uploads = DATA / "uploads"
    yield from _strangers(patient, uploads, lambda name: bool(_SEALED.fullmatch(name)))
    sealed = [path for path in _inside(patient, uploads) if _SEALED.fullmatch(path.name)]
    todays = _todays(sorted(sealed), patient.now.toordinal())
    readable = [path.name for path in todays if not _looks_sealed(path)]
    if readable:
        yield wrong(f"in {uploads} {some(readable)} can be read without a key", _LOOK)


def _is_known(name: str) -> bool:
    return name in _KNOWN or bool(_DATABASE.fullmatch(name))


def _is_ext4s(patient: Patient, name: str) -> bool:
    """Tell whether it is the empty folder that a disk of its own has at its top."""
    return name == "lost+found" and not _inside(patient, DATA / name)


def _strangers(patient: Patient, folder: Path, belongs: Callable[[str], bool]) -> Iterator[Finding]:
    strange = sorted(path.name for path in _inside(patient, folder) if not belongs(path.name))
    if strange:
        yield wrong(f"in {folder} lies what does not belong there: {some(strange)}", _LOOK)


def _inside(patient: Patient, folder: Path) -> list[Path]:
    place = patient.host.path(folder)
    return list(place.iterdir()) if place.is_dir() else []


def _todays(paths: list[Path], day: int) -> list[Path]:
    """Give those whose turn it is: of many files each one comes once in so many days."""
    days = max(1, -(-len(paths) // _MOST))
    return paths[day % days :: days]


def _looks_sealed(path: Path) -> bool:
    """Tell whether it is a file, and beginning, middle and end are as random as what is sealed.

    The zeros of a form's file, whose start is written last, and of a torn write are no plaintext.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:  # it has ended while we looked
        return True
    except OSError:  # a link, or what is no file: none of ours
        return False
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            return False
        places = (0, found.st_size // 2, max(0, found.st_size - _SAMPLE))
        samples = [os.pread(file, _SAMPLE, place).strip(b"\0") for place in places]
    finally:
        os.close(file)
    return all(len(zlib.compress(one)) > _SHRINKS * len(one) for one in samples)
