"""Our own reply key, as its packets hold it (RFC 9580, 5.5 and 11.5)."""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from crypto.errors import MalformedPacketError
from crypto.packets import parse_packets

_SECRET_SUBKEY = 7
# Version 4; then, behind four octets of time: ECDH on Curve25519 (RFC 9580, 9.2, "legacy").
_VERSION = b"\x04"
ALGORITHM: Final = 18
OID: Final = bytes.fromhex("0a2b060104019755010501")
POINT_BITS: Final = 263  # of a point: the octet 0x40, and 32
_POINT_LENGTH = 33
_SCALAR_LENGTH = 32
KDF_LENGTH: Final = 4
_UNPROTECTED = b"\x00"


@dataclass(frozen=True, slots=True, eq=False)
class Subkey:
    """The encryption subkey: 20 octets of fingerprint, the KDF's parameters, the secret scalar.

    `kdf`: a count, a reserved octet, a hash and a cipher (RFC 9580, 11.5); `scalar`: 32 octets, in
    the order of RFC 7748.
    """

    fingerprint: bytes = field(repr=False)
    kdf: bytes = field(repr=False)
    scalar: bytes = field(repr=False)


def find_subkey(secret: bytes) -> Subkey:
    """Find the encryption subkey in a secret key that this room made.

    Raises MalformedPacketError if it has another form.
    """
    head = bytes([ALGORITHM]) + OID
    for packet in parse_packets(secret):
        body = packet.body
        if packet.tag == _SECRET_SUBKEY and body[:1] == _VERSION and body[5:].startswith(head):
            return _read_subkey(body, 5 + len(head))
    raise MalformedPacketError


def _read_subkey(body: bytes, at: int) -> Subkey:
    point_ends = at + 2 + _POINT_LENGTH
    public_ends = point_ends + KDF_LENGTH
    if int.from_bytes(body[at : at + 2]) != POINT_BITS or body[public_ends:][:1] != _UNPROTECTED:
        raise MalformedPacketError
    public = body[:public_ends]
    # SHA-1 because that is what a fingerprint of version 4 is; nothing here relies on it.
    fingerprint = hashlib.sha1(
        b"\x99" + len(public).to_bytes(2) + public, usedforsecurity=False
    ).digest()
    return Subkey(fingerprint, body[point_ends:public_ends], _read_scalar(body[public_ends + 1 :]))


def _read_scalar(octets: bytes) -> bytes:
    length = -(-int.from_bytes(octets[:2]) // 8)
    # An MPI has no leading zeros and the other order.
    return octets[2 : 2 + length].rjust(_SCALAR_LENGTH, b"\0")[::-1]
