"""`nightferry report` and `nightferry health`."""

import argparse
import shutil

from deploy.doctor.command import this_host
from deploy.doctor.patient import Patient
from deploy.errors import DeployError
from deploy.places import GROUP, REPORTS

LATEST = REPORTS / "latest.asc"
_KEPT = "the report is sealed and lies in {place}{sent}"


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `report` and `health`."""
    words = f"seal today's counts and the doctor's findings to the recipients: {LATEST}"
    report = commands.add_parser("report", help=words, description=words)
    report.set_defaults(command=run_report)
    words = "one word for a monitor; 0: fine, 1: full, 2: down, 3: unknown"
    health = commands.add_parser("health", help=words, description=words)
    health.set_defaults(command=run_health)


def run_report(_options: argparse.Namespace) -> int:
    """Make the report, keep it, and send it if it is to be sent."""
    patient = this_host()
    sent = make(patient)
    print(_KEPT.format(place=LATEST, sent=", and it was given to sendmail" if sent else ""))
    return 0


def make(patient: Patient) -> bool:
    """Write today's report; tell whether it was sent, too. Raises DeployError."""
    # `health` is asked every minute and must not wait for all that the checks bring.
    from deploy.doctor.examine import examine  # noqa: PLC0415
    from deploy.report import counts, mail, sealing, text  # noqa: PLC0415

    results = examine(patient)
    written = text.write(patient.now.date(), counts.count(patient), _used(patient), results)
    sealed = sealing.seal(patient, written)
    try:
        patient.host.write(LATEST, sealed, "root", GROUP, 0o640)
    except OSError as error:
        raise DeployError(
            f"the report could not be kept: {LATEST}: {error.strerror}. The last one lies there "
            "still; nightferry doctor may know why"
        ) from None
    return mail.send(patient, sealed, LATEST)


def run_health(_options: argparse.Namespace) -> int:
    """Say one word."""
    from deploy.report.health import health  # noqa: PLC0415

    found = health(this_host())
    print(found.name.lower())
    return int(found)


def _used(patient: Patient) -> float | None:
    """Give the part of the data's disk that is full, as df counts it."""
    try:
        usage = shutil.disk_usage(patient.host.path(patient.settings.data))
    except OSError:
        return None
    return usage.used / (usage.used + usage.free)
