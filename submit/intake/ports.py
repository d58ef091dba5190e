"""What the intake asks of the world outside: the clock, the body of a request, limits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

_DAY = 86400
_QUARTER = 900
_CODE_STEP = 30


class Body(Protocol):
    """The body of one request, as it arrives."""

    def read(self, octets: int) -> bytes:
        """Wait for the next octets; give at most `octets`, none when the body has ended.

        In whatever way it did: its length, a cut, a silence, a stop.
        """

    def stop_when(self, interrupted: Callable[[], bool]) -> None:
        """End the body early, as if cut off, soon after `interrupted()` has become true."""


class Clock:
    """The time, no finer than anything at rest may know it."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """Take what tells the seconds since 1970."""
        self._seconds = seconds

    def day(self) -> int:
        """Give the UTC day number."""
        return int(self._seconds()) // _DAY

    def quarter(self) -> int:
        """Give the quarter of an hour since 1970."""
        return int(self._seconds()) // _QUARTER

    def code_step(self) -> int:
        """Give the half minute since 1970, by which one-time codes go; kept only wrapped."""
        return int(self._seconds()) // _CODE_STEP


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decides for the intake. Lengths in octets."""

    max_form_file_length: int
    max_message_length: int
    session_idle_quarters: int
    upload_idle_days: int
    complete_answer_days: int = 1
    # So much of one request may lie unsynced: bounds what a power cut takes, and the last wait.
    sync_interval: int = 64 << 20
