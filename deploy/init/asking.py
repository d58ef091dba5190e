"""Asks on the terminal for what the command line leaves open; without a terminal it refuses.

Rule 1: nothing is asked that an earlier run has settled.
Rule 2: the fingerprint is typed by a person who has it from elsewhere: it is never shown first.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.host import Host
from deploy.init.plan import Key, Plan, RefusedError, has_recipient, prove_key, read_fingerprint
from deploy.onion.clients import client_names, require_name
from deploy.places import HOST_SETTINGS
from deploy.settings import HostSettings, load_host_settings

_NO_TERMINAL: Final = (
    "{what} is not given, and there is no terminal to ask on. Nothing was changed. Run:\n"
    "  nightferry init --key FILE --fingerprint FINGERPRINT [--name-of-staff NAME]"
)
_SSH: Final = "Port by which SSH may come in (0: none)"


@dataclass(frozen=True, slots=True)
class Words:
    """What the command line said; None for what it left open."""

    key: Path | None = None
    fingerprint: str | None = None
    staff: str | None = None
    ssh_port: int | None = None
    backup_to: str | None = None
    report_to: str | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """How to ask for one line, and how to say something. `ask` is None without a terminal."""

    ask: Callable[[str], str] | None
    say: Callable[[str], None]
    today: dt.date
    ssh_seen: int = HostSettings.ssh_port


def make_plan(host: Host, words: Words, asker: Asker) -> Plan:
    """Settle everything that is open. Raises DeployError, CryptoError, SettingsError."""
    key = _key(host, words, asker)
    staff = _staff(host, words, asker)
    if staff is not None:
        require_name(staff)
    return Plan(key, _settings(host, words, asker), staff)


def _key(host: Host, words: Words, asker: Asker) -> Key | None:
    if words.key is None and words.fingerprint is None and has_recipient(host):
        return None
    path = words.key or Path(_ask(asker, "The key", "File with the NGO's public key"))
    typed = words.fingerprint or _ask(
        asker, "The fingerprint", "Its fingerprint, as the NGO told you by another way"
    )
    key, warning = prove_key(host, path, read_fingerprint(typed), asker.today)
    if warning:
        asker.say(warning)
    return key


def _staff(host: Host, words: Words, asker: Asker) -> str | None:
    first_run = not client_names(host)
    if words.staff is None and asker.ask is not None and first_run:
        return asker.ask("Name of the first staff account (empty: none yet): ").strip() or None
    return words.staff


def _settings(host: Host, words: Words, asker: Asker) -> HostSettings:
    if host.path(HOST_SETTINGS).exists():
        return _as_they_are(load_host_settings(host), words)
    port = words.ssh_port
    if port is None and asker.ask is not None:
        port = _number(asker.ask(f"{_SSH} [{asker.ssh_seen}]: ").strip(), asker.ssh_seen)
    return HostSettings(
        ssh_port=asker.ssh_seen if port is None else port,
        backup_to=words.backup_to or "",
        report_to=words.report_to or "",
    )


def _as_they_are(there: HostSettings, words: Words) -> HostSettings:
    """Once made, the file is the sysadmin's: no option overrules it in silence."""
    for key in ("ssh_port", "backup_to", "report_to"):
        wanted = getattr(words, key)
        if wanted is not None and wanted != getattr(there, key):
            raise RefusedError(
                f"{HOST_SETTINGS} says {key} = {getattr(there, key)!r}, not {wanted!r}. Nothing was "
                "changed. Change it in the file, then run: nightferry init"
            )
    return there


def _ask(asker: Asker, what: str, question: str) -> str:
    if asker.ask is None:
        raise RefusedError(_NO_TERMINAL.format(what=what))
    return asker.ask(f"{question}: ").strip()


def _number(typed: str, default: int) -> int:
    if not typed:
        return default
    if not (typed.isascii() and typed.isdecimal()):
        raise RefusedError(f"{typed!r} is no port: a number from 0 to 65535. Nothing was changed.")
    return int(typed)
