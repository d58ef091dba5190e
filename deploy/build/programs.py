"""The staff's programs, each one file that needs nothing but Python."""

from collections.abc import Iterator
from pathlib import Path

from crypto.unseal import build as unseal

_HOUSE = Path(__file__).parents[2]
_START = '''"""Starts fetch."""

import sys

from submit.fetch.__main__ import main

sys.exit(main(sys.argv[1:], sys.argv[0]))
'''


def programs() -> dict[str, bytes]:
    """Give each program by its name."""
    return {"unseal": unseal.zipped(), "fetch": unseal.packed(fetch_sources())}


def fetch_sources() -> Iterator[tuple[str, bytes]]:
    """Give the files that `fetch` is made of, by their names."""
    yield "__main__.py", _START.encode()
    room = _HOUSE / "submit"
    for path in [room / "__init__.py", *sorted((room / "fetch").glob("*.py"))]:
        yield path.relative_to(_HOUSE).as_posix(), path.read_bytes()
