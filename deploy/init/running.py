"""Steps that let it all run, and see that it does."""

import os
import socket
from pathlib import Path
from typing import Final

from deploy.backup.place import Place
from deploy.errors import DeployError
from deploy.host import Host
from deploy.init.step import Step
from deploy.init.texts import other_tor_works
from deploy.init.written import SSH_RULE
from deploy.onion.store import addresses
from deploy.onion.units import TOR_UNIT, is_active
from deploy.places import DESK_SOCKET, RECIPIENTS, SETTINGS, SOURCE_SOCKET, TORRC
from deploy.settings import HostSettings

TARGET: Final = "nightferry.target"
BACKUP: Final = "nightferry-backup.timer"
FIREWALL: Final = "nightferry-firewall.service"
SOURCE: Final = "nightferry-source.service"
DESK: Final = "nightferry-desk.service"

OTHER_TOR: Final = "tor.service"

# In this order, so that tor comes when there is something behind it, and the firewall first of all.
UNITS: Final = (
    FIREWALL,
    "nightferry-source.socket",
    "nightferry-desk.socket",
    SOURCE,
    DESK,
    TOR_UNIT,
    "nightferry-daily.timer",
    "nightferry-report.timer",
    "nightferry-doctor.timer",
    TARGET,
)
# What each of them reads once, when it starts or is told to.
_READ: Final = {
    FIREWALL: (SSH_RULE,),
    SOURCE: (SETTINGS, RECIPIENTS),
    DESK: (SETTINGS,),
    TOR_UNIT: (TORRC,),
}
_PATIENCE: Final = 20  # seconds for one answer on a slow host that has just started


def running_steps(host: Host, settings: HostSettings) -> tuple[Step, ...]:
    """Give the steps from stopped to serving."""
    return (
        Step(
            "other tor",
            "Debian's own tor is off: unless you gave it work, nobody needs it here",
            lambda: not _is_idle_tor(host),
            lambda: _stop_other_tor(host),
        ),
        Step(
            "running",
            "firewall, both sites, tor and the daily work run, now and after a restart of the host",
            lambda: _are_running(host),
            lambda: _start(host),
        ),
        Step(
            "backup",
            _backup_words(settings),
            lambda: is_active(host, BACKUP) == bool(settings.backup_to),
            lambda: _switch_backup(host, settings.backup_to),
        ),
        Step(
            "answer",
            "both sites answer at the sockets where tor finds them",
            lambda: _answer(host),
            lambda: _explain_silence(host),
        ),
    )


def _is_idle_tor(host: Host) -> bool:
    """Tell whether Debian's tor runs as it was installed: open to all programs, used by none."""
    there = host.run("systemctl", "is-enabled", "--quiet", OTHER_TOR).code == 0
    return (there or is_active(host, OTHER_TOR)) and not other_tor_works(host)


def _stop_other_tor(host: Host) -> str:
    _systemctl(host, "disable", "--quiet", "--now", OTHER_TOR)
    return ""


def _are_running(host: Host) -> bool:
    enabled = host.run("systemctl", "is-enabled", "--quiet", TARGET).code == 0
    return enabled and all(is_active(host, unit) for unit in UNITS) and not _outdated(host)


def _outdated(host: Host) -> list[str]:
    """Name the units that run with what was in a file before it was changed."""
    return [
        unit
        for unit, files in _READ.items()
        if is_active(host, unit) and _changed(host, *files) > _since(host, unit)
    ]


def _changed(host: Host, *files: Path) -> int:
    """Give the second of the latest change. A folder changes with what is put into it."""
    there = [path for path in (host.path(file) for file in files) if path.exists()]
    return max((int(path.stat().st_mtime) for path in there), default=0)


def _since(host: Host, unit: str) -> int:
    """Give the second in which a unit started or was last told to read its files anew."""
    asked = ("--property=StateChangeTimestamp", "--value", "--timestamp=unix")
    stamp = host.run("systemctl", "show", unit, *asked).said.strip().removeprefix("@")
    return int(stamp) if stamp.isdecimal() else 0


def _start(host: Host) -> str:
    _systemctl(host, "daemon-reload")
    _systemctl(host, "enable", "--quiet", TARGET)
    for unit in _outdated(host):
        for file in _READ[unit]:
            # After a clock was put back, a file can be of the future: newer than any start.
            os.utime(host.path(file))
        _systemctl(host, "restart" if unit in (SOURCE, DESK) else "reload-or-restart", unit)
    for unit in UNITS:
        _systemctl(host, "start", unit)
    return ""


def _switch_backup(host: Host, place: str) -> str:
    if place:
        Place(host.path(Path(place))).make()
    _systemctl(host, "enable" if place else "disable", "--quiet", "--now", BACKUP)
    return ""


def _systemctl(host: Host, *words: str) -> None:
    ran = host.run("systemctl", *words)
    if ran.code != 0:
        unit = words[-1]
        raise DeployError(
            f"`systemctl {' '.join(words)}` could not: {ran.complained.strip()}\n"
            f"  Look at: systemctl status {unit}\n"
            f"  and at:  journalctl --namespace=nightferry --unit={unit}"
        )


def _answer(host: Host) -> bool:
    found = addresses(host)
    return _says_yes(host.path(SOURCE_SOCKET), found.source) and _says_yes(
        host.path(DESK_SOCKET), found.desk
    )


def _says_yes(path: Path, name: str) -> bool:
    """Ask for the first page; a page or the way to one is a yes."""
    request = f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE)
            connection.connect(str(path))
            connection.sendall(request.encode())
            head = connection.recv(64)
    except OSError:
        return False
    return head.startswith((b"HTTP/1.1 2", b"HTTP/1.1 3"))


def _explain_silence(host: Host) -> str:
    found = addresses(host)
    sites = ((SOURCE, SOURCE_SOCKET, found.source), (DESK, DESK_SOCKET, found.desk))
    silent = [unit for unit, path, name in sites if not _says_yes(host.path(path), name)]
    if not silent:
        return ""
    looks = "\n".join(f"  journalctl --namespace=nightferry --unit={unit}" for unit in silent)
    raise DeployError(f"{' and '.join(silent)} runs and does not answer. Look at:\n{looks}")


def _backup_words(settings: HostSettings) -> str:
    if settings.backup_to:
        return f"a backup goes to {settings.backup_to} every day"
    return "no daily backup: backup_to in host.toml is empty"
