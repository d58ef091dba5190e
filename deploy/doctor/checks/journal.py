"""The journal: what the services say is kept in memory, for days, and nowhere else."""

from collections.abc import Iterator
from pathlib import Path

from deploy.doctor.finding import Finding, some, wrong
from deploy.doctor.patient import Patient
from deploy.doctor.systemd import parse_unit_file

_KEPT = Path("/var/log/journal")
_NAMESPACE = "nightferry"
# systemd reads all of them, sorted by their names; the last one that sets a key wins, and one in
# /etc takes the place of one with the same name in /usr/lib (journald.conf(5)).
_MAIN = Path("/etc/systemd/journald@nightferry.conf")
_ADDED = (
    Path("/usr/lib/systemd/journald@nightferry.conf.d"),
    Path("/etc/systemd/journald@nightferry.conf.d"),
)
_WANTED = {"Storage": "volatile", "ForwardToSyslog": "no"}


def judge(patient: Patient) -> Iterator[Finding]:
    """Find a journal that is, or will be, written to the disk."""
    values = _in_force(patient)
    for key, wanted in _WANTED.items():
        if values.get(key, "not set") != wanted:
            yield wrong(
                f"{key} is {values.get(key, 'not set')} instead of {wanted}: what happens, and "
                "when, is written to the disk",
                f"set {key}={wanted} again ({_MAIN}.d, {_ADDED[0]}), then systemctl restart "
                "systemd-journald@nightferry",
            )
    kept = patient.host.path(_KEPT)
    # systemd makes the folder, whatever the settings; what counts is whether there is anything in it.
    every = kept.glob(f"*.{_NAMESPACE}/*") if kept.is_dir() else ()
    files = sorted({path.parent.name for path in every})
    if files:
        yield wrong(
            f"in {_KEPT} lies a journal of the services: {some(files)}",
            f"rm {_KEPT}/*.{_NAMESPACE}/*; then find out what made it persistent",
        )


def _in_force(patient: Patient) -> dict[str, str]:
    files = {}
    for folder in _ADDED:
        place = patient.host.path(folder)
        for path in place.glob("*.conf") if place.is_dir() else ():
            files[path.name] = folder / path.name
    values: dict[str, str] = {}
    for path in (_MAIN, *(files[name] for name in sorted(files))):
        for key, given in parse_unit_file(patient.read(path), "Journal").items():
            values[key] = given[-1]
    return values
