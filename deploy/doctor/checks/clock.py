"""The clock: tor, expiry of keys and retention all go by it."""

from collections.abc import Iterator

from deploy.doctor.finding import Finding, warning, wrong
from deploy.doctor.patient import Patient
from deploy.places import LIBRARY

_MEND = "systemctl enable --now systemd-timesyncd, and let its servers through the firewall"


def judge(patient: Patient) -> Iterator[Finding]:
    """Find a clock that nothing sets, or that stands before the day this version was made."""
    made = patient.host.path(LIBRARY / "app" / "wsgi.py")
    if made.exists() and patient.days_since(made.stat().st_mtime) < 0:
        yield wrong(
            f"it says {patient.now:%Y-%m-%d}, which is before this version was made. Tor finds no "
            "way with a wrong clock, and keys seem valid that are not",
            _MEND,
        )
    if patient.ask("timedatectl", "show", "--property=NTPSynchronized", "--value").strip() != "yes":
        yield warning(
            "no time server has set it since the start. Tor needs it right within minutes", _MEND
        )
