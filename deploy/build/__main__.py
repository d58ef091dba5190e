"""`./nightferry build`: the package, the staff's programs, the list of parts and the sums, in dist/."""

import argparse
import hashlib
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.build import again, source
from deploy.build.bill import bill
from deploy.build.control import control
from deploy.build.deb import package
from deploy.build.errors import BuildError
from deploy.build.lock import needed
from deploy.build.members import PLAIN, PROGRAM
from deploy.build.programs import programs
from deploy.build.tree import (
    ROOMS,
    application,
    command,
    environment,
    for_others,
    for_staff,
    papers,
)
from deploy.build.wheels import MACHINES, PYTHONS, bring

_HOUSE = Path(__file__).parents[2]
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+~]*")  # deb-version(7), without a Debian revision
_SUMS = "SHA256SUMS"
_SHOWN = 10  # files that are not committed; of more, only the number is said


def main(arguments: Sequence[str]) -> int:
    """Build; give the exit status."""
    options = _parser().parse_args(arguments)
    try:
        made = make(options.version, options.machine, options.into / ".wheels")
        _write(options.into, made)
        _tell(options.into, made)
        if options.twice:
            again.compare(_HOUSE, options.into, made, (options.version, options.machine))
            print("built a second time, in another folder: the same octets")
    except BuildError as error:
        print(f"nightferry: {error}", file=sys.stderr)
        return 1
    return 0


def make(version: str, machine: str, kept: Path) -> dict[str, bytes]:
    """Give everything that is built, by file name; downloads lie in `kept`."""
    pins = needed(_HOUSE)
    wheels = {python: bring(pins, python, MACHINES[machine], kept) for python in PYTHONS}
    made = programs()
    parts = bill(_HOUSE, version, [wheel for some in wheels.values() for wheel in some])
    data = {
        **application(_HOUSE),
        **environment(wheels),
        **for_others(_HOUSE),
        **for_staff(made, parts),
        **papers(_HOUSE),
        **command(_HOUSE),
    }
    deb = package(control(_HOUSE, version, machine, data), data, source.date(_HOUSE))
    every = {**made, f"nightferry_{version}_{machine}.deb": deb, "sbom.json": parts}
    return {**every, _SUMS: _sums(every)}


def _sums(made: dict[str, bytes]) -> bytes:
    lines = [f"{hashlib.sha256(made[name]).hexdigest()}  {name}\n" for name in sorted(made)]
    return "".join(lines).encode()


def _write(folder: Path, made: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, octets in made.items():
        new = folder / f"{name}.new"
        new.write_bytes(octets)
        new.chmod(PROGRAM if octets.startswith(b"#!") else PLAIN)
        new.replace(folder / name)


def _tell(folder: Path, made: dict[str, bytes]) -> None:
    for name in sorted(made):
        print(f"made {folder / name}")
    if loose := source.uncommitted(_HOUSE, (*ROOMS, "wsgi.py", "docs")):
        print("nobody else can build these octets: what is in them was not committed:")
        for path in loose[:_SHOWN]:
            print(f"  {path}")
        if len(loose) > _SHOWN:
            print(f"  and {len(loose) - _SHOWN} more")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./nightferry build",
        description="Makes the Debian package, the staff's programs, the list of parts and the sums.",
        epilog="./nightferry build unseal FILE makes that one program, with nothing but Python.",
    )
    here = {name: machine for machine, name in MACHINES.items()}.get(platform.machine(), "amd64")
    add = parser.add_argument
    add("--into", type=Path, default=_HOUSE / "dist", help="a folder; default dist")
    add("--version", type=_version, default=source.version(_HOUSE), help="instead of the tree's")
    add("--machine", choices=sorted(MACHINES), default=here, help=f"default {here}, as this one is")
    add("--twice", action="store_true", help="build again in another folder, and compare")
    return parser


def _version(text: str) -> str:
    if _VERSION.fullmatch(text) is None:
        raise argparse.ArgumentTypeError("a version is like 0.2.0 or 0.2.0+1")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
