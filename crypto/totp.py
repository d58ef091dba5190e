"""One-time codes by time (TOTP, RFC 6238): what staff's phones show, in its usual parameters.

HMAC-SHA1, six digits, steps of 30 seconds: every authenticator program knows these, and many
know no others. SHA-1's weakness is in collisions, which HMAC does not rest on (RFC 6238, 1.2).
"""

import base64
import hashlib
import hmac
import os
import re
from typing import Final, NewType
from urllib.parse import quote, urlencode

TotpSecret = NewType("TotpSecret", bytes)

SECRET_LENGTH: Final = 20  # octets: that of the hash (RFC 4226, 4, R6)
STEP: Final = 30  # seconds
DIGITS: Final = 6
WINDOW: Final = 1  # steps before and after the server's own that are taken

_SPACES = re.compile(r"\s+")
_CODE = re.compile(r"[0-9]{6}")


def make_totp_secret() -> TotpSecret:
    """Make a new secret."""
    return TotpSecret(os.urandom(SECRET_LENGTH))


def one_time_code(secret: TotpSecret, step: int) -> str:
    """Give the code of a step, which is the seconds since 1970 divided by 30."""
    digest = hmac.digest(secret, step.to_bytes(8), hashlib.sha1)
    at = digest[-1] & 0xF  # RFC 4226, 5.3
    number = int.from_bytes(digest[at : at + 4]) & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def find_step(secret: TotpSecret, typed: str, now: int, after: int) -> int | None:
    """Give the step near `now`, and later than `after`, whose code was typed; None if none is."""
    code = _SPACES.sub("", typed)
    given = code if _CODE.fullmatch(code) else ""
    found = None
    for step in range(now - WINDOW, now + WINDOW + 1):
        # Every candidate is compared: how long it takes says nothing about which one was near.
        if hmac.compare_digest(one_time_code(secret, step), given) and step > after:
            found = step
    return found


def provisioning_uri(secret: TotpSecret, issuer: str, name: str) -> str:
    """Give the otpauth:// address by which authenticator programs take a secret over."""
    query = urlencode({"secret": in_base32(secret), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(name)}?{query}"


def in_base32(secret: TotpSecret) -> str:
    """Write a secret as programs take it when it is typed: base32, without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def read_base32(text: str) -> TotpSecret:
    """Undo `in_base32`, forgiving spaces and case. Raises ValueError."""
    letters = _SPACES.sub("", text).upper()
    return TotpSecret(base64.b32decode(letters + "=" * (-len(letters) % 8)))
