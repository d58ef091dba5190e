"""What dpkg is told about the package: control, sums, settings files, scripts (deb-control(5))."""

import hashlib
from pathlib import Path

from deploy.build.members import PROGRAM, Member, Members

SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
_KIBIBYTE = 1024


def control(house: Path, version: str, machine: str, data: Members) -> Members:
    """Give the control files for a package that holds `data`."""
    folder = house / "deploy" / "debian"
    facts = {"@VERSION@": version, "@ARCHITECTURE@": machine, "@SIZE@": str(_size(data))}
    words = (folder / "control").read_text("utf-8")
    for place, fact in facts.items():
        words = words.replace(place, fact)
    scripts = {name: Member((folder / name).read_bytes(), PROGRAM) for name in SCRIPTS}
    return {
        "control": Member(words.encode()),
        "conffiles": Member(_conffiles(data)),
        "md5sums": Member(_sums(data)),
        **scripts,
    }


def _size(data: Members) -> int:
    """Give the KiB that the package takes when it is installed, a file taking whole KiB."""
    return sum(-(-len(member.octets) // _KIBIBYTE) for member in data.values()) + len(data)


def _conffiles(data: Members) -> bytes:
    return "".join(f"/{path}\n" for path in sorted(data) if path.startswith("etc/")).encode()


def _sums(data: Members) -> bytes:
    """Give what `dpkg -V` compares: it finds what was changed by accident, not by an enemy."""
    lines = [
        f"{hashlib.md5(data[path].octets, usedforsecurity=False).hexdigest()}  {path}\n"
        for path in sorted(data)
        if not data[path].target and not path.startswith("etc/")
    ]
    return "".join(lines).encode()
