"""Staff accounts: made on the command line, and proved by passphrase and one-time code.

Whoever asks, and whatever of it is wrong, the work and the words are the same. A passphrase has 77
bits and every check costs 0.15 s, so guesses are not counted, and no stranger can lock anybody
out. Only a wrong code with the right passphrase is counted: somebody has stolen the passphrase, or
mistypes. docs/decisions/0016-desk.md
"""

import hashlib
import hmac
import os
import re
from dataclasses import dataclass, field

from crypto.codename import Cost
from crypto.errors import AuthenticationError
from crypto.passphrase import (
    SALT_LENGTH,
    Passphrase,
    Stretched,
    make_passphrase,
    make_salt,
    stretch_passphrase,
)
from crypto.totp import SECRET_LENGTH, TotpSecret, find_step, make_totp_secret
from crypto.wrap import Wrapped, WrappingKey, unwrap, wrap
from submit.intake.admission import Admission
from submit.intake.desk.refusals import (
    DeskBusyError,
    NoSuchStaffError,
    StaffNameError,
    StaffNameTakenError,
    WrongLoginError,
)
from submit.intake.ports import Clock
from submit.intake.refusals import BusyError
from submit.store.errors import TakenError
from submit.store.records import Staff as StaffRows
from submit.store.records import StaffRow

FREE_TRIES = 10  # wrong codes with the right passphrase; from then on one in a quarter of an hour
_CHECKS_AT_ONCE = 1  # 64 MiB each
_CHECKS_WAITING = 32
_WAIT = 20  # seconds for a place
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}")
_PURPOSE = b"staff one-time codes"
_STEP_OCTETS = 8
_NEVER = 0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a staff member needs to log in; shown once and kept nowhere."""

    name: str
    passphrase: Passphrase = field(repr=False)
    totp: TotpSecret = field(repr=False)


class Accounts:
    """The staff accounts of this desk."""

    def __init__(self, rows: StaffRows, clock: Clock, cost: Cost) -> None:
        """Keep accounts in `rows`; one check costs `cost`."""
        self._rows, self._clock, self._cost = rows, clock, cost
        self._checks, self._queue = Admission(_CHECKS_AT_ONCE), Admission(_CHECKS_WAITING)
        self._nobody = os.urandom(32)

    def add(self, name: str) -> Credentials:
        """Make an account. Raises StaffNameError, StaffNameTakenError."""
        if not _NAME.fullmatch(name):
            raise StaffNameError
        made, row = self._make(name)
        try:
            self._rows.add(row)
        except TakenError:
            raise StaffNameTakenError from None
        return made

    def reset(self, name: str) -> Credentials:
        """Give an account a new passphrase and new codes; its sessions end. NoSuchStaffError."""
        made, row = self._make(name)
        if not self._rows.replace(row):
            raise NoSuchStaffError
        return made

    def remove(self, name: str) -> None:
        """Remove an account; its sessions end. NoSuchStaffError."""
        if not self._rows.remove(name):
            raise NoSuchStaffError

    def names(self) -> list[str]:
        """Give the names of all accounts."""
        return self._rows.names()

    def prove(self, name: str, passphrase: str, code: str) -> StaffRow:
        """Give the account, as it was before, whose passphrase and code these are.

        WrongLoginError whatever is wrong with them; DeskBusyError. The code is used up.
        """
        row = self._rows.find(name)
        known = row or self._make_nobody(name)
        stretched = self._stretch(passphrase, known.salt)
        # Nobody's secret is looked at with another key, so that the same is done for everybody.
        is_proved = stretched.is_proved_by(known.verifier)
        secret, used = self._open(known, stretched)
        step = find_step(secret, code, self._clock.code_step(), used)
        if row is None or not is_proved:
            raise WrongLoginError
        if not self._rows.take_try(row.name, self._clock.quarter(), FREE_TRIES):
            raise WrongLoginError
        if step is None or not self._rows.use_code(
            row, _wrap(stretched.key, row.name, secret, step)
        ):
            raise WrongLoginError
        return row

    def _make(self, name: str) -> tuple[Credentials, StaffRow]:
        made = Credentials(name, make_passphrase(), make_totp_secret())
        salt = make_salt()
        stretched = self._stretch(made.passphrase, salt)
        wrapped = _wrap(stretched.key, name, made.totp, _NEVER)
        return made, StaffRow(name, salt, stretched.verifier, wrapped)

    def _make_nobody(self, name: str) -> StaffRow:
        salt = hmac.digest(self._nobody, name.encode(), hashlib.sha256)[:SALT_LENGTH]
        wrapped = _wrap(WrappingKey(self._nobody), name, TotpSecret(bytes(SECRET_LENGTH)), _NEVER)
        return StaffRow(name, salt, bytes(32), wrapped)

    def _stretch(self, passphrase: str, salt: bytes) -> Stretched:
        try:
            with self._queue.admit(), self._checks.admit(_WAIT):
                return stretch_passphrase(passphrase, salt, self._cost)
        except BusyError:
            raise DeskBusyError from None

    def _open(self, row: StaffRow, stretched: Stretched) -> tuple[TotpSecret, int]:
        wrapped = Wrapped(row.wrapped_totp)
        try:
            opened = unwrap(stretched.key, _PURPOSE, row.name.encode(), wrapped)
        except AuthenticationError:
            opened = bytes(SECRET_LENGTH + _STEP_OCTETS)
        return TotpSecret(opened[:SECRET_LENGTH]), int.from_bytes(opened[SECRET_LENGTH:])


def _wrap(key: WrappingKey, name: str, secret: TotpSecret, used: int) -> bytes:
    """Wrap what makes the codes, and the step of the last one used: a time nobody else reads."""
    return wrap(key, _PURPOSE, name.encode(), secret + used.to_bytes(_STEP_OCTETS))
