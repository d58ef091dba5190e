"""Sessions at the desk: a random cookie, of which the server keeps the hash."""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field

from submit.intake.desk.accounts import Accounts
from submit.intake.desk.refusals import NoStaffSessionError
from submit.intake.ports import Clock
from submit.store.records import StaffSessionRow
from submit.store.records import StaffSessions as SessionRows

_COOKIE_OCTETS = 32


@dataclass(frozen=True, slots=True)
class StaffSession:
    """Somebody who is logged in. `form_token` stands in every form of the desk's pages.

    `wrong_codes`: how many wrong codes were typed with the right passphrase before this login.
    """

    name: str
    cookie_hash: bytes = field(repr=False)
    form_token: str = field(repr=False)
    wrong_codes: int = 0


class StaffSessions:
    """Begins, recalls, extends and ends sessions."""

    def __init__(
        self, rows: SessionRows, accounts: Accounts, clock: Clock, idle_quarters: int
    ) -> None:
        """Keep sessions in `rows`; they end after `idle_quarters` of an hour without a request."""
        self._rows, self._accounts, self._clock = rows, accounts, clock
        self._idle_quarters = idle_quarters

    def begin(self, name: str, passphrase: str, code: str) -> str:
        """Log somebody in; give the cookie, which is kept nowhere. See `Accounts.prove`."""
        account = self._accounts.prove(name, passphrase, code)
        cookie = os.urandom(_COOKIE_OCTETS)
        cookie_hash = hashlib.sha256(cookie).digest()
        row = StaffSessionRow(cookie_hash, account.name, self._expiry(), account.wrong_codes)
        self._rows.add(row)
        return base64.urlsafe_b64encode(cookie).decode().rstrip("=")

    def recall(self, typed: str | None) -> StaffSession:
        """Open the session of a cookie; NoStaffSessionError if there is none or it has expired."""
        cookie = _decode_cookie(typed)
        cookie_hash = hashlib.sha256(cookie).digest()
        row = self._rows.find(cookie_hash)
        if row is None:
            raise NoStaffSessionError
        if row.expires < self._clock.quarter():
            self._rows.remove(cookie_hash)
            raise NoStaffSessionError
        if row.expires < self._expiry():
            self._rows.extend(cookie_hash, self._expiry())
        token = hmac.new(cookie, b"desk form token", hashlib.sha256).hexdigest()
        return StaffSession(row.staff, cookie_hash, token, row.wrong_codes)

    def keep_alive(self, session: StaffSession) -> None:
        """Let a session live on while a file is fetched."""
        self._rows.extend(session.cookie_hash, self._expiry())

    def end(self, typed: str | None) -> None:
        """End the session of a cookie, if there is one."""
        try:
            cookie = _decode_cookie(typed)
        except NoStaffSessionError:
            return
        self._rows.remove(hashlib.sha256(cookie).digest())

    def _expiry(self) -> int:
        return self._clock.quarter() + self._idle_quarters


def _decode_cookie(typed: str | None) -> bytes:
    try:
        cookie = base64.b64decode((typed or "") + "=", altchars=b"-_", validate=True)
    except ValueError:
        raise NoStaffSessionError from None
    if len(cookie) != _COOKIE_OCTETS:
        raise NoStaffSessionError
    return cookie
