"""Copies of memory on the disk: swap in clear, core files, what lies in services' /tmp."""

from collections.abc import Iterator
from pathlib import Path

from deploy.doctor import systemd
from deploy.doctor.finding import Finding, some, warning, wrong
from deploy.doctor.patient import Patient
from deploy.places import DATA

_CORES = Path("/var/lib/systemd/coredump")
_OURS = ("python", "gunicorn", "nightferry", "tor.", "gpg")
_SHRED = "shred -u it, and find out what crashed: journalctl --namespace=nightferry"


def judge(patient: Patient) -> Iterator[Finding]:
    """Find memory that was, or could be, written to the disk in clear."""
    for device in _swaps(patient):
        if not _is_sealed(patient, device):
            yield warning(
                f"{device} is swap in clear. The services are kept out of it; a shell in which you "
                "looked at something is not",
                "swapoff -a and take it out of /etc/fstab, or encrypt it (crypttab: swap)",
            )
    cores = _cores(patient)
    if cores:
        yield wrong(
            f"copies of crashed programs' memory lie on the disk, with all they held: {some(cores)}",
            _SHRED,
        )
    for unit in (*systemd.SITES, systemd.TOR):
        left = _in_tmp(patient, patient.units.get(unit, {}).get("MainPID", "0"))
        if left:
            yield wrong(f"{unit} has left files in its /tmp: {some(left)}", _SHRED)


def _swaps(patient: Patient) -> list[str]:
    lines = patient.read(Path("/proc/swaps")).splitlines()[1:]
    return [line.split()[0] for line in lines if line.strip()]


def _is_sealed(patient: Patient, device: str) -> bool:
    """Tell whether a swap is in memory (zram), or if not lies on something encrypted."""
    if device.startswith("/dev/zram"):
        return True
    below = device
    if not device.startswith("/dev/"):
        below = patient.ask("df", "--output=source", device).splitlines()[-1].strip()
    layers = patient.ask("lsblk", "--inverse", "--noheadings", "--output=TYPE", below)
    return "crypt" in layers


def _cores(patient: Patient) -> list[str]:
    kept = patient.host.path(_CORES)
    named = [path.name for path in kept.glob("core.*") if path.name[5:].startswith(_OURS)]
    bare = [
        str(folder / path.name)
        for folder in (Path("/"), DATA, DATA / "run", Path("/var/crash"))
        for path in patient.host.path(folder).glob("core*")
        if path.is_file() and path.name.rstrip("0123456789") in {"core", "core."}
    ]
    return sorted([*(str(_CORES / name) for name in named), *bare])


def _in_tmp(patient: Patient, pid: str) -> list[str]:
    """Give what lies in the /tmp that a process sees."""
    if pid == "0":
        return []
    seen = patient.host.path(Path("/proc") / pid / "root/tmp")
    return sorted(path.name for path in seen.iterdir()) if seen.is_dir() else []
