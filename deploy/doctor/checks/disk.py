"""Room: above the reserve for uploads, and enough for the system to live."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.doctor.finding import Finding, warning, wrong
from deploy.doctor.patient import Patient, UnseenError
from deploy.places import DATA

_GIB = 1 << 30
_TENTH = 10
_FEW_INODES = 20  # of a hundred... one in twenty left
_SYSTEM_ROOM = 512 << 20  # octets: an upgrade unpacks into this
_MAKE_ROOM = (
    "let staff fetch and delete what they have (fetch --delete-after), enlarge the disk, or end old "
    "uploads with nightferry expire"
)


@dataclass(frozen=True, slots=True)
class Room:
    """What df tells of one file system, in octets and inodes."""

    size: int
    free: int
    inodes: int
    inodes_free: int


def judge(patient: Patient) -> Iterator[Finding]:
    """Find a disk on which uploads end, or soon will."""
    data = _ask(patient, patient.settings.data)
    yield from _judge_data(data, patient.settings.disk_reserve)
    # Some file systems (btrfs) have no number of inodes, and df says 0.
    if data.inodes and data.inodes_free * _FEW_INODES < data.inodes:
        yield wrong(
            f"{data.inodes_free} inodes are left of {data.inodes}: soon no file can be made, "
            "whatever room there is",
            _MAKE_ROOM,
        )
    system = _ask(patient, Path("/"))
    if system.free < _SYSTEM_ROOM:
        yield wrong(
            f"{_gib(system.free)} are left at /: upgrades fail, then the system", "apt-get clean"
        )


def _judge_data(room: Room, reserve: int) -> Iterator[Finding]:
    have = f"{_gib(room.free)} are free at {DATA}"
    if room.free < reserve:
        yield wrong(
            f"{have}, and the reserve is {_gib(reserve)}: uploads are told to wait (507). Pages "
            "live, and nothing that arrived is lost",
            _MAKE_ROOM,
        )
    elif room.free < 2 * reserve or (room.free - reserve) * _TENTH < room.size:
        yield warning(f"{have}, of which {_gib(room.free - reserve)} are for uploads", _MAKE_ROOM)


def _ask(patient: Patient, place: Path) -> Room:
    columns = "--output=size,avail,itotal,iavail"
    said = patient.ask("df", "--block-size=1", columns, str(patient.host.path(place)))
    numbers = [int(word) if word.isdecimal() else 0 for word in said.splitlines()[-1].split()]
    if len(numbers) != 4:  # noqa: PLR2004 # the columns
        raise UnseenError("df answered in another form than expected")
    return Room(*numbers)


def _gib(octets: int) -> str:
    return f"{octets / _GIB:.1f} GiB"
