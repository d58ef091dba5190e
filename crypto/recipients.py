"""Look at the certificates we are to seal to, and refuse in words what will not do.

Rule 1: one certificate in each file, with or without armor, and never a secret key.
Rule 2: GnuPG judges (signatures, expiry, revocation); here its judgement is put into words. Its
        listing says why a certificate will not do; that one will do is believed only when GnuPG
        has encrypted to it (a listing of GnuPG 2.4 takes user ids that nobody has signed).
Rule 3: nothing is imported. GnuPG runs in an empty home directory and leaves it empty.

GnuPG's columns are described in its doc/DETAILS, "Format of the colon listings".
"""

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import gnupg

from crypto.errors import (
    CannotEncryptError,
    ExpiredRecipientError,
    GnuPGRefusedError,
    InvalidRecipientError,
    NoRecipientError,
    NotACertificateError,
    RecipientError,
    RepeatedRecipientError,
    RevokedRecipientError,
    SecretMaterialError,
    SeveralCertificatesError,
    UnreadableRecipientError,
)
from crypto.session_key import ISOLATION, encrypt_nothing, require_empty_home, start_gnupg

WARN_BEFORE: Final = dt.timedelta(days=30)

# Field 2 of a key. Any other letter speaks of trust, for which nobody is asked here.
_REFUSED: Final[dict[str, type[RecipientError]]] = {
    "r": RevokedRecipientError,
    "e": ExpiredRecipientError,
    "i": InvalidRecipientError,
    "n": InvalidRecipientError,
    "d": InvalidRecipientError,
}
_MAY_ENCRYPT = "e"  # in field 12
_SEC_RECORD = "sec"
_NEVER: Final = dt.date.max


@dataclass(frozen=True, slots=True)
class Recipient:
    """A certificate that can be sealed to today.

    `expires` is the first day (UTC) on which that is over, None if there is none: of the primary
    key, or of the last subkey that can be encrypted to, whichever is earlier. `user_ids` hold
    printable characters only.
    """

    path: Path
    fingerprint: str
    user_ids: tuple[str, ...]
    expires: dt.date | None


@dataclass(frozen=True, slots=True)
class _Key:
    """A primary key or subkey as GnuPG lists it."""

    validity: str
    capabilities: str
    expires: dt.date


@dataclass(frozen=True, slots=True)
class _Certificate:
    """What GnuPG lists of one file."""

    fingerprint: str
    user_ids: tuple[str, ...]
    primary: _Key
    subkeys: tuple[_Key, ...]

    @property
    def usable_until(self) -> list[dt.date]:
        """For each key that can be encrypted to today, the day on which that ends."""
        return [
            key.expires
            for key in (self.primary, *self.subkeys)
            if _MAY_ENCRYPT in key.capabilities and key.validity not in _REFUSED
        ]


def inspect(paths: Sequence[Path], gnupg_home: Path, today: dt.date) -> tuple[Recipient, ...]:
    """Look at every file, in order.

    `gnupg_home` is an empty directory of mode 0700, `today` a day in UTC; a certificate that
    expires in the course of today has expired. Raises NoRecipientError for an empty list, a
    child of RecipientError for the first file that will not do, or what
    crypto.session_key.start_gnupg raises.
    """
    if not paths:
        raise NoRecipientError
    gpg = _start(gnupg_home, today)
    seen: dict[str, Recipient] = {}
    for path in paths:
        recipient = _inspect_one(gpg, path)
        if recipient.fingerprint in seen:
            raise RepeatedRecipientError(path)
        seen[recipient.fingerprint] = recipient
    return tuple(seen.values())


def expiring_soon(recipient: Recipient, today: dt.date) -> bool:
    """Tell whether there are 30 days left or fewer."""
    return recipient.expires is not None and recipient.expires - today <= WARN_BEFORE


def _start(home: Path, today: dt.date) -> gnupg.GPG:
    require_empty_home(home)
    end_of_day = f"{today:%Y%m%d}T235959"
    gpg = start_gnupg(
        "gpg",
        home,
        *ISOLATION,
        # Only the two together spare the trust database, which GnuPG would else make in the home
        # directory, or fail for want of it at an expired certificate (2.2.40).
        *("--trust-model", "always", "--fast-list-mode"),
        *("--faked-system-time", end_of_day),
    )
    gpg.decode_errors = "replace"  # a user id may be any octets
    return gpg


def _inspect_one(gpg: gnupg.GPG, path: Path) -> Recipient:
    _require_readable(path)
    found = _require_single(_list(gpg, path), path)
    if found.primary.validity in _REFUSED:
        raise _REFUSED[found.primary.validity](path)
    if not found.usable_until:
        raise CannotEncryptError(path)
    _require_encrypting(gpg, path)
    last = min(found.primary.expires, max(found.usable_until))
    return Recipient(path, found.fingerprint, found.user_ids, None if last == _NEVER else last)


def _require_readable(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError:
        raise UnreadableRecipientError(path) from None


def _list(gpg: gnupg.GPG, path: Path) -> gnupg.ScanKeys:
    """Let GnuPG list the file. The path is absolute so that it cannot be taken for an option."""
    try:
        return gpg.scan_keys(str(path.absolute()))
    except LookupError:
        # A line of fewer fields than GnuPG writes: a user id with a line separator in it.
        raise NotACertificateError(path) from None


def _require_single(listing: gnupg.ScanKeys, path: Path) -> _Certificate:
    if any(key["type"] == _SEC_RECORD for key in listing):
        raise SecretMaterialError(path)
    if listing.returncode != 0 or not listing:
        raise NotACertificateError(path)
    if len(listing) > 1:
        raise SeveralCertificatesError(path)
    (fields,) = listing
    return _Certificate(
        fingerprint=fields["fingerprint"],
        user_ids=tuple(_printable(user_id) for user_id in fields["uids"]),
        primary=_read_key(fields),
        subkeys=tuple(_read_key(each) for each in fields.get("subkey_info", {}).values()),
    )


def _require_encrypting(gpg: gnupg.GPG, path: Path) -> None:
    try:
        encrypt_nothing(gpg, [path], secrets.token_hex(32))
    except GnuPGRefusedError:
        raise InvalidRecipientError(path) from None


def _read_key(fields: Mapping[str, str]) -> _Key:
    until = fields["expires"]
    expires = dt.datetime.fromtimestamp(int(until), dt.UTC).date() if until else _NEVER
    return _Key(fields["trust"], fields["cap"], expires)


def _printable(text: str) -> str:
    """Spare the operator's terminal what a user id may hold: escapes and direction marks."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
