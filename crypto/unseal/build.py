"""Make `unseal` one file: `python3 -m crypto.unseal.build FILE`. The same tree gives the same octets.

Nothing is compressed and every entry has the same date: what zlib or a checkout does shows nowhere.
"""

import argparse
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_HOUSE = Path(__file__).parents[2]
# Isolated (-I): no module beside the file or in PYTHONPATH can take the place of Python's own.
_INTERPRETER = b"#!/usr/bin/env -S python3 -I\n"
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold
_READABLE = 0o100644 << 16
_UNIX = 3
_START = '"""Starts unseal."""\n\nfrom crypto.unseal.__main__ import begin\n\nbegin()\n'
_NEEDED = ("__init__", "archive", "framing", "layout")


def sources() -> Iterator[tuple[str, bytes]]:
    """Give the files that go in, by their names."""
    yield "__main__.py", _START.encode()
    room = _HOUSE / "crypto"
    paths = [room / f"{name}.py" for name in _NEEDED]
    paths += [path for path in (room / "unseal").glob("*.py") if path.name != Path(__file__).name]
    for path in sorted(paths):
        yield path.relative_to(_HOUSE).as_posix(), path.read_bytes()


def zipped() -> bytes:
    """Give the whole program."""
    return packed(sources())


def packed(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Give a program that is made of these files, `__main__.py` among them."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, octets in files:
            entry = zipfile.ZipInfo(name, _FIRST_DATE)
            entry.external_attr, entry.create_system = _READABLE, _UNIX
            archive.writestr(entry, octets)
    return _INTERPRETER + made.getvalue()


def main() -> None:
    """Write the program where the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    file: Path = parser.parse_args().file
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(file.name + ".new")
    new.write_bytes(zipped())
    new.chmod(0o755)
    new.replace(file)


if __name__ == "__main__":
    main()
