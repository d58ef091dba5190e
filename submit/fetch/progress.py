"""How far the run is: octets on the stick, files verified, speed, time left. Pure."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

_WINDOW = 60.0  # seconds over which speed is measured: circuits are not even
_THOUSAND = 1000
_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_WHOLE = 2  # units that are shown without a decimal
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_SOON = 1.5  # of a unit: below that, the smaller one is said


@dataclass
class Progress:
    """Counts. `octets`: on the stick now or in a moment; `files`: to bring. Safe from threads.

    `clock` gives seconds from any beginning, never backwards.
    """

    clock: Callable[[], float]
    files: int
    octets: int
    done_files: int = 0
    done_octets: int = 0
    _seen: deque[tuple[float, int]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def came(self, octets: int) -> None:
        """Count octets that are written to the stick."""
        with self._lock:
            self.done_octets += octets
            self._seen.append((self.clock(), octets))
            self._forget()

    def thrown_away(self, octets: int) -> None:
        """Take back octets that turned out wrong."""
        with self._lock:
            self.done_octets -= octets

    def verified(self) -> None:
        """Count a file that was read back from the stick and is what the desk has."""
        with self._lock:
            self.done_files += 1

    def line(self) -> str:
        """Give the one line."""
        with self._lock:
            self._forget()
            rate = self._rate()
        parts = [
            f"{self.done_files:,} of {self.files:,} verified",
            f"{amount(self.done_octets)} of {amount(self.octets)}",
            f"{amount(rate)}/s",
        ]
        if rate:
            left = max(0, self.octets - self.done_octets) / rate
            parts.append(f"about {duration(left)} left")
        return "  ".join(parts)

    def _rate(self) -> float:
        if not self._seen:
            return 0
        seconds = max(1.0, self.clock() - self._seen[0][0])
        return sum(octets for _, octets in self._seen) / seconds

    def _forget(self) -> None:
        while self._seen and self._seen[0][0] < self.clock() - _WINDOW:
            self._seen.popleft()


def amount(octets: float) -> str:
    """Give a number of octets as people say it: `12.3 GB`."""
    unit = 0
    while octets >= _THOUSAND and unit < len(_UNITS) - 1:
        octets /= _THOUSAND
        unit += 1
    return f"{octets:.{0 if unit < _WHOLE else 1}f} {_UNITS[unit]}"


def duration(seconds: float) -> str:
    """Give a length of time as people say it."""
    if seconds < _SOON * _MINUTE:
        return f"{seconds:.0f} seconds"
    if seconds < _SOON * _HOUR:
        return f"{seconds / _MINUTE:.0f} minutes"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.1f} hours"
    return f"{seconds / _DAY:.1f} days"


def counted(number: int, thing: str) -> str:
    """Give a number of things: `1 file`, `5,000 files`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
