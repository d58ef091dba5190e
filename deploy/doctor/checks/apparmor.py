"""AppArmor: whether our profiles are enforced, and our processes run under them."""

from collections.abc import Iterator
from pathlib import Path

from deploy.doctor import systemd
from deploy.doctor.finding import Finding, warning, wrong
from deploy.doctor.patient import Patient

_ENABLED = Path("/sys/module/apparmor/parameters/enabled")
_PROFILES = Path("/sys/kernel/security/apparmor/profiles")
_CONFINED = {
    "nightferry-source": "nightferry-source.service",
    "nightferry-desk": "nightferry-desk.service",
    "nightferry-tor": systemd.TOR,
}


def judge(patient: Patient) -> Iterator[Finding]:
    """Find profiles that are not enforced, and processes that run without theirs."""
    if patient.read(_ENABLED).strip() != "Y":
        yield warning(
            "this kernel does not have it switched on. The units' own walls stand; a second is "
            "missing",
            "apt-get install apparmor, and boot a kernel of Debian's",
        )
        return
    loaded = dict(_modes(patient.read(_PROFILES)))
    for profile, unit in _CONFINED.items():
        if loaded.get(profile) != "enforce":
            yield wrong(
                f"the profile {profile} is {loaded.get(profile, 'not loaded')}: it stops nothing",
                f"apparmor_parser --replace /etc/apparmor.d/{profile} && systemctl restart {unit}",
            )
        elif _runs_free(patient, profile, unit):
            yield wrong(
                f"{unit} runs without its profile, since it was started before that was loaded",
                f"systemctl restart {unit}",
            )


def _modes(text: str) -> Iterator[tuple[str, str]]:
    """Read lines of the form `name (mode)`."""
    for line in text.splitlines():
        name, _, mode = line.rpartition(" ")
        yield name, mode.strip("()")


def _runs_free(patient: Patient, profile: str, unit: str) -> bool:
    pid = patient.units.get(unit, {}).get("MainPID", "0")
    if pid == "0":
        return False
    label = patient.read(Path("/proc") / pid / "attr" / "current")
    return bool(label) and label.split()[0] != profile
