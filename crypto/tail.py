"""The tail: the plaintext of the chunk that is not full yet, sealed on its own.

It lies beside the upload, always as long as a whole chunk. It has its own key, derived from
the session key, and a random nonce each time, because its content changes with every append
while the nonces of the stream belong to chunks that never change (docs/format.md, "Tail").
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.layout import CHUNK
from crypto.seal import Plaintext, Sealed

_NONCE = 12
_LABEL = b"nightferry tail 1"


class TailCipher:
    """Seals and opens the tails of one upload."""

    def __init__(self, session_key: bytes) -> None:
        """Derive the tail's key from the 32 octets of the session key."""
        key = HKDF(SHA256(), length=32, salt=None, info=_LABEL).derive(session_key)
        self._aead = AESGCM(key)

    def seal(self, index: int, pending: Plaintext) -> Sealed:
        """Seal the `pending` octets (fewer than a chunk) of chunk `index`."""
        # 96 random bits: safe for the 2^32 tails that no upload ever has (NIST SP 800-38D, 8.3).
        nonce = os.urandom(_NONCE)
        plaintext = index.to_bytes(8) + len(pending).to_bytes(4) + pending.ljust(CHUNK, b"\0")
        return Sealed(nonce + self._aead.encrypt(nonce, plaintext, None))

    def open(self, index: int, sealed: Sealed) -> Plaintext | None:
        """Give the octets of chunk `index`; None if the tail is another chunk's or damaged."""
        try:
            plaintext = self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError):
            return None
        if int.from_bytes(plaintext[:8]) != index:
            return None
        return Plaintext(plaintext[12 : 12 + int.from_bytes(plaintext[8:12])])
