"""Who may read what is kept: the folder's own mode says so.

One user's folder (0700) is closed to everybody else. A folder that its group may write and hands
its group on (2770) is shared between the source's site and the desk, where each has a user of its
own: what lies in it is open to the group, and to nobody else.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_ALONE, _SHARED = 0o077, 0o007


def is_shared(folder: Path) -> bool:
    """Tell whether a folder's group may write there, and what is made there is the group's."""
    both = stat.S_ISGID | stat.S_IWGRP
    return folder.is_dir() and folder.stat().st_mode & both == both


def umask_of(folder: Path) -> int:
    """Give what a process that keeps things in the folder must deny to others."""
    return _SHARED if is_shared(folder) else _ALONE


@contextmanager
def masked(mask: int) -> Iterator[None]:
    """Make files under another umask, for a moment at the start, when there are no threads yet."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def open_for_all(path: Path) -> int:
    """Open a file that every user of its folder writes to, making it if it is missing."""
    mode = 0o660 if is_shared(path.parent) else 0o600
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, mode)
    # The caller's umask may have taken the group's part away. Another user's file is right already.
    with suppress(PermissionError):
        os.fchmod(descriptor, mode)
    return descriptor
