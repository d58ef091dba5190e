"""Drift of units: systemd runs what was shipped, with every protection of it."""

import re
from collections.abc import Iterator, Mapping

from deploy.doctor import systemd
from deploy.doctor.finding import Finding, some, warning, wrong
from deploy.doctor.patient import Patient
from deploy.places import UNITS

_SHIPPED = ("/usr/lib/systemd/system/", "/lib/systemd/system/")
_TRUE, _FALSE = {"yes", "true", "on"}, {"no", "false", "off"}
# A word, a number, a path, or nothing: what systemd shows as it was written.
_PLAIN = re.compile(r"(?!-)[\w./-]*")
# These it shows in a form of its own.
_NOT_COMPARED = {
    "BindPaths",
    "BindReadOnlyPaths",
    "CoredumpFilter",
    "ExecStart",
    "IOSchedulingClass",
    "IPAddressDeny",
    "KillSignal",
    "MemoryMax",
    "SystemCallErrorNumber",
    "SystemCallFilter",
}


def judge(patient: Patient) -> Iterator[Finding]:
    """Find units that something stands before, that were loosened, or that systemd has not read."""
    for name, shown in patient.units.items():
        if shown.get("LoadState") != "loaded":
            continue
        yield from _judge_files(name, shown)
        yield from _judge_values(patient, name, shown)


def _judge_files(name: str, shown: Mapping[str, str]) -> Iterator[Finding]:
    if not shown.get("FragmentPath", "").startswith(_SHIPPED):
        yield wrong(
            f"{name} is read from {shown.get('FragmentPath')}, which stands before the shipped one",
            f"remove that file, then systemctl daemon-reload && systemctl restart {name}",
        )
    added = [path for path in shown.get("DropInPaths", "").split() if not _is_shipped(path)]
    if added:
        yield warning(
            f"{name} is changed by {some(added)}",
            "if that was you, look at each upgrade whether it is still needed; else remove it",
        )
    if shown.get("NeedDaemonReload") == "yes":
        yield warning(
            f"systemd still runs an older {name}",
            f"systemctl daemon-reload && systemctl restart {name}",
        )


def _is_shipped(path: str) -> bool:
    return path.startswith(("/usr/lib/systemd/", "/lib/systemd/"))


def _judge_values(patient: Patient, name: str, shown: Mapping[str, str]) -> Iterator[Finding]:
    """Compare each plain value of the shipped unit with the one that is in force."""
    shipped = systemd.parse_unit_file(patient.read(UNITS / name), "Service")
    lost = []
    for key, values in shipped.items():
        if key in _NOT_COMPARED or key not in shown or len(values) != 1:
            continue
        if _PLAIN.fullmatch(values[0]) and not _same(values[0], shown[key]):
            lost.append(f"{key} is {shown[key] or 'off'}, shipped as {values[0] or 'nothing'}")
    if lost:
        yield wrong(
            f"{name} runs without what protects it: {some(lost)}",
            f"systemctl cat {name} shows which file does it; remove that, then systemctl "
            f"daemon-reload && systemctl restart {name}",
        )


def _same(shipped: str, shown: str) -> bool:
    if shipped.lower() in _TRUE:
        return shown not in _FALSE and shown != ""
    if shipped.lower() in _FALSE:
        return shown in _FALSE
    return shipped.casefold() == shown.casefold()  # capabilities are shown in small letters
