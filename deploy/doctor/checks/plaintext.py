"""Stray plaintext: what lies where only sealed octets may lie."""

import re
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
    yield from _strangers(patient, DATA, _is_known)
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
    """Tell whether beginning, middle and end are as random as what is sealed.

    The zeros of a form's file, whose start is written last, and of a torn write are no plaintext.
    """
    try:
        with path.open("rb") as file:
            length = file.seek(0, 2)
            samples = []
            for place in (0, length // 2, max(0, length - _SAMPLE)):
                file.seek(place)
                samples.append(file.read(_SAMPLE).strip(b"\0"))
    except FileNotFoundError:  # it has ended while we looked
        return True
    return all(len(zlib.compress(one)) > _SHRINKS * len(one) for one in samples)
