"""One step of `init`, and how a row of them is gone through.

Rule 1: a step is a question and a deed. The question is asked of the host before and after.
Rule 2: what holds already is left alone and said so; a second run changes nothing.
Rule 3: the first step that fails ends the run and is named. What was done before it holds.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from deploy.errors import DeployError

_FAILED: Final = """\
the step '{name}' failed: {reason}
What stands above it is done and stays. Mend this, then run the same command again: it leaves alone
what is done and goes on here."""


@dataclass(frozen=True, slots=True)
class Step:
    """What must be true of the host.

    `make` changes the host so that it is true; it gives words for the sysadmin if there is something
    to hand over, or the empty text.
    """

    name: str
    why: str
    is_so: Callable[[], bool]
    make: Callable[[], str]


class StepFailedError(DeployError):
    """A step could not be made true."""


@dataclass(slots=True)
class Tally:
    """How many steps held already, and how many were or would be made."""

    held: int = 0
    made: int = 0


def go_through(steps: Iterable[Step], say: Callable[[str], None], *, dry_run: bool) -> Tally:
    """Make every step true, in order; or say only which are not. Raises StepFailedError."""
    tally = Tally()
    for step in steps:
        if _holds(step):
            tally.held += 1
            say(_line("is so", step))
        elif dry_run:
            tally.made += 1
            say(_line("would", step))
        else:
            _make(step, say)
            tally.made += 1
    return tally


def _holds(step: Step) -> bool:
    """Ask. What cannot even be asked, because an earlier step is still to come, is not so."""
    try:
        return step.is_so()
    except DeployError:
        return False


def _make(step: Step, say: Callable[[str], None]) -> None:
    try:
        words = step.make()
        holds = step.is_so()
    except (DeployError, OSError) as error:
        say(_line("FAILED", step))
        raise StepFailedError(_FAILED.format(name=step.name, reason=error)) from None
    if words:
        # Said even if the step then does not hold: it may be the only time that this is shown.
        say(f"\n{words}")
    if not holds:
        say(_line("FAILED", step))
        reason = "it was done, and yet it is not so. Something else on this host undoes it."
        raise StepFailedError(_FAILED.format(name=step.name, reason=reason))
    say(_line("made", step))


def _line(what: str, step: Step) -> str:
    return f"{what:<8}{step.name:<12}{step.why}"
