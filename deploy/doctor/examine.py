"""Goes through the table and grades the whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from config.errors import SettingsError
from deploy.doctor.finding import Finding, Grade, warning
from deploy.doctor.patient import Patient, UnseenError
from deploy.doctor.table import CHECKS, Check

_NO_SETTINGS = "not looked at: mend the settings first"
_NOT_ROOT = "could not be looked at: only root may"


@dataclass(frozen=True, slots=True)
class Result:
    """What one check has found."""

    check: Check
    findings: tuple[Finding, ...]

    @property
    def grade(self) -> Grade:
        """The worst of the findings."""
        return max((finding.grade for finding in self.findings), default=Grade.FINE)


def examine(patient: Patient, checks: Sequence[Check] = CHECKS) -> list[Result]:
    """Make every check. One that cannot be made is a warning, never fine."""
    return [Result(check, tuple(_make(check, patient))) for check in checks]


def worst(results: Sequence[Result]) -> Grade:
    """Grade the whole by its worst check."""
    return max((result.grade for result in results), default=Grade.FINE)


def _make(check: Check, patient: Patient) -> list[Finding]:
    found: list[Finding] = []
    try:
        for finding in check.judge(patient):
            found.append(finding)  # noqa: PERF402 # what was found before a fault is kept
    except SettingsError:
        found.append(warning(_NO_SETTINGS, ""))
    except UnseenError as error:
        found.append(
            warning(f"could not be looked at: {error}", "run it by hand; see docs/doctor.md")
        )
    except PermissionError as error:
        found.append(
            warning(f"{_NOT_ROOT} may see {error.filename}", "run nightferry doctor as root")
        )
    except (OSError, ValueError) as error:
        found.append(
            warning(
                f"could not be looked at: {type(error).__name__}: {error}", "see docs/doctor.md"
            )
        )
    return found
