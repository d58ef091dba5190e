"""What happens to the service and to its disk, drawn by Hypothesis for the machine."""

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.intake.lossy_disk import Fate, Trouble

FATES = st.lists(st.sampled_from(Fate), max_size=4)
_NOT_KEPT = st.sampled_from([Fate.LOST, Fate.TORN, Fate.LENGTH])
# What was written first is not there, and what was written last is.
HOLES = _NOT_KEPT.map(lambda first: [first, *[Fate.KEPT] * 9])


@dataclass
class Crash:
    """The process dies at some operation of the disk's; then perhaps the power fails."""

    at: int
    torn: float
    power: bool
    fates: list[Fate]
    names: int


def crashes(
    first: int, last: int, fates: st.SearchStrategy[list[Fate]] = FATES
) -> st.SearchStrategy[Crash]:
    """Draw crashes at one of these operations."""
    return st.builds(
        Crash,
        at=st.integers(first, last),
        torn=st.floats(0, 1),
        power=st.booleans(),
        fates=fates,
        names=st.integers(0, 3),
    )


def troubles(first: int, last: int) -> st.SearchStrategy[Trouble]:
    """Draw a disk that is full, or cannot sync, from one of these operations on."""
    return st.builds(
        Trouble,
        countdown=st.integers(first, last),
        kind=st.sampled_from(["full", "sync fails"]),
        torn=st.floats(0, 1),
        fates=FATES,
    )
