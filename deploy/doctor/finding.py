"""What a check finds."""

from dataclasses import dataclass
from enum import IntEnum


class Grade(IntEnum):
    """How bad it is; the number is the exit status of a doctor who has found nothing worse."""

    FINE = 0
    WARNING = 1  # it works today, and will not for ever; or a protection is weaker than it could be
    WRONG = 2  # something does not work, or a promise is not kept


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    `what`: what is so, and what follows from it. `mend`: what to do, a command where there is one;
    empty if another finding says it. Both may hold names of files, so they are made printable before they are shown.
    """

    grade: Grade
    what: str
    mend: str


def warning(what: str, mend: str) -> Finding:
    """Find something that can wait until tomorrow."""
    return Finding(Grade.WARNING, what, mend)


def wrong(what: str, mend: str) -> Finding:
    """Find something that cannot wait."""
    return Finding(Grade.WRONG, what, mend)


def some(names: list[str], most: int = 3) -> str:
    """Name a few of many."""
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left} more" if left > 0 else "")
