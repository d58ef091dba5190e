"""Print the vector of test_wrap.py, by a second way: HKDF from RFC 5869 with hmac alone.

python tests/crypto/keys/wrap_vector.py
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def counted(*parts: bytes) -> bytes:
    """Join octets, each part with its length before it."""
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def hkdf(key: bytes, info: bytes) -> bytes:
    """Extract without salt, then expand to one block (RFC 5869, 2.2 and 2.3)."""
    extracted = hmac.digest(bytes(32), key, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)


LABEL, PURPOSE, CONTEXT = b"nightferry wrap 1", b"session key", b"upload abc"
SUBKEY = hkdf(bytes(range(32)), counted(LABEL, PURPOSE))
NONCE = bytes(12)

print((NONCE + AESGCM(SUBKEY).encrypt(NONCE, b"secret", counted(LABEL, PURPOSE, CONTEXT))).hex())
