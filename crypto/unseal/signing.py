"""Sign the custody report with the staff's key, by GnuPG."""

from dataclasses import dataclass

from crypto.unseal.errors import SigningError
from crypto.unseal.gnupg import GnuPG, Running

SIGNED = "custody.txt"
SIGNATURE = "custody.txt.asc"
_LONGEST = 1 << 16
_BEFORE = {
    b"CARDCTRL",
    b"INQUIRE_MAXLEN",
    b"KEY_CONSIDERED",
    b"KEYEXPIRED",
    b"PINENTRY_LAUNCHED",
    b"PROGRESS",
    b"SC_OP_SUCCESS",
    b"USERID_HINT",
    b"NEED_PASSPHRASE",
    b"GOOD_PASSPHRASE",
    b"BEGIN_SIGNING",
}


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with one key, named as gpg's `--local-user` names it."""

    gnupg: GnuPG
    key: str

    def sign(self, bag: str, octets: bytes) -> bytes:
        """Give a detached signature, armored. Raises SigningError."""
        arguments = ("--local-user", self.key, "--armor", "--output", "-", "--detach-sign")
        with Running(self.gnupg, arguments, [octets], len(octets)) as gnupg:
            signature = b"".join(map(bytes, gnupg.blocks()))
            words = gnupg.status_words()
            code = gnupg.ended()
        *before, last = words or [b""]
        if code or last != b"SIG_CREATED" or set(before) - _BEFORE or len(signature) > _LONGEST:
            raise SigningError(bag=bag, said=gnupg.said or f"it ended with {code}")
        return signature
