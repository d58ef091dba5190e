"""What `init` was asked for, proved before the first step."""

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.settings import load
from crypto.recipients import Recipient, expiring_soon, inspect
from deploy.errors import DeployError
from deploy.host import Host, private_folder
from deploy.places import LIBRARY, RECIPIENTS, SETTINGS, TORRC_TEMPLATE
from deploy.settings import HostSettings

_ARMOR: Final = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_FINGERPRINT: Final = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
_NOT_FOUND: Final = 127  # what Host.run gives
_PROGRAMS: Final = {"gpg": "gpg", "tor": "tor", "nft": "nftables", "systemctl": "systemd"}


class RefusedError(DeployError):
    """The host, the key or the words on the command line will not do. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Key:
    """A certificate that uploads shall be sealed to: whose fingerprint was confirmed by a person."""

    fingerprint: str
    content: bytes

    @property
    def path(self) -> Path:
        """Where it lies on the host."""
        return RECIPIENTS / f"{self.fingerprint}.asc"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the host shall be.

    `key` is None where the recipients stay as they are. `settings` are what host.toml says, or shall
    say. `staff` is the name of the first staff account, None if none is wanted yet.
    """

    key: Key | None
    settings: HostSettings
    staff: str | None

    @property
    def first_client(self) -> str:
        """The name of the first key to the desk: without any, tor would let everybody in."""
        return self.staff or "staff"


def require_installed(host: Host) -> None:
    """Refuse a host on which the package, or a program that it needs, is not. Raises RefusedError."""
    for place in (LIBRARY, TORRC_TEMPLATE):
        if not host.path(place).exists():
            raise RefusedError(
                f"{place} is not there: the package is not installed on this host. "
                "Nothing was changed. Run: apt install ./nightferry_*.deb"
            )
    for program, package in _PROGRAMS.items():
        if host.run(program, "--version").code == _NOT_FOUND:
            raise RefusedError(
                f"{program} is not installed. Nothing was changed. Run: apt install {package}"
            )


def require_sensible_settings(host: Host) -> None:
    """Refuse settings that the service would refuse. Raises a `SettingsError` in its words."""
    if host.path(SETTINGS).exists():
        load(host.path(SETTINGS))


def require_sealable(host: Host, today: dt.date) -> None:
    """Refuse certificates of an earlier run that will not do any more. Raises crypto's errors."""
    there = sorted(host.path(RECIPIENTS).glob("*.asc"))
    if there:
        with private_folder(host) as home:
            inspect(there, host.path(home), today)


def has_recipient(host: Host) -> bool:
    """Tell whether an earlier run has put a certificate in place."""
    return any(host.path(RECIPIENTS).glob("*.asc"))


def read_fingerprint(typed: str) -> str:
    """Read a whole fingerprint as people write it. Raises RefusedError."""
    letters = re.sub(r"[\s:]", "", typed).upper().removeprefix("0X")
    if not _FINGERPRINT.fullmatch(letters):
        raise RefusedError(
            f"{typed.strip()!r} is no fingerprint: it has 40 of the signs 0-9 and A-F, in groups or "
            "not. A shorter number names many keys. Nothing was changed."
        )
    return letters


def prove_key(host: Host, path: Path, fingerprint: str, today: dt.date) -> tuple[Key, str]:
    """Look at the certificate; give it, and a warning or the empty text.

    Raises one of crypto's recipient errors, in words, if it cannot be sealed to, RefusedError if it
    is another than the one whose fingerprint was given.
    """
    recipient = _inspect(host, path, today)
    if recipient.fingerprint != fingerprint:
        raise RefusedError(
            f"{path} holds another key than the one that you were told of. Nothing was changed.\n"
            f"  in the file  {in_groups(recipient.fingerprint)}\n"
            f"  you gave     {in_groups(fingerprint)}\n"
            "Ask the key's owner for both again, by two different ways."
        )
    content = path.read_bytes()
    if not content.startswith(_ARMOR):
        raise RefusedError(
            f"{path} is not in armor, and the sites show the key to sources as text. Nothing was "
            "changed. Export it again: gpg --armor --export FINGERPRINT"
        )
    return Key(recipient.fingerprint, content), _warning(recipient, today)


def in_groups(fingerprint: str) -> str:
    """Write a fingerprint as people compare it."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))


def _inspect(host: Host, path: Path, today: dt.date) -> Recipient:
    with private_folder(host) as home:
        (recipient,) = inspect([path], host.path(home), today)
    return recipient


def _warning(recipient: Recipient, today: dt.date) -> str:
    if not expiring_soon(recipient, today):
        return ""
    return (
        f"WARNING: this key expires on {recipient.expires}. From then on nothing is received. "
        "Ask its owner to extend it now."
    )
