"""The tail of an upload that is not complete: the octets of the chunk that was not full yet.

Python's own library has no AES. GnuPG's has, and is wherever GnuPG is: libgcrypt, called
through ctypes (docs/decisions/0012-unseal.md). Without it a tail is left out, and that is said.
"""

import ctypes
import ctypes.util
import hashlib
import hmac

from crypto.layout import CHUNK

TAIL_LENGTH = 12 + 8 + 4 + CHUNK + 16
_NONCE, _TAG = 12, 16
_LABEL = b"nightferry tail 1"
_AES_256, _GCM = 9, 9  # GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM
_LIBRARY = "libgcrypt.so.20"
_OLDEST = b"1.8.0"


class NoLibgcryptError(Exception):
    """This machine has no libgcrypt that we know how to call."""


def open_tail(tail: bytes, session_key: bytes, chunks: int) -> bytes | None:
    """Give the octets of chunk number `chunks`; None if the tail is damaged or another chunk's.

    Raises NoLibgcryptError.
    """
    if len(tail) != TAIL_LENGTH:
        return None
    opened = _open_gcm(_key(session_key), tail[:_NONCE], tail[_NONCE:-_TAG], tail[-_TAG:])
    if opened is None:
        return None
    index, length = int.from_bytes(opened[:8], "big"), int.from_bytes(opened[8:12], "big")
    whole = index == chunks and length < CHUNK and not any(opened[12 + length :])
    return opened[12 : 12 + length] if whole else None


def _key(session_key: bytes) -> bytes:
    """HKDF-SHA-256 (RFC 5869), no salt, one block."""
    extracted = hmac.digest(bytes(32), session_key, hashlib.sha256)
    return hmac.digest(extracted, _LABEL + b"\x01", hashlib.sha256)


def _open_gcm(key: bytes, nonce: bytes, sealed: bytes, tag: bytes) -> bytes | None:
    library = _libgcrypt()
    handle = ctypes.c_void_p()
    if library.gcry_cipher_open(ctypes.byref(handle), _AES_256, _GCM, 0):
        raise NoLibgcryptError
    opened = ctypes.create_string_buffer(len(sealed))
    try:
        failed = (
            library.gcry_cipher_setkey(handle, key, len(key))
            or library.gcry_cipher_setiv(handle, nonce, len(nonce))
            or library.gcry_cipher_decrypt(handle, opened, len(sealed), sealed, len(sealed))
        )
        if failed:
            raise NoLibgcryptError
        return None if library.gcry_cipher_checktag(handle, tag, len(tag)) else opened.raw
    finally:
        library.gcry_cipher_close(handle)


def _libgcrypt() -> ctypes.CDLL:
    """Load the library, with the types of what is called (gcrypt.h, version 1.8 and later)."""
    try:
        library = ctypes.CDLL(_LIBRARY)
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        library.gcry_check_version.restype = ctypes.c_char_p
        library.gcry_check_version.argtypes = [ctypes.c_char_p]
        library.gcry_cipher_open.argtypes = [pointer, ctypes.c_int, ctypes.c_int, ctypes.c_uint]
        library.gcry_cipher_decrypt.argtypes = [pointer, pointer, size, ctypes.c_char_p, size]
        library.gcry_cipher_close.argtypes = [pointer]
        for name in ("setkey", "setiv", "checktag"):
            getattr(library, f"gcry_cipher_{name}").argtypes = [pointer, ctypes.c_char_p, size]
    except (OSError, AttributeError):
        raise NoLibgcryptError from None
    if library.gcry_check_version(_OLDEST) is None:
        raise NoLibgcryptError
    return library
