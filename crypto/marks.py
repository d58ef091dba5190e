"""Marks: what is found again without being known (HMAC-SHA256, RFC 2104).

    mark   = HMAC-SHA256 of the parts, each with its length before it
    subkey = HKDF-SHA256 of the key, labelled with the purpose

Rule 1: a mark is keyed by the source's key. Who has the database and not the codename can
        neither make the mark of a guess nor compare the marks of two sources.
Rule 2: the purpose says what is marked; marks of two purposes have nothing in common.
"""

import hmac
from typing import Final, NewType

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.wrap import WRAPPING_KEY_LENGTH, WrappingKey, counted

Mark = NewType("Mark", bytes)
MARK_LENGTH: Final = 32  # octets

_LABEL = b"nightferry mark 1"


def make_mark(key: WrappingKey, purpose: bytes, *parts: bytes) -> Mark:
    """Mark `parts`: 32 octets, the same ones every time. `key` has 32 octets."""
    return Mark(hmac.digest(marking_key(key, purpose), counted(*parts), "sha256"))


def marking_key(key: WrappingKey, purpose: bytes) -> bytes:
    """Derive the key of all marks of one purpose."""
    if len(key) != WRAPPING_KEY_LENGTH:
        raise ValueError("internal error: a source's key has 32 octets")
    return HKDF(SHA256(), WRAPPING_KEY_LENGTH, None, counted(_LABEL, purpose)).derive(key)
