"""The doctor, the daily report and the word for a monitor, on a host that is whole, and on a broken one."""

import json
from dataclasses import dataclass
from pathlib import Path

from tests.host.deployment import Deployment
from tests.host.machine import Said
from tests.host.promise import expect, tell

_REPORT = "/var/lib/nightferry-report/latest.asc"

# What the doctor cannot find well in namespaces, and why. On a real host it is looked at like the rest.
_LIMITS = {
    "apparmor": "the kernel's AppArmor is the real machine's, and this one may not speak to it",
    "circuits": "there is no network, so tor finds nobody",
    "clock": "there is no network, so no time server answers",
    "kernel": "the kernel's settings are the real machine's, and read only here",
    "backups": "until the first backup is made",
    "upgrades": "apt has no lists here, and nothing asks for upgrades by itself",
}


@dataclass(frozen=True)
class Fault:
    """Something that is broken on purpose: what, how, which check has to find it, how it is mended."""

    words: str
    how: str
    check: str
    mend: str


_SITE = "systemctl restart nightferry-source.service"
_JOURNAL = "/etc/systemd/journald@nightferry.conf.d"
_DROP_IN = "/etc/systemd/system/nightferry-source.service.d"
FAULTS = (
    Fault(
        "the uploads' folder is open to all",
        "chmod 2777 /var/lib/nightferry/uploads",
        "modes",
        "nightferry init",
    ),
    Fault(
        "the settings are readable by all",
        "chmod 644 /etc/nightferry/nightferry.toml",
        "modes",
        "chmod 640 /etc/nightferry/nightferry.toml",
    ),
    Fault(
        "a file in clear lies among the uploads",
        "echo secret >/var/lib/nightferry/uploads/video.mp4",
        "plaintext",
        "rm /var/lib/nightferry/uploads/video.mp4",
    ),
    Fault(
        "a unit has lost a protection",
        f"mkdir -p {_DROP_IN}; printf '[Service]\\nPrivateNetwork=no\\nRestrictAddressFamilies=\\n' "
        f">{_DROP_IN}/mine.conf; systemctl daemon-reload; {_SITE}",
        "units",
        f"rm -r {_DROP_IN}; systemctl daemon-reload; {_SITE}",
    ),
    Fault(
        "a shipped file was changed",
        "echo '# mine' >>/usr/lib/nightferry/app/wsgi.py",
        "package",
        "sed -i '$d' /usr/lib/nightferry/app/wsgi.py",
    ),
    Fault(
        "the desk is stopped",
        "systemctl stop nightferry-desk.socket nightferry-desk.service",
        "services",
        "nightferry init",
    ),
    Fault(
        "tor is stopped",
        "systemctl stop nightferry-tor.service",
        "services",
        "nightferry init",
    ),
    Fault(
        "the firewall is gone",
        "nft delete table inet nightferry",
        "firewall",
        "systemctl restart nightferry-firewall.service",
    ),
    Fault(
        "the proof of work is off",
        "sed -i 's/^HiddenServicePoWDefensesEnabled 1/HiddenServicePoWDefensesEnabled 0/' "
        "/etc/nightferry/torrc",
        "torrc",
        "nightferry init",
    ),
    Fault(
        "the desk's door has no lock",
        "mv /var/lib/nightferry-tor/desk/authorized_clients /root/clients",
        "onions",
        "mv /root/clients /var/lib/nightferry-tor/desk/authorized_clients",
    ),
    Fault(
        "the journal is kept on the disk",
        f"mkdir -p {_JOURNAL}; printf '[Journal]\\nStorage=persistent\\n' >{_JOURNAL}/zz.conf",
        "journal",
        f"rm -r {_JOURNAL}",
    ),
    Fault(
        "a sealed file belongs to nobody",
        "install -o nightferry -g nightferry -m 660 /dev/null "
        "/var/lib/nightferry/uploads/aaaaaaaaaaaaaaaaaaaaaaaaaa.tar.gpg",
        "files",
        "rm /var/lib/nightferry/uploads/aaaaaaaaaaaaaaaaaaaaaaaaaa.tar.gpg",
    ),
    Fault(
        "the settings cannot be read",
        "echo 'nonsense = 1' >>/etc/nightferry/nightferry.toml",
        "settings",
        "sed -i '$d' /etc/nightferry/nightferry.toml; "
        "systemctl restart nightferry-source.service nightferry-desk.service",
    ),
    Fault(
        "a dump of the service's memory lies on the disk",
        "mkdir -p /var/lib/systemd/coredump && : >/var/lib/systemd/coredump/core.python.996",
        "memory",
        "rm /var/lib/systemd/coredump/core.python.996",
    ),
)


def doctor_is_content(host: Deployment) -> None:
    """Every check is fine, but for those that cannot be in namespaces; these are named, with why."""
    found = _findings(host)
    limits = _limits()
    wrong = {name: words for name, words in found.items() if name not in limits}
    expect(not wrong, "the doctor finds nothing that namespaces do not explain", _words(wrong))
    for name in found:
        tell(f"  in namespaces the doctor cannot be content with '{name}': {limits[name]}")


def doctor_finds_what_is_broken(host: Deployment) -> None:
    """Each fault is found by its check, and is gone when it was mended as the words say."""
    before = _findings(host)
    for fault in FAULTS:
        host.run("sh", "-c", fault.how, promise=f"it can be broken: {fault.words}")
        new = {name: words for name, words in _findings(host).items() if words != before.get(name)}
        expect(fault.check in new, f"the doctor finds that {fault.words}", _words(new))
        tell(f"  {fault.words}: {new[fault.check][0]}")
        host.run("sh", "-c", fault.mend, promise=f"it can be mended: {fault.words}")
    after = _findings(host)
    left = {name: words for name, words in after.items() if name not in before}
    expect(not left, "all that was broken is mended", _words(left))


def report_is_the_same_every_day(host: Deployment) -> None:
    """The daily report is made by its unit, sealed to the recipients, and always equally long."""
    start = ["systemctl", "start", "nightferry-report.service"]
    lengths, text = set(), ""
    for _ in range(2):
        host.run(*start, promise="the report is made by its unit")
        sealed = host.machine.path(_REPORT).read_bytes()
        lengths.add(len(sealed))
        opened = host.ngo.gpg("--decrypt", given=sealed)
        expect(opened.returncode == 0, "the recipient opens the report", opened.stderr.decode())
        text = opened.stdout.decode()
    expect(len(lengths) == 1, "every report is equally long", str(lengths))
    tell(f"  {lengths.pop()} octets; its first line: {text.splitlines()[0]}")


def health_is_one_word(host: Deployment) -> None:
    """A monitor gets one word and an exit code, also when the site is down."""
    said = host.nightferry("health")
    expect(said == Said(0, "fine\n"), "health says that all is fine", str(said))
    host.run("systemctl", "stop", "nightferry-tor.service", promise="tor stops")
    said = host.nightferry("health")
    expect(said == Said(2, "down\n"), "health says that it is down", str(said))
    host.run("systemctl", "start", "nightferry-tor.service", promise="tor starts")


def daily_work_is_done(host: Deployment) -> None:
    """What the timers start runs to its end under its shipped units."""
    for name in ("daily", "doctor", "report"):
        unit = f"nightferry-{name}.service"
        said = host.machine.run("systemctl", "start", unit)
        journal = host.machine.journal(f"--unit={unit}")
        # The doctor's exit status is its finding; what namespaces explain is above.
        expect(said.code == 0 or name == "doctor", f"{unit} does its work", said.text + journal)


def _limits() -> dict[str, str]:
    has_swap = len(Path("/proc/swaps").read_text().splitlines()) > 1
    swap = {"memory": "the swap is the real machine's"} if has_swap else {}
    return _LIMITS | swap


def _findings(host: Deployment) -> dict[str, list[str]]:
    """Give what the doctor finds, by the name of the check."""
    said = host.nightferry("doctor", "--json")
    expect(said.text.lstrip().startswith("{"), "the doctor answers", said.text)
    checks = json.loads(said.text)["checks"]
    found = {
        check["name"]: [f"{each['what']} - To mend: {each['mend']}" for each in check["findings"]]
        for check in checks
    }
    return {name: words for name, words in found.items() if words}


def _words(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{name}: {each}" for name, words in found.items() for each in words)
