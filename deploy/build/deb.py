"""Writes a Debian package: two tars in an ar (deb(5)).

Written here, not by dpkg-deb, so that nothing of the machine that builds can show: no folder is
staged, so there are no owners, umask, order or times of files to hide. The same members and the
same date give the same octets.
"""

import io
import lzma
import tarfile
from collections.abc import Iterator

from deploy.build.members import Member, Members, folders

_FOLDER = 0o755
_LINK = 0o777
_FORMAT = b"2.0\n"
_MAGIC = b"!<arch>\n"
_HEAD = 60  # octets
_PRESET = 2  # a third of the time of dpkg-deb's 6, for one part in seven more


def package(control: Members, data: Members, date: int) -> bytes:
    """Give the package. `date` is that of everything in it, in seconds since 1970."""
    parts = {
        "debian-binary": _FORMAT,
        "control.tar.xz": _compressed(_tar(control, date)),
        "data.tar.xz": _compressed(_tar(data, date)),
    }
    return _MAGIC + b"".join(_ar(name, octets, date) for name, octets in parts.items())


def contents(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """Give what a package that was made here holds, by path, with the control files."""
    start = len(_MAGIC)
    while start < len(octets):
        head = octets[start : start + _HEAD]
        start, length = start + _HEAD, int(head[48:58])
        if head.startswith((b"control", b"data")):
            with tarfile.open(fileobj=io.BytesIO(octets[start : start + length])) as archive:
                for member in archive.getmembers():
                    file = archive.extractfile(member) if member.isreg() else None
                    yield member.name, file.read() if file else member.linkname.encode()
        start += length + length % 2


def _ar(name: str, octets: bytes, date: int) -> bytes:
    head = f"{name:<16}{date:<12}{0:<6}{0:<6}{0o100644:<8o}{len(octets):<10}`\n"
    return head.encode("ascii") + octets + b"\n" * (len(octets) % 2)


def _compressed(octets: bytes) -> bytes:
    return lzma.compress(octets, lzma.FORMAT_XZ, lzma.CHECK_CRC64, _PRESET)


def _tar(members: Members, date: int) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for folder in ["", *folders(members)]:
            archive.addfile(_head(f"./{folder}", tarfile.DIRTYPE, _FOLDER, date))
        for path in sorted(members):
            _add(archive, f"./{path}", members[path], date)
    return made.getvalue()


def _add(archive: tarfile.TarFile, name: str, member: Member, date: int) -> None:
    if member.target:
        head = _head(name, tarfile.SYMTYPE, _LINK, date)
        head.linkname = member.target
        archive.addfile(head)
        return
    head = _head(name, tarfile.REGTYPE, member.mode, date)
    head.size = len(member.octets)
    archive.addfile(head, io.BytesIO(member.octets))


def _head(name: str, kind: bytes, mode: int, date: int) -> tarfile.TarInfo:
    head = tarfile.TarInfo(name)
    head.type, head.mode, head.mtime = kind, mode, date
    head.uname = head.gname = "root"
    return head
