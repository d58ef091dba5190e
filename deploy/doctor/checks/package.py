"""Drift of files: what the package brought, against what lies on the disk."""

from collections.abc import Iterator

from deploy.doctor.finding import Finding, some, warning, wrong
from deploy.doctor.patient import Patient, UnseenError

_PACKAGE = "nightferry"
_CONFFILE = "c"


def judge(patient: Patient) -> Iterator[Finding]:
    """Find shipped files that were changed or are gone (dpkg --verify)."""
    state = patient.host.run("dpkg-query", "--show", "--showformat=${db:Status-Status}", _PACKAGE)
    if state.said != "installed":
        yield wrong(
            f"the package is {state.said or 'not'} installed: nothing keeps its files right",
            "apt-get install ./nightferry_*.deb",
        )
        return
    yield from _judge_files(_verify(patient))


def _verify(patient: Patient) -> list[tuple[str, bool]]:
    """Give what differs: the path, and whether it is the sysadmin's to edit.

    dpkg(1), --verify-format rpm: nine letters or `missing`, then `c` for a conffile, then the path.
    """
    ran = patient.host.run("dpkg", "--verify", _PACKAGE)
    if ran.code not in {0, 1}:
        raise UnseenError(f"dpkg --verify failed: {ran.complained.strip()}")
    found = []
    for line in ran.said.splitlines():
        before, slash, rest = line.partition(" /")
        if slash:
            found.append((f"/{rest}", before.split()[-1] == _CONFFILE))
    return found


def _judge_files(found: list[tuple[str, bool]]) -> Iterator[Finding]:
    ours = [path for path, conffile in found if not conffile]
    edited = [path for path, conffile in found if conffile]
    if ours:
        yield wrong(
            f"{len(ours)} files of the package were changed or are gone: {some(ours)}",
            "if that was not you, treat the host as compromised (docs/runbook.md); else "
            "apt-get install --reinstall nightferry",
        )
    if edited:
        yield warning(
            f"edited here, so upgrades ask about it: {some(edited)}",
            "if that was you, keep your copy and compare at each upgrade",
        )
