"""Sessions: a random cookie opens the source's key, and nothing else does.

The server keeps the cookie's hash and, wrapped under the cookie, the source's key and a mark by
which the codename is noticed in a message. So a seized disk opens no session, and a session
survives a restart of the server.
"""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field

from crypto.codename import CodenameMark
from crypto.wrap import WRAPPING_KEY_LENGTH, Wrapped, WrappingKey, unwrap, wrap
from submit.intake.ports import Clock, Rules
from submit.intake.refusals import NoSessionError
from submit.store.records import SessionRow
from submit.store.records import Sessions as SessionRows

_COOKIE_OCTETS = 32
_PURPOSE = b"source key in a session"


@dataclass(frozen=True, slots=True)
class Session:
    """A source that is logged in.

    `form_token` stands in every form of its pages. `confirmed`: it has its codename, for it has
    typed it back or come in with it. `last_visit`: the UTC day number of the visit before this
    one; None in the session in which the source was made. `introduced`: the recipients have its
    certificate. `codename_mark` is None in a session from before there were marks.
    """

    source: bytes
    key: WrappingKey = field(repr=False)
    cookie_hash: bytes = field(repr=False)
    form_token: str = field(repr=False)
    codename_mark: CodenameMark | None = field(default=None, repr=False)
    confirmed: bool = False
    last_visit: int | None = None
    introduced: bool = False


class Sessions:
    """Begins, recalls, extends and ends sessions."""

    def __init__(self, rows: SessionRows, clock: Clock, rules: Rules) -> None:
        """Keep sessions in `rows`."""
        self._rows, self._clock, self._rules = rows, clock, rules

    def begin(
        self, source: bytes, key: WrappingKey, mark: CodenameMark, visit_before: int | None
    ) -> str:
        """Begin a session; give its cookie, which is kept nowhere."""
        cookie = os.urandom(_COOKIE_OCTETS)
        cookie_hash = hashlib.sha256(cookie).digest()
        wrapped = wrap(WrappingKey(cookie), _PURPOSE, cookie_hash, key + mark)
        self._rows.add(SessionRow(cookie_hash, source, wrapped, self._expiry(), visit_before))
        return base64.urlsafe_b64encode(cookie).decode().rstrip("=")

    def recall(self, typed: str | None) -> Session:
        """Open the session of a cookie; NoSessionError if there is none or it has expired."""
        cookie = _decode_cookie(typed)
        cookie_hash = hashlib.sha256(cookie).digest()
        row = self._rows.find(cookie_hash)
        if row is None:
            raise NoSessionError
        if row.expires < self._clock.quarter():
            self._rows.remove(cookie_hash)
            raise NoSessionError
        if row.expires < self._expiry():
            self._rows.extend(cookie_hash, self._expiry())
        wrapped = Wrapped(row.wrapped_key)
        secret = unwrap(WrappingKey(cookie), _PURPOSE, cookie_hash, wrapped)
        key, mark = secret[:WRAPPING_KEY_LENGTH], secret[WRAPPING_KEY_LENGTH:]
        return Session(
            source=row.source,
            key=WrappingKey(key),
            cookie_hash=cookie_hash,
            form_token=_form_token(cookie),
            codename_mark=CodenameMark(mark) if mark else None,
            confirmed=row.confirmed,
            last_visit=row.visit_before,
            introduced=row.introduced,
        )

    def keep_alive(self, session: Session) -> None:
        """Let a session live on while the bytes of an upload flow."""
        self._rows.extend(session.cookie_hash, self._expiry())

    def end(self, typed: str | None) -> None:
        """End the session of a cookie, if there is one."""
        try:
            cookie = _decode_cookie(typed)
        except NoSessionError:
            return
        self._rows.remove(hashlib.sha256(cookie).digest())

    def _expiry(self) -> int:
        return self._clock.quarter() + self._rules.session_idle_quarters


def _decode_cookie(typed: str | None) -> bytes:
    try:
        cookie = base64.b64decode((typed or "") + "=", altchars=b"-_", validate=True)
    except ValueError:
        raise NoSessionError from None
    if len(cookie) != _COOKIE_OCTETS:
        raise NoSessionError
    return cookie


def _form_token(cookie: bytes) -> str:
    return hmac.new(cookie, b"form token", hashlib.sha256).hexdigest()


def dead_form_token(typed: str | None) -> str | None:
    """Give the token that the forms of this cookie's session had, though it may have ended."""
    try:
        return _form_token(_decode_cookie(typed))
    except NoSessionError:
        return None
