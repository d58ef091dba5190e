"""`nightferry doctor`."""

import argparse
import datetime as dt
import sys
import time

from deploy.doctor.patient import Patient
from deploy.host import Host

_PAUSE = 2  # seconds: between a row and its file lie milliseconds


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `doctor`."""
    words = "look at this host and say what is wrong with it; 0: fine, 1: warnings, 2: wrong"
    parser = commands.add_parser("doctor", help=words, description=words)
    parser.add_argument("--json", action="store_true", help="for a program")
    parser.add_argument("--quiet", action="store_true", help="nothing, unless something is found")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Look at this host, say what is found, and give the exit status."""
    said, status = look(this_host(), as_json=options.json, quiet=options.quiet)
    sys.stdout.write(said)
    return status


def look(patient: Patient, *, as_json: bool, quiet: bool) -> tuple[str, int]:
    """Give what is to be said of a host, and the exit status."""
    # The other commands need not wait for all that the checks bring.
    from deploy.doctor.examine import examine, worst  # noqa: PLC0415
    from deploy.doctor.words import speak, to_json  # noqa: PLC0415

    results, today = examine(patient), patient.now.date()
    said = to_json(results, today) if as_json else speak(results, today, quiet=quiet)
    return said, int(worst(results))


def this_host() -> Patient:
    """Give the host on which this runs, at this moment."""
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 # the edge, where the clock enters
    return Patient(Host(), now, lambda: time.sleep(_PAUSE))
