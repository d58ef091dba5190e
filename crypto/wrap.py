"""Wrap small secrets (a session key, a name, a reply key) under a key that the server forgets.

    wrapped = nonce (12 octets) · AES-256-GCM of the secret · tag (16 octets)
    subkey  = HKDF-SHA256 of the key, labelled with the purpose
    associated data = the label, purpose and context, each with its length before it

Rule 1: the purpose says what the secret is, the context whose it is (the upload's id, say). A
        wrapped thing put into another row or column does not authenticate.
Rule 2: what could betray something by its length is padded.
Rule 3: unwrapping gives exactly what was wrapped, or raises AuthenticationError.
"""

import os
from typing import Final, NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import AuthenticationError

WrappingKey = NewType("WrappingKey", bytes)
Wrapped = NewType("Wrapped", bytes)
PaddedWrapped = NewType("PaddedWrapped", bytes)

WRAPPING_KEY_LENGTH: Final = 32  # octets
PADDED_TO: Final = 512  # octets: a path of 255 octets with its metadata shows only this multiple

_LABEL = b"nightferry wrap 1"
_NONCE_LENGTH = 12
_PAD_MARK = b"\x80"


def wrap(key: WrappingKey, purpose: bytes, context: bytes, secret: bytes) -> Wrapped:
    """Wrap `secret`; the result is 28 octets longer.

    `key` has 32 octets. Wrapping the same secret twice gives different octets.
    """
    # A random nonce is safe here: NIST SP 800-38D, 8.3, allows 2^32 of them under one key. Each
    # source has a key of its own and each purpose a subkey of its own, which wraps a few things
    # for each upload: a source would have to begin a thousand million uploads to come near.
    nonce = os.urandom(_NONCE_LENGTH)
    cipher = AESGCM(_subkey(key, purpose))
    return Wrapped(nonce + cipher.encrypt(nonce, secret, _associated(purpose, context)))


def unwrap(key: WrappingKey, purpose: bytes, context: bytes, wrapped: Wrapped) -> bytes:
    """Give the secret back.

    Raises AuthenticationError if `wrapped` is not what `wrap` made of it with the same key,
    purpose and context.
    """
    nonce, sealed = wrapped[:_NONCE_LENGTH], wrapped[_NONCE_LENGTH:]
    if len(nonce) < _NONCE_LENGTH:
        raise AuthenticationError
    try:
        return AESGCM(_subkey(key, purpose)).decrypt(nonce, sealed, _associated(purpose, context))
    except InvalidTag:
        raise AuthenticationError from None


def wrap_padded(key: WrappingKey, purpose: bytes, context: bytes, secret: bytes) -> PaddedWrapped:
    """Wrap `secret` so that only its length in whole steps of 512 octets shows."""
    return PaddedWrapped(wrap(key, purpose, context, _pad(secret)))


def unwrap_padded(
    key: WrappingKey, purpose: bytes, context: bytes, wrapped: PaddedWrapped
) -> bytes:
    """Give back what `wrap_padded` wrapped. Raises AuthenticationError for anything else."""
    return _unpad(unwrap(key, purpose, context, Wrapped(wrapped)))


def _subkey(key: WrappingKey, purpose: bytes) -> bytes:
    if len(key) != WRAPPING_KEY_LENGTH:
        raise ValueError("internal error: a wrapping key has 32 octets")
    # No salt: the key is uniformly random already (RFC 5869, 3.1).
    return HKDF(SHA256(), WRAPPING_KEY_LENGTH, None, counted(_LABEL, purpose)).derive(key)


def _associated(purpose: bytes, context: bytes) -> bytes:
    return counted(_LABEL, purpose, context)


def counted(*parts: bytes) -> bytes:
    """Join octets so that no other parts give the same result."""
    return b"".join(len(part).to_bytes(8) + part for part in parts)


def _pad(secret: bytes) -> bytes:
    marked = secret + _PAD_MARK
    return marked + bytes(-len(marked) % PADDED_TO)


def _unpad(padded: bytes) -> bytes:
    # Not before the octets have authenticated: padding that answers strangers is an oracle.
    secret, mark, _ = padded.rpartition(_PAD_MARK)
    if mark and _pad(secret) == padded:
        return secret
    raise AuthenticationError
