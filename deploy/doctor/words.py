"""The findings on a terminal of 80 columns, and as JSON."""

import datetime as dt
import json
import textwrap
from collections.abc import Iterator, Sequence

from deploy.doctor.examine import Result, worst
from deploy.doctor.finding import Grade

_WIDTH = 79
_INDENT = " " * 9
_LABELS = {Grade.FINE: "fine", Grade.WARNING: "warning", Grade.WRONG: "WRONG"}
_ENDS = {
    Grade.FINE: "All {all} checks are fine.",
    Grade.WARNING: "{warning} of {all} checks warn. Nothing is wrong today.",
    Grade.WRONG: "{wrong} of {all} checks find something WRONG, {warning} more warn. Mend what is "
    "WRONG first, then run nightferry doctor again.",
}


def speak(results: Sequence[Result], today: dt.date, *, quiet: bool) -> str:
    """Give the whole text; with `quiet` only what is not fine, so nothing if all is."""
    shown = [result for result in results if result.grade or not quiet]
    if not shown:
        return ""
    text = "\n".join(_all(shown)).rstrip("\n")
    end = "\n".join(_wrap(_end(results), ""))
    return f"nightferry doctor, {today}\n\n{text}\n\n{end}\n"


def to_json(results: Sequence[Result], today: dt.date) -> str:
    """Give the same for a program."""
    answer = {
        "nightferry": 1,
        "day": today.isoformat(),
        "state": _state(worst(results)),
        "checks": [_check(result) for result in results],
    }
    return json.dumps(answer, indent=2) + "\n"


def printable(text: str) -> str:
    """Spare the terminal what a file's name may hold: escapes, line ends, direction marks."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _all(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        yield f"{_LABELS[result.grade]:8} {result.check.name:10} {result.check.looks_at}"
        for finding in result.findings:
            yield from _wrap(f"{_LABELS[finding.grade]}: {finding.what.rstrip('.')}.", _INDENT)
            if finding.mend:
                # No full stop behind it: it often is a command, which is copied.
                yield from _wrap(f"To mend: {finding.mend}", _INDENT)
        if result.findings:
            yield ""


def _wrap(text: str, indent: str) -> list[str]:
    # Paths and commands are never broken: they are copied.
    return textwrap.wrap(
        printable(text),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _end(results: Sequence[Result]) -> str:
    grades = [result.grade for result in results]
    return _ENDS[worst(results)].format(
        all=len(grades), warning=grades.count(Grade.WARNING), wrong=grades.count(Grade.WRONG)
    )


def _check(result: Result) -> dict[str, object]:
    return {
        "name": result.check.name,
        "looks_at": result.check.looks_at,
        "state": _state(result.grade),
        "findings": [
            {
                "state": _state(finding.grade),
                "what": printable(finding.what),
                "mend": printable(finding.mend),
            }
            for finding in result.findings
        ],
    }


def _state(grade: Grade) -> str:
    return grade.name.lower()
