"""What must run: sockets, sites, tor, firewall, timers; now and after the next start."""

from collections.abc import Iterator, Mapping

from deploy.doctor import systemd
from deploy.doctor.finding import Finding, warning, wrong
from deploy.doctor.patient import Patient
from deploy.places import RECIPIENTS, SETTINGS

_WORDS: Mapping[str, str] = {
    "nightferry-source.socket": "tor cannot reach the source's site",
    "nightferry-desk.socket": "tor cannot reach the desk",
    "nightferry-source.service": "the source's site is down",
    "nightferry-desk.service": "the desk is down",
    systemd.TOR: "nobody can reach either site",
    systemd.FIREWALL: "other programs than tor can speak to the network",
    "nightferry-daily.timer": "nothing expires, and keys that should be gone are kept",
    "nightferry-report.timer": "no report is made, and nobody will notice",
    "nightferry-doctor.timer": "nobody looks at this host each day",
    systemd.BACKUP_TIMER: "no backups are made",
}
_RESTARTS = 3


def judge(patient: Patient) -> Iterator[Finding]:
    """Find what does not run, has failed, or will not come back by itself."""
    units = patient.units
    for name in _expected(patient):
        yield from _judge_running(name, units.get(name, {}))
    # Not the doctor's own: that it has failed says what it found, which is said here anyway.
    for name in systemd.JOBS:
        if units.get(name, {}).get("ActiveState") == "failed":
            yield warning(
                f"{name} has failed at its last run",
                f"journalctl --namespace=nightferry --unit={name} says why",
            )
    for name in systemd.SITES:
        yield from _judge_age(patient, name, units.get(name, {}))
    if units.get(systemd.TARGET, {}).get("UnitFileState") not in {"enabled", "enabled-runtime"}:
        yield wrong(
            "nothing of this comes back after the next start", "systemctl enable nightferry.target"
        )


def _expected(patient: Patient) -> list[str]:
    """Give what must be active. A desk or a backup that nobody set up need not be."""
    names = [*systemd.SOCKETS, *systemd.SITES, systemd.TOR, systemd.FIREWALL, *systemd.TIMERS]
    if patient.host_settings.backup_to:
        names.append(systemd.BACKUP_TIMER)
    if patient.settings.desk_hosts:
        return names
    return [name for name in names if "-desk." not in name]


def _judge_running(name: str, shown: Mapping[str, str]) -> Iterator[Finding]:
    state = shown.get("ActiveState", "unknown")
    if shown.get("LoadState") != "loaded":
        yield wrong(
            f"{name} is {shown.get('LoadState', 'unknown')}: {_WORDS[name]}",
            f"systemctl unmask {name}; if it is not there, apt-get install --reinstall nightferry",
        )
    elif state not in {"active", "reloading"}:
        yield wrong(
            f"{name} is {state}: {_WORDS[name]}",
            f"systemctl restart {name}; journalctl --namespace=nightferry --unit={name} says why "
            "it stopped",
        )
    elif int(shown.get("NRestarts") or 0) >= _RESTARTS:
        yield warning(
            f"{name} had to be started again {shown['NRestarts']} times by systemd",
            f"journalctl --namespace=nightferry --unit={name} says why; systemctl reset-failed "
            f"{name} counts anew",
        )


def _judge_age(patient: Patient, name: str, shown: Mapping[str, str]) -> Iterator[Finding]:
    """Find a site that still works by older settings than those on the disk."""
    since = systemd.started(shown)
    if since is None:
        return
    files = [patient.host.path(SETTINGS)]
    if name != systemd.DESK:  # which seals nothing
        files += patient.host.path(RECIPIENTS).glob("*.asc")
    if any(path.exists() and path.stat().st_mtime > since for path in files):
        yield warning(
            f"{name} was started before its settings or certificates were changed",
            f"systemctl restart {name}. No upload is lost by it",
        )
