"""What the report says, always in the same number of octets."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from deploy.doctor.examine import Result
from deploy.doctor.finding import Grade
from deploy.report.counts import Counts

LENGTH: Final = 4096  # octets: room for every check to find something

_LABELS = {Grade.WARNING: "warning", Grade.WRONG: "WRONG"}
_STEP = 5  # percent of the disk: finer would tell of single uploads

_TEXT = """\
Nightferry report, {day}

Waiting for staff (not fetched yet)
  files          {files:>6}
  messages       {messages:>6}
Unfinished       {unfinished:>8}   (sources still send these, or have stopped)
Arrived yesterday{yesterday:>8}

The disk is {disk} full.

{doctor}

This report is made every day, in the same size, whether or not anything came.
If it does not come, or its day is old: look at the host.
"""


def write(
    day: dt.date, counts: Counts | None, used: float | None, results: Sequence[Result]
) -> bytes:
    """Give the report's octets. `used` is the part of the disk that is full, 0 to 1."""
    text = _TEXT.format(
        day=day,
        **_numbers(counts),
        disk=_percent(used),
        doctor=_doctor(results),
    )
    return pad(text)


def pad(text: str) -> bytes:
    """Fill up to LENGTH with spaces and a line's end; cut off what is longer."""
    return text.encode()[: LENGTH - 1].ljust(LENGTH - 1) + b"\n"


def _numbers(counts: Counts | None) -> dict[str, int | str]:
    return {key: "?" if counts is None else getattr(counts, key) for key in Counts.__slots__}


def _percent(used: float | None) -> str:
    return "?" if used is None else f"about {round(used * 100 / _STEP) * _STEP} %"


def _doctor(results: Sequence[Result]) -> str:
    """Name the checks that find something. What they found may hold names of files: it stays."""
    found = [result for result in results if result.grade]
    if not found:
        return f"The doctor made {len(results)} checks: all are fine."
    lines = [f"  {_LABELS[one.grade]:8} {one.check.name:10} {one.check.looks_at}" for one in found]
    head = f"The doctor made {len(results)} checks, and these find something:"
    return "\n".join([head, *lines, "On the host, as root: nightferry doctor"])
