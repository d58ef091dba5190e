"""All checks, in the order in which a sysadmin should read them. docs/doctor.md explains each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deploy.doctor.checks import (
    apparmor,
    backups,
    circuits,
    clock,
    database,
    disk,
    files,
    firewall,
    journal,
    kernel,
    keys,
    listeners,
    memory,
    modes,
    onions,
    package,
    plaintext,
    services,
    settings,
    sites,
    torrc,
    units,
    upgrades,
)
from deploy.doctor.finding import Finding
from deploy.doctor.patient import Patient


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at."""

    name: str
    looks_at: str
    judge: Callable[[Patient], Iterator[Finding]]


CHECKS = (
    Check("settings", "both settings files, against the units", settings.judge),
    Check("keys", "certificates: sealed to today, and in 30 days", keys.judge),
    Check("services", "sockets, sites, tor, firewall and timers run", services.judge),
    Check("sites", "both sites answer over their sockets", sites.judge),
    Check("circuits", "tor has circuits; both onions are announced", circuits.judge),
    Check("onions", "the onion addresses; the desk asks for a key", onions.judge),
    Check("torrc", "tor's settings: PoW, limits, nothing logged", torrc.judge),
    Check("disk", "room above the reserve, inodes, the system's disk", disk.judge),
    Check("database", "this version's form, and whole", database.judge),
    Check("files", "each sealed file has its row, each row its file", files.judge),
    Check("plaintext", "nothing lies there that is not sealed", plaintext.judge),
    Check("memory", "swap, core files, what services left in /tmp", memory.judge),
    Check("modes", "owners and modes of every place", modes.judge),
    Check("package", "shipped files are as they were shipped", package.judge),
    Check("units", "systemd runs them with every protection", units.judge),
    Check("apparmor", "profiles are loaded, enforced and in use", apparmor.judge),
    Check("firewall", "loaded, shut, with the shipped rules", firewall.judge),
    Check("listeners", "nobody of ours listens on TCP", listeners.judge),
    Check("kernel", "the kernel's settings", kernel.judge),
    Check("journal", "in memory only", journal.judge),
    Check("clock", "set by a time server", clock.judge),
    Check("backups", "there is one, and it is not old", backups.judge),
    Check("upgrades", "none waits, and somebody asks for them", upgrades.judge),
)
