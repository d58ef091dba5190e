"""Make the session key of one message, without public-key code of our own and without a secret key.

GnuPG makes every public-key operation. It encrypts an empty message to all recipients and, at the
same time, to a random passphrase that lives for milliseconds. From what it writes

    PKESK (one per recipient)   the session key, for each recipient     kept, put before the upload
    SKESK                       the session key, for the passphrase     opened, then dropped
    encrypted data              of nothing                              opened as a proof, then dropped

Rule 1: the home directory is empty and stays empty; no gpg-agent is started; nothing of the
        machine's GnuPG configuration is read.
Rule 2: the passphrase goes through a pipe, never on the command line.
Rule 3: exactly the packets above are accepted, and the session key must open GnuPG's own
        message. A wrong key would be noticed only by the staff, when it is too late.

RFC 4880 and RFC 9580: 5.1 (PKESK), 5.3 (SKESK), 5.13.1 (encrypted data, version 1), 3.7.1.3 (S2K).
"""

import hashlib
import hmac
import io
import secrets
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NewType, NoReturn

import gnupg
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256

from crypto.errors import (
    GnuPGHomeError,
    GnuPGMissingError,
    GnuPGOutputError,
    GnuPGRefusedError,
    GnuPGTooOldError,
    MalformedPacketError,
    NoRecipientError,
)
from crypto.packets import Packet, parse_packets

SessionKey = NewType("SessionKey", bytes)
SESSION_KEY_LENGTH: Final = 32  # octets: AES-256

OLDEST_GNUPG: Final = (2, 2)
# An empty environment but for the language: no GNUPGHOME, no agent's socket, no secret of ours.
ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8"}
ISOLATION: Final = ("--no-options", "--no-keyring", "--lock-never", "--no-autostart")

_PKESK, _SKESK, _ENCRYPTED_DATA = 1, 3, 18
_PKESK_VERSION = 3
_BLOCK = 16  # octets of an AES block
_AES_256, _SHA_256, _ITERATED = 9, 8, 3
# The smallest count above 1024, which GnuPG takes to mean "as slow as possible" (350 ms). Speed
# is no weakness here: the passphrase has 256 random bits, there is nothing to guess.
_S2K_COUNT, _S2K_COUNT_OCTET = 1088, 0x01
_SKESK_HEAD = bytes([4, _AES_256, _ITERATED, _SHA_256])
_SALT_LENGTH = 8
_SHA_1_LENGTH = 20  # octets, at the end of the encrypted data

_MESSAGE_FORM = (
    *ISOLATION,
    # Without this, 200 processes at once wait for one lock (worst 89 s).
    "--no-random-seed-file",
    # The operator chose these files; there is no web of trust to ask.
    *("--trust-model", "always"),
    # A newer GnuPG would else write a version 5 SKESK and OCB data.
    "--rfc4880",
    *("--cipher-algo", "AES256", "--compress-algo", "none"),
    *("--s2k-mode", str(_ITERATED), "--s2k-digest-algo", "SHA256"),
    *("--s2k-cipher-algo", "AES256", "--s2k-count", str(_S2K_COUNT)),
)


@dataclass(frozen=True, slots=True, eq=False)
class NewMessageKeys:
    """What a new message begins with.

    `session_key`: 32 octets for AES-256. `pkesks`: the raw PKESK packets, version 3, one for each
    recipient; they may be written down, the session key may not.
    """

    session_key: SessionKey = field(repr=False)
    pkesks: bytes = field(repr=False)

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied into a pickle: it would hold the session key."""
        raise TypeError("internal error: message keys are not written anywhere")


class SessionKeyMaker:
    """Makes message keys for a fixed list of recipients.

    A class, because finding GnuPG and asking its version costs a process, once. May be used by
    many threads at once.

    invariant: after every call the home directory is as empty as it was before.
    """

    def __init__(self, program: str, home: Path, certificates: Sequence[Path]) -> None:
        """Take GnuPG's name, an empty directory of mode 0700, and the recipients' files.

        The files are those that crypto.recipients.inspect accepted. Raises NoRecipientError,
        GnuPGHomeError, GnuPGMissingError or GnuPGTooOldError.
        """
        if not certificates:
            raise NoRecipientError
        require_empty_home(home)
        self._gpg = start_gnupg(program, home)
        self._certificates = tuple(certificates)

    def make(self) -> NewMessageKeys:
        """Make the keys of one new message.

        Raises GnuPGRefusedError if a certificate cannot be encrypted to (any more), GnuPGOutputError
        if the answer is of another form, GnuPGMissingError if GnuPG is gone.
        """
        passphrase = secrets.token_hex(32)
        message = encrypt_nothing(self._gpg, self._certificates, passphrase)
        pkesks, skesk, data = _sort(message, len(self._certificates))
        session_key = _open_skesk(skesk.body, passphrase.encode())
        _require_opens(session_key, data.body)
        return NewMessageKeys(session_key, b"".join(packet.raw for packet in pkesks))


def encrypt_nothing(gpg: gnupg.GPG, certificates: Sequence[Path], passphrase: str) -> bytes:
    """Let GnuPG encrypt an empty message to the certificates and to a passphrase.

    Raises GnuPGRefusedError or GnuPGMissingError.
    """
    arguments = [*_MESSAGE_FORM, "--encrypt"]
    for certificate in certificates:
        # An absolute path cannot be taken for an option.
        arguments += ["--recipient-file", str(certificate.absolute())]
    try:
        result = gpg.encrypt_file(
            io.BytesIO(),
            recipients=None,
            symmetric=True,
            passphrase=passphrase,
            armor=False,
            extra_args=arguments,
        )
    except OSError:
        # Not chained: the innermost text of a subprocess error may hold the command line.
        raise GnuPGMissingError from None
    if result.returncode != 0 or not result.ok:
        raise GnuPGRefusedError
    return bytes(result.data)


def require_empty_home(home: Path) -> None:
    """Raise GnuPGHomeError unless `home` is an empty directory that only its owner may enter."""
    try:
        private = stat.S_IMODE(home.stat().st_mode) == stat.S_IRWXU
        empty = not any(home.iterdir())
    except OSError:
        raise GnuPGHomeError(path=home) from None
    if not (private and empty):
        raise GnuPGHomeError(path=home)


def start_gnupg(program: str, home: Path, *options: str) -> gnupg.GPG:
    """Find GnuPG and ask its version. Raises GnuPGMissingError or GnuPGTooOldError.

    `options` are given to every call.
    """
    found = shutil.which(program)
    if found is None:
        raise GnuPGMissingError
    try:
        gpg = gnupg.GPG(
            gpgbinary=found,
            gnupghome=str(home.absolute()),
            options=list(options),
            env=dict(ENVIRONMENT),
            encoding="utf-8",
        )
    except (OSError, ValueError):
        raise GnuPGMissingError from None
    if gpg.version is None or gpg.version < OLDEST_GNUPG:
        raise GnuPGTooOldError
    return gpg


def _sort(message: bytes, recipients: int) -> tuple[Sequence[Packet], Packet, Packet]:
    """Give the PKESKs, the SKESK and the encrypted data, if these are what there is."""
    try:
        packets = parse_packets(message)
    except MalformedPacketError:
        raise GnuPGOutputError from None
    expected = [_PKESK] * recipients + [_SKESK, _ENCRYPTED_DATA]
    if [packet.tag for packet in packets] != expected:
        raise GnuPGOutputError
    *pkesks, skesk, data = packets
    if any(packet.body[:1] != bytes([_PKESK_VERSION]) for packet in pkesks):
        raise GnuPGOutputError
    return pkesks, skesk, data


def _open_skesk(body: bytes, passphrase: bytes) -> SessionKey:
    """Open a version 4 SKESK with an encrypted session key (RFC 9580, 5.3.1)."""
    head, rest = body[: len(_SKESK_HEAD)], body[len(_SKESK_HEAD) :]
    salt, count, sealed = rest[:_SALT_LENGTH], rest[_SALT_LENGTH:][:1], rest[_SALT_LENGTH + 1 :]
    if head != _SKESK_HEAD or count != bytes([_S2K_COUNT_OCTET]):
        raise GnuPGOutputError
    opened = _open_cfb(_stretch(passphrase, salt), sealed)
    if len(opened) != 1 + SESSION_KEY_LENGTH or opened[0] != _AES_256:
        raise GnuPGOutputError
    return SessionKey(opened[1:])


def _stretch(passphrase: bytes, salt: bytes) -> bytes:
    """Run the iterated and salted S2K with SHA-256 (RFC 9580, 3.7.1.3)."""
    unit = salt + passphrase
    repeated = unit * (_S2K_COUNT // len(unit) + 1)
    return hashlib.sha256(repeated[:_S2K_COUNT]).digest()


def _require_opens(session_key: SessionKey, body: bytes) -> None:
    """Raise GnuPGOutputError unless the session key opens the message (RFC 9580, 5.13.1)."""
    opened = _open_cfb(session_key, body[1:])
    content, mdc = opened[:-_SHA_1_LENGTH], opened[-_SHA_1_LENGTH:]
    # SHA-1 because version 1 of this packet has nothing else. It judges only what a process of
    # ours wrote a millisecond ago; uploads are sealed with OCB.
    found = hashlib.sha1(content, usedforsecurity=False).digest()
    if body[:1] != b"\x01" or not hmac.compare_digest(found, mdc):
        raise GnuPGOutputError


def _open_cfb(key: bytes, sealed: bytes) -> bytes:
    # A zero IV would be fatal for a key that is used again. Both keys opened here were made for
    # this one message, and GnuPG puts a random block before the data.
    decryptor = Cipher(AES256(key), CFB(bytes(_BLOCK))).decryptor()
    return decryptor.update(sealed) + decryptor.finalize()
