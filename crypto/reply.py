"""The key to which staff answer a source, and the proof that an answer is for it alone.

Staff answer with stock gpg, to a certificate that came with what the source sent. The key is an
OpenPGP key of version 4 (Ed25519, and X25519 to encrypt to), which GnuPG 2.2 takes. It never
expires. Certificate and secret half are one string of octets here: what wraps the one wraps both.

Rule 1: the certificate holds the second at which it was made. So it is not kept in clear, and the
        id of its encryption subkey is all that the proof needs.
Rule 2: proved is what can be seen from outside: one public-key packet for exactly this subkey,
        then one packet of encrypted data, and nothing else. No flag or promise is believed.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Final, NoReturn

from pysequoia import CipherSuite, Profile, Tsk

from crypto.errors import MalformedPacketError
from crypto.packet_stream import StreamedPacket, split_packets
from crypto.reply_packets import find_subkey

KEY_ID_LENGTH: Final = 8  # octets

_PKESK, _CFB_DATA, _OCB_DATA = 1, 18, 20
_PKESK_VERSION = 3
_DATA_VERSION = 1
_BINARY = b"\x80"  # the first bit of every packet is set
_BEGIN, _END = b"-----BEGIN PGP MESSAGE-----", b"-----END PGP MESSAGE-----"
_CHECKSUM = re.compile(rb"=[A-Za-z0-9+/]{4}")


@dataclass(frozen=True, slots=True, eq=False)
class ReplyKey:
    """A key for replies.

    `id`: the 8 octets that name the encryption subkey. `certificate`: the public half, armored,
    ASCII. `secret`: everything, for `read_reply_key` and `open_reply`.
    """

    id: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied into a pickle: it would hold the key."""
        raise TypeError("internal error: reply keys are not written anywhere")


def make_reply_key(user_id: str) -> ReplyKey:
    """Make a new key whose certificate bears a user id."""
    made = Tsk.generate(user_id, profile=Profile.RFC4880, cipher_suite=CipherSuite.Cv25519)
    return _describe(made)


def read_reply_key(secret: bytes) -> ReplyKey:
    """Read back what `make_reply_key` gave as `secret`."""
    return _describe(Tsk.from_bytes(secret))


def is_message_to(key_id: bytes, message: bytes) -> bool:
    """Tell whether this is an OpenPGP message, armored or not, encrypted to this subkey alone.

    What is inside cannot be told without the secret half.
    """
    try:
        packets = split_message(message)
    except MalformedPacketError:
        return False
    return _is_to(key_id, packets)


def split_message(message: bytes) -> tuple[StreamedPacket, ...]:
    """Take the armor off, if there is one, and split into packets. Raises MalformedPacketError."""
    return split_packets(_dearmor(message))


def _describe(key: Tsk) -> ReplyKey:
    secret = bytes(key)
    certificate = str(key.extract_certificate()).encode("ascii", "replace")
    return ReplyKey(find_subkey(secret).fingerprint[-KEY_ID_LENGTH:], certificate, secret)


def _is_to(key_id: bytes, packets: tuple[StreamedPacket, ...]) -> bool:
    if [packet.tag for packet in packets] not in ([_PKESK, _CFB_DATA], [_PKESK, _OCB_DATA]):
        return False
    pkesk, data = packets
    to_it = pkesk.body[: 1 + KEY_ID_LENGTH] == bytes([_PKESK_VERSION]) + key_id
    return to_it and data.body[:1] == bytes([_DATA_VERSION])


def _dearmor(message: bytes) -> bytes:
    """Take off the armor (RFC 9580, 6.2). Its headers and checksum mean nothing (6.1, 6.2.2)."""
    if message[:1] >= _BINARY:
        return message
    lines = [line.strip() for line in message.strip().split(b"\n")]
    if lines[0] != _BEGIN or lines[-1] != _END or b"" not in lines:
        raise MalformedPacketError
    body = lines[lines.index(b"") + 1 : -1]
    if body and _CHECKSUM.fullmatch(body[-1]):
        body.pop()
    try:
        return base64.b64decode(b"".join(body), validate=True)
    except binascii.Error:
        raise MalformedPacketError from None
