"""What somebody could do who has taken a site over: tried, under the shipped unit itself."""

import json
import re
from pathlib import Path

from tests.host.deployment import Deployment
from tests.host.promise import expect

_PROBE = Path(__file__).with_name("probe.py")
_UNIT = "/usr/lib/systemd/system/nightferry-{site}.service"
_RUN = "/run/systemd/system/nightferry-probe.service"
_PLACE = "/usr/lib/nightferry/probe.py"
_RESULT = "/var/lib/nightferry/run/probe.json"

# Keys of a unit that say how it starts, not what it may do.
_OF_START = re.compile(
    r"(?m)^(Type|NotifyAccess|ExecStart|ExecReload|Restart|RestartSec|LogNamespace|Requires|After"
    r"|PartOf|WantedBy|Also|Sockets)=.*\n"
)


def sites_can_do_nothing_else(host: Deployment) -> None:
    """Under the units of both sites, every attempt in probe.py fails, and what is needed works."""
    for site in ("source", "desk"):
        found = _probe(host, site)
        broken = {name: how for name, how in found["must fail"].items() if how == "worked"}
        expect(not broken, f"the {site}'s unit shuts in what runs in it", "\n".join(broken))
        missing = {name: how for name, how in found["must work"].items() if how != "worked"}
        expect(not missing, f"the {site}'s unit lets its work be done", str(missing))


def _probe(host: Deployment, site: str) -> dict[str, dict[str, str]]:
    """Run probe.py under a copy of a site's unit that differs in what it starts alone."""
    unit = _OF_START.sub("", host.machine.path(_UNIT.format(site=site)).read_text())
    start = f"ExecStart=/usr/lib/nightferry/venv/bin/python -P -s -B {_PLACE} {_RESULT}"
    oneshot = unit.replace("[Service]\n", f"[Service]\nType=oneshot\n{start}\n")
    host.machine.path(_RUN).parent.mkdir(parents=True, exist_ok=True)
    host.machine.path(_RUN).write_text(oneshot)
    host.machine.copy_in(_PROBE, _PLACE)
    try:
        host.run("systemctl", "daemon-reload", promise="systemd reads the probe's unit")
        said = host.machine.run("systemctl", "start", "nightferry-probe.service")
        journal = host.machine.journal("--unit=nightferry-probe.service")
        expect(said.code == 0, "the probe runs", said.text + journal)
        found: dict[str, dict[str, str]] = json.loads(host.machine.path(_RESULT).read_text())
    finally:
        for place in (_RUN, _PLACE, _RESULT):
            host.machine.path(place).unlink(missing_ok=True)
        host.machine.run("systemctl", "daemon-reload")
    return found


def tor_has_no_rights(host: Deployment) -> None:
    """The running tor has no capability, cannot gain one, and is behind a system call filter."""
    pid = host.machine.main_pid("nightferry-tor.service")
    status = host.machine.path(f"/proc/{pid}/status").read_text()
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    wanted = {"CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}
    seen = {key: lines[key].strip() for key in wanted}
    expect(seen == wanted, "tor runs without rights", str(seen))


def exposure_is_low(host: Deployment) -> None:
    """systemd itself, in the running machine, rates the units as docs/hardening.md says."""
    limits = {"source": 30, "desk": 30, "tor": 30}
    for name, limit in limits.items():
        said = host.machine.run(
            "systemd-analyze", "security", f"--threshold={limit}", f"nightferry-{name}.service"
        )
        last = said.text.strip().splitlines()[-1] if said.text.strip() else ""
        expect(said.code == 0, f"nightferry-{name} is rated {limit / 10} at most", last)
