"""What an onion service tells whoever knows its address: its descriptor, opened as a client does.

Source: rend-spec-v3, "Deriving blinded keys and subcredentials", "Encrypting data between HSDirs and
clients", and cert-spec. Only for services without client authorization.
"""

import hashlib
import re
from base64 import b32decode, b64decode

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

_SALT, _KEY, _VECTOR, _MAC = 16, 32, 16, 32  # octets
_BLINDED_KEY = slice(44, 76)  # of the certificate: its one extension, "signed with this key"


def open_descriptor(descriptor: str, onion: str) -> str:
    """Give the innermost text of a descriptor. Raises ValueError if it is not this onion's."""
    descriptor = descriptor.replace("\r", "")
    address = b32decode(onion.removesuffix(".onion").upper())
    certificate = _block(descriptor, "descriptor-signing-key-cert", "ED25519 CERT")
    blinded = certificate[_BLINDED_KEY]
    found = re.search(r"^revision-counter (\d+)$", descriptor, re.MULTILINE)
    if not found:
        raise ValueError("a descriptor without a revision")
    counter = int(found[1]).to_bytes(8, "big")
    credential = hashlib.sha3_256(b"credential" + address[:32]).digest()
    subcredential = hashlib.sha3_256(b"subcredential" + credential + blinded).digest()
    secret = blinded + subcredential + counter
    outer = _open(_block(descriptor, "superencrypted"), secret, b"hsdir-superencrypted-data")
    return _open(_block(outer, "encrypted"), secret, b"hsdir-encrypted-data")


def _open(sealed: bytes, secret: bytes, label: bytes) -> str:
    salt, body, mac = sealed[:_SALT], sealed[_SALT:-_MAC], sealed[-_MAC:]
    keys = hashlib.shake_256(secret + salt + label).digest(_KEY + _VECTOR + _MAC)
    key, vector, mac_key = keys[:_KEY], keys[_KEY:-_MAC], keys[-_MAC:]
    head = len(mac_key).to_bytes(8, "big") + mac_key + len(salt).to_bytes(8, "big") + salt
    if hashlib.sha3_256(head + body).digest() != mac:
        raise ValueError("a descriptor that this address does not open")
    cipher = Cipher(AES(key), CTR(vector)).decryptor()
    return (cipher.update(body) + cipher.finalize()).rstrip(b"\0").decode()


def _block(text: str, keyword: str, kind: str = "MESSAGE") -> bytes:
    pattern = rf"^{keyword}\n-----BEGIN {kind}-----\n(.*?)-----END {kind}-----"
    found = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    if not found:
        raise ValueError(f"a descriptor without {keyword}")
    return b64decode(found[1])
