"""An onion service's key pair, as tor keeps it, and the address that it gives.

Rule 1: tor finds what it would have made itself: Tor's rend-spec-v3, appendix "Keyblinding" and
        section "Encoding onion addresses", and the three files of its HiddenServiceDir.
Rule 2: a pair that comes from elsewhere is proved to be a pair before tor sees it.
"""

import hashlib
from base64 import b32encode
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.errors import DeployError

SECRET_FILE: Final = "hs_ed25519_secret_key"  # noqa: S105 # a file's name
PUBLIC_FILE: Final = "hs_ed25519_public_key"
HOSTNAME_FILE: Final = "hostname"

_SECRET_HEAD: Final = b"== ed25519v1-secret: type0 ==\0\0\0"
_PUBLIC_HEAD: Final = b"== ed25519v1-public: type0 ==\0\0\0"
_SECRET_LENGTH: Final = 64  # the scalar, and what signatures are randomised with
_PUBLIC_LENGTH: Final = 32
_VERSION: Final = b"\x03"
_PRIME: Final = 2**255 - 19


class OnionKeyError(DeployError):
    """These files are no key pair of an onion service."""


@dataclass(frozen=True, slots=True)
class OnionKeys:
    """One service's pair, in tor's expanded form.

    invariant: the two belong together. Raises OnionKeyError on construction.
    """

    secret: bytes = field(repr=False)
    public: bytes

    def __post_init__(self) -> None:
        """Refuse what is no pair."""
        if len(self.secret) != _SECRET_LENGTH or len(self.public) != _PUBLIC_LENGTH:
            raise OnionKeyError("the onion service's key files are damaged: their length is wrong")
        if _montgomery_of_secret(self.secret) != _montgomery_of_public(self.public):
            raise OnionKeyError("the onion service's secret and public key do not belong together")

    @property
    def address(self) -> str:
        """The address, with `.onion`."""
        check = hashlib.sha3_256(b".onion checksum" + self.public + _VERSION).digest()[:2]
        return b32encode(self.public + check + _VERSION).decode().lower() + ".onion"

    def files(self) -> dict[str, bytes]:
        """Give what tor reads, by the names of the files."""
        return {
            SECRET_FILE: _SECRET_HEAD + self.secret,
            PUBLIC_FILE: _PUBLIC_HEAD + self.public,
            HOSTNAME_FILE: self.address.encode() + b"\n",
        }


def make_keys() -> OnionKeys:
    """Make a pair of 32 random octets, as tor does."""
    key = Ed25519PrivateKey.generate()
    expanded = bytearray(hashlib.sha512(key.private_bytes_raw()).digest())
    expanded[0] &= 248  # RFC 8032, 5.1.5
    expanded[31] &= 63
    expanded[31] |= 64
    return OnionKeys(bytes(expanded), key.public_key().public_bytes_raw())


def read_keys(secret_file: bytes, public_file: bytes) -> OnionKeys:
    """Read tor's two files. Raises OnionKeyError."""
    if not (secret_file.startswith(_SECRET_HEAD) and public_file.startswith(_PUBLIC_HEAD)):
        raise OnionKeyError("the onion service's key files are not in the form that tor writes")
    return OnionKeys(secret_file.removeprefix(_SECRET_HEAD), public_file.removeprefix(_PUBLIC_HEAD))


def _montgomery_of_secret(expanded: bytes) -> bytes:
    """Give the public key on the other form of the curve, RFC 7748, 4.1."""
    return X25519PrivateKey.from_private_bytes(expanded[:32]).public_key().public_bytes_raw()


def _montgomery_of_public(public: bytes) -> bytes:
    """Take a point from one form of the curve to the other: u = (1 + y) / (1 - y)."""
    y = int.from_bytes(public, "little") & (2**255 - 1)
    return ((1 + y) * pow(1 - y, -1, _PRIME) % _PRIME).to_bytes(32, "little")
