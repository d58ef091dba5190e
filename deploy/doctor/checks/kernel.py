"""The kernel's settings, as they were shipped and as they are."""

from collections.abc import Iterator
from pathlib import Path

from deploy.doctor.finding import Finding, some, warning, wrong
from deploy.doctor.patient import Patient

_SHIPPED = Path("/usr/lib/sysctl.d/60-nightferry.conf")
_CORES = "kernel.core_pattern"


def judge(patient: Patient) -> Iterator[Finding]:
    """Find settings of the kernel that another file, or somebody, has set otherwise."""
    other = [
        (key, now, value)
        for key, value in _settings(patient.read(_SHIPPED))
        if (now := _now(patient, key)) is not None and now != value
    ]
    for key, now, value in other:
        if key == _CORES:
            yield wrong(
                f"a program that crashes leaves its memory on the disk: {key} is {now}",
                f"sysctl -w '{key}={value}'; grep -r core_pattern /etc/sysctl.d shows what sets it",
            )
    rest = [f"{key} is {now}, shipped as {value}" for key, now, value in other if key != _CORES]
    if rest:
        yield warning(
            f"the kernel is more open than it was shipped: {some(rest)}",
            f"sysctl --load={_SHIPPED}; if it comes back, look into /etc/sysctl.d",
        )


def _settings(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")):
            yield key.strip().removeprefix("-"), value.strip()


def _now(patient: Patient, key: str) -> str | None:
    """Give the value that is in force, None if this kernel has no such setting."""
    path = patient.host.path(Path("/proc/sys") / key.replace(".", "/"))
    try:
        return " ".join(path.read_text(encoding="utf-8").split())
    except OSError:
        return None
