"""What goes into an archive: contents by their paths, with modes, and nothing of this machine."""

from dataclasses import dataclass
from pathlib import PurePosixPath

PLAIN = 0o644
PROGRAM = 0o755


@dataclass(frozen=True, slots=True)
class Member:
    """One file's octets and mode; or, with `target`, a symbolic link."""

    octets: bytes = b""
    mode: int = PLAIN
    target: str = ""


# By the path on the host, without the first slash.
Members = dict[str, Member]


def folders(members: Members) -> list[str]:
    """Give the folders that the members lie in, each after the one that holds it."""
    every = {str(folder) for path in members for folder in PurePosixPath(path).parents}
    return sorted(every - {"."})
