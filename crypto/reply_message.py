"""Opening a reply: what staff wrote with gpg, in memory, while its source is here.

    PKESK -> session key -> encrypted data -> (compressed) -> (signature) -> literal -> text

pysequoia would do it in one call, but with no bound on what a few octets of compressed data
become. Here the bound is kept where it is decompressed; RFC 9580 (5.1.5, 5.13.1, 11.4, 11.5) and
LibrePGP (5.16) say how, and OpenSSL and zlib do the work.

Rule 1: nothing of the text is used before all of the message has authenticated.
Rule 2: no more than `limit` octets of text, and nothing that is nested for its own sake.
Rule 3: a signature inside is not judged: that it came through the desk is all that is claimed.
"""

import bz2
import hashlib
import hmac
import zlib
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESOCB3
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from crypto.errors import AuthenticationError, MalformedPacketError, UnreadableReplyError
from crypto.packet_stream import StreamedPacket, split_packets
from crypto.reply import is_message_to, split_message
from crypto.reply_packets import ALGORITHM, KDF_LENGTH, OID, POINT_BITS, Subkey, find_subkey

_KEY_ID_LENGTH = 8
_CFB_DATA = 18
_COMPRESSED, _LITERAL = 8, 11
_IGNORED: Final = frozenset({2, 4, 10, 21})  # signature, one-pass signature, marker, padding
_KEY_LENGTHS: Final = {7: 16, 8: 24, 9: 32}  # AES, by number (RFC 9580, 9.3)
_KDF_HASHES: Final = {8: "sha256", 9: "sha384", 10: "sha512"}  # (9.5)
_BLOCK = 16
_SHA_1_LENGTH = 20
_MDC_HEAD = b"\xd3\x14"
_TAG_LENGTH = 16
_OCB_IV_LENGTH = 15
_LARGEST_CHUNK_OCTET = 16  # 2^22 octets; LibrePGP allows no more
_SHORTEST_OCB = 4 + _OCB_IV_LENGTH + _TAG_LENGTH
_WRAPPED_LENGTH_AT = 36  # behind algorithm, bits and point
_CHECKSUM_LENGTH = 2
_SLACK = 4096  # octets of packet headers and signatures around a text
_LAYERS = 2  # gpg compresses once


class _Decompressor(Protocol):
    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Give no more than `max_length` octets."""


def open_reply(secret: bytes, message: bytes, limit: int) -> str:
    """Open a message to the reply key `secret`; give its text, of at most `limit` octets.

    Octets that are not UTF-8 are replaced. Raises MalformedPacketError, AuthenticationError, or
    UnreadableReplyError if there is too much or of a kind that gpg does not make by itself.
    """
    subkey = find_subkey(secret)
    if not is_message_to(subkey.fingerprint[-_KEY_ID_LENGTH:], message):
        raise UnreadableReplyError
    pkesk, data = split_message(message)
    algorithm, session_key = _open_pkesk(subkey, pkesk.body)
    if data.tag == _CFB_DATA:
        opened = _open_cfb_data(session_key, data.body[1:])
    else:
        opened = _open_ocb_data(algorithm, session_key, data.body)
    octets = _find_text(split_packets(opened), limit, _LAYERS)
    # gpg --textmode writes the line ends of RFC 9580, 5.9.
    return octets.decode("utf-8", "replace").replace("\r\n", "\n")


def _open_pkesk(subkey: Subkey, body: bytes) -> tuple[int, bytes]:
    """Give algorithm and session key of a PKESK of version 3 (RFC 9580, 5.1.5 and 11.5)."""
    rest = body[1 + _KEY_ID_LENGTH :]
    bits, point = int.from_bytes(rest[1:3]), rest[3:_WRAPPED_LENGTH_AT]
    length, wrapped = (
        rest[_WRAPPED_LENGTH_AT : _WRAPPED_LENGTH_AT + 1],
        rest[_WRAPPED_LENGTH_AT + 1 :],
    )
    if rest[:1] != bytes([ALGORITHM]) or bits != POINT_BITS or point[:1] != b"\x40":
        raise MalformedPacketError
    if bytes([len(wrapped) & 0xFF]) != length or len(subkey.kdf) != KDF_LENGTH:
        raise MalformedPacketError
    private = X25519PrivateKey.from_private_bytes(subkey.scalar)
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(point[1:]))
        padded = aes_key_unwrap(_derive(subkey, shared), wrapped)
    except (ValueError, InvalidUnwrap):
        raise AuthenticationError from None
    return _read_session_key(padded)


def _derive(subkey: Subkey, shared: bytes) -> bytes:
    """Derive the key-encryption key (RFC 9580, 11.5)."""
    hash_name, length = _KDF_HASHES[subkey.kdf[2]], _KEY_LENGTHS[subkey.kdf[3]]
    parameters = (
        OID + bytes([ALGORITHM]) + subkey.kdf + b"Anonymous Sender    " + subkey.fingerprint
    )
    return hashlib.new(hash_name, b"\0\0\0\x01" + shared + parameters).digest()[:length]


def _read_session_key(padded: bytes) -> tuple[int, bytes]:
    """Undo PKCS #5 padding and checksum (RFC 9580, 5.1.3 and 11.5)."""
    unpadded = padded[: -padded[-1]]
    if len(unpadded) <= _CHECKSUM_LENGTH:
        raise MalformedPacketError
    algorithm, key, checksum = unpadded[0], unpadded[1:-2], unpadded[-2:]
    if len(key) != _KEY_LENGTHS.get(algorithm):
        raise UnreadableReplyError
    if int.from_bytes(checksum) != sum(key) & 0xFFFF:
        raise AuthenticationError
    return algorithm, key


def _open_cfb_data(key: bytes, sealed: bytes) -> bytes:
    """Open version 1 of the encrypted and integrity protected data (RFC 9580, 5.13.1)."""
    decryptor = Cipher(AES(key), CFB(bytes(_BLOCK))).decryptor()
    opened = decryptor.update(sealed) + decryptor.finalize()
    content, mdc = opened[:-_SHA_1_LENGTH], opened[-_SHA_1_LENGTH:]
    # SHA-1, because stock gpg makes nothing else for a key of this form. It is no signature: who
    # can forge it must know the session key.
    found = hashlib.sha1(content, usedforsecurity=False).digest()
    if not hmac.compare_digest(found, mdc) or content[-2:] != _MDC_HEAD:
        raise AuthenticationError
    return content[_BLOCK + 2 : -2]


def _open_ocb_data(algorithm: int, key: bytes, body: bytes) -> bytes:
    """Open OCB encrypted data, which gpg makes if told to (LibrePGP, 5.16)."""
    if len(body) < _SHORTEST_OCB:
        raise MalformedPacketError
    head, iv, rest = body[:4], body[4 : 4 + _OCB_IV_LENGTH], body[4 + _OCB_IV_LENGTH :]
    if head[:3] != bytes([1, algorithm, 2]) or head[3:] > bytes([_LARGEST_CHUNK_OCTET]):
        raise UnreadableReplyError
    chunk = (1 << (head[3] + 6)) + _TAG_LENGTH
    aead, associated = AESOCB3(key), bytes([0xD4]) + head
    chunks, end = rest[:-_TAG_LENGTH], rest[-_TAG_LENGTH:]
    opened = []
    try:
        for index in range(-(-len(chunks) // chunk)):
            sealed = chunks[index * chunk : (index + 1) * chunk]
            opened.append(aead.decrypt(_nonce(iv, index), sealed, associated + index.to_bytes(8)))
        total = sum(map(len, opened))
        counts = len(opened).to_bytes(8) + total.to_bytes(8)
        aead.decrypt(_nonce(iv, len(opened)), end, associated + counts)
    except (InvalidTag, ValueError):
        raise AuthenticationError from None
    return b"".join(opened)


def _nonce(iv: bytes, index: int) -> bytes:
    return iv[:7] + (int.from_bytes(iv[7:]) ^ index).to_bytes(8)


def _find_text(packets: tuple[StreamedPacket, ...], limit: int, layers: int) -> bytes:
    content = [packet for packet in packets if packet.tag not in _IGNORED]
    if len(content) != 1:
        raise UnreadableReplyError
    (packet,) = content
    if packet.tag == _COMPRESSED and layers:
        return _find_text(split_packets(_inflate(packet.body, limit)), limit, layers - 1)
    if packet.tag != _LITERAL:
        raise UnreadableReplyError
    text = _read_literal(packet.body)
    if len(text) > limit:
        raise UnreadableReplyError
    return text


def _inflate(body: bytes, limit: int) -> bytes:
    """Decompress, and stop at once when there is more than a text may have (RFC 9580, 9.4)."""
    decompressor = _decompressor(body[:1])
    try:
        inflated = decompressor.decompress(body[1:], limit + _SLACK + 1)
    except (zlib.error, OSError, ValueError):
        raise MalformedPacketError from None
    if len(inflated) > limit + _SLACK:
        raise UnreadableReplyError
    return inflated


def _decompressor(algorithm: bytes) -> _Decompressor:
    if algorithm == b"\x01":
        return zlib.decompressobj(-zlib.MAX_WBITS)
    if algorithm == b"\x02":
        return zlib.decompressobj()
    if algorithm == b"\x03":
        return bz2.BZ2Decompressor()
    raise UnreadableReplyError


def _read_literal(body: bytes) -> bytes:
    """Give the content of a literal data packet; format, name and date are dropped (5.9)."""
    begins = 2 + (body[1] if len(body) > 1 else 0) + 4
    if len(body) < begins:
        raise MalformedPacketError
    return body[begins:]
