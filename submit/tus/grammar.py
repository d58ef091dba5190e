r"""Strict readers of single header values, and their inverses.

Rule 1: only what a correct client would write is read. Whatever else is refused, never mended.
Rule 2: patterns name their characters: `\d`, `\s` and `$` mean more than ASCII and the end.
Rule 3: a number from a stranger has a limit of digits before it becomes an int.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import NewType

from submit.tus.refusals import (
    ChecksumMismatchError,
    InvalidChecksumError,
    InvalidCreationKeyError,
    InvalidMetadataError,
    MetadataTooLongError,
    TusRefusal,
    UnknownAlgorithmError,
    UploadNotFoundError,
)

UploadId = NewType("UploadId", str)
Pairs = tuple[tuple[str, bytes], ...]

# Sixteen digits are ten petabytes, and the most that JavaScript counts without error.
_INTEGER = re.compile("[0-9]{1,16}")

# 128 bits in base32, as the store makes them. Checked before an id is used for anything.
_UPLOAD_ID = re.compile("[a-z2-7]{26}")

# Enough letters for 96 random bits, few enough for a header. DEPARTURE from the IETF draft "The
# Idempotency-Key HTTP Header Field", where the key stands between quotation marks.
_CREATION_KEY = re.compile("[A-Za-z0-9_-]{16,64}")

# "The key MUST NOT contain spaces and commas and MUST NOT be empty. The key SHOULD be ASCII"
# (tus 1.0.0, "Upload-Metadata"). We make the SHOULD a MUST and leave control characters out;
# a comma or a space cannot reach this, because the list was split at them.
_METADATA_KEY = re.compile("[!-~]+")

# Octets of the whole header. gunicorn takes 8190 for name and value together; a name of 255
# octets beside a path of 1024 needs about 1800 as Base64.
METADATA_LIMIT = 8000

# Name -> octets of the digest. "The Server MUST support at least the SHA1 checksum algorithm
# identified by sha1" (tus 1.0.0, "Checksum"). Against accidents only: the seal is ours.
ALGORITHMS = {"sha1": 20, "sha256": 32}


def parse_integer(value: str | None, refusal: type[TusRefusal]) -> int:
    """Read a non-negative integer, or raise the refusal of the header it stands in.

    Python's int() would also take `+1`, `1_000`, ` 1` and the digits of other scripts.
    """
    if value is None or not _INTEGER.fullmatch(value):
        raise refusal
    return int(value)


def parse_upload_id(text: str) -> UploadId:
    """Read the id out of an upload's URL. Raise UploadNotFoundError, as for an unknown one."""
    if not _UPLOAD_ID.fullmatch(text):
        raise UploadNotFoundError
    return UploadId(text)


def parse_creation_key(value: str | None) -> str | None:
    """Read Idempotency-Key; None if it did not come. Raise InvalidCreationKeyError."""
    if value is not None and not _CREATION_KEY.fullmatch(value):
        raise InvalidCreationKeyError
    return value


def parse_metadata(value: str) -> Pairs:
    """Read Upload-Metadata into (key, value) pairs in their order.

    An empty header is no metadata: tuspy sends it. Raise MetadataTooLongError (the whole header)
    or InvalidMetadataError.
    """
    if len(value) > METADATA_LIMIT:
        raise MetadataTooLongError
    if not value:
        return ()
    pairs = tuple(_parse_pair(element) for element in value.split(","))
    # "All keys MUST be unique."
    if len({key for key, _ in pairs}) != len(pairs):
        raise InvalidMetadataError
    return pairs


def encode_metadata(pairs: Pairs) -> str:
    """Write Upload-Metadata: the inverse of parse_metadata. The space before an empty value stays out."""
    return ",".join(
        f"{key} {base64.b64encode(value).decode('ascii')}" if value else key for key, value in pairs
    )


def _parse_pair(element: str) -> tuple[str, bytes]:
    # "The value MAY be empty": then the space before it may be there or be left out.
    key, _, value = element.partition(" ")
    if not _METADATA_KEY.fullmatch(key):
        raise InvalidMetadataError
    return key, _parse_base64(value, InvalidMetadataError)


def _parse_base64(text: str, refusal: type[TusRefusal]) -> bytes:
    # Encoding it again is the check: it refuses stray bits, line ends, spaces, the URL alphabet
    # and whatever follows the padding, all of which this decoder passes over.
    try:
        decoded = base64.b64decode(text)
    except ValueError:
        raise refusal from None
    if base64.b64encode(decoded).decode("ascii") != text:
        raise refusal
    return decoded


@dataclass(frozen=True, slots=True, repr=False)
class Checksum:
    """What the client says a body hashes to. invariant: the digest has its algorithm's length."""

    algorithm: str
    digest: bytes

    def verify(self, body: bytes) -> None:
        """Return if the body is the one that was meant, or raise ChecksumMismatchError."""
        if hashlib.new(self.algorithm, body, usedforsecurity=False).digest() != self.digest:
            raise ChecksumMismatchError


def parse_checksum(value: str) -> Checksum:
    """Read Upload-Checksum. Raise InvalidChecksumError or UnknownAlgorithmError.

    "The header MUST consist of the name of the used checksum algorithm and the Base64 encoded
    checksum separated by a space" (tus 1.0.0, "Upload-Checksum").
    """
    algorithm, _, encoded = value.partition(" ")
    digest = _parse_base64(encoded, InvalidChecksumError)
    if algorithm not in ALGORITHMS:
        raise UnknownAlgorithmError
    if len(digest) != ALGORITHMS[algorithm]:
        raise InvalidChecksumError
    return Checksum(algorithm, digest)
