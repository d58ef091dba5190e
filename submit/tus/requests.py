"""What a request asks for, read from its headers alone: before its body, before any upload.

Each judge takes the request's headers and returns what the client wants, or raises a Refusal. The
clerk then looks the upload up, asks `state`, asks `decide_offset`, and only then reads the body.
"""

from dataclasses import dataclass
from enum import StrEnum

from submit.tus.grammar import (
    Checksum,
    parse_checksum,
    parse_creation_key,
    parse_integer,
    parse_metadata,
)
from submit.tus.headers import Headers
from submit.tus.limits import Limits
from submit.tus.metadata import Facts, parse_facts
from submit.tus.refusals import (
    VERSION,
    ChecksummedBodyTooLongError,
    ChecksumWithoutLengthError,
    ConcatenationError,
    CreationKeyReusedError,
    DeferredLengthError,
    InvalidContentLengthError,
    InvalidLengthError,
    InvalidOffsetError,
    LengthChangeError,
    LengthExceededError,
    LengthTooLargeError,
    OffsetMismatchError,
    UnknownMethodError,
    UnsupportedMediaTypeError,
    UnsupportedVersionError,
)

CONTENT_TYPE = "application/offset+octet-stream"


class Method(StrEnum):
    """The methods that mean something here."""

    OPTIONS = "OPTIONS"
    POST = "POST"
    HEAD = "HEAD"
    PATCH = "PATCH"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True, repr=False)
class Append:
    """Octets to be added at an offset.

    invariant: with a checksum, content_length is known and small enough to be held in memory.
    """

    offset: int
    # None: the body is chunked, and only its end tells.
    content_length: int | None
    checksum: Checksum | None
    # Upload-Length, which a PATCH may repeat but not change.
    length: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Creation:
    """A new upload. invariant: length is within the limits, and the body, if any, fits into it."""

    length: int
    # Upload-Metadata as it came, to be given back on HEAD; empty if there was none.
    metadata: str
    facts: Facts
    # Creation with upload is an append at offset 0: "similar rules as for the PATCH request".
    body: Append | None
    # Idempotency-Key: what the client calls this creation, so that asking twice makes one upload.
    key: str | None = None


def effective_method(method: str, headers: Headers) -> Method:
    """Name the method that counts. Raise UnknownMethodError if it is none of ours.

    X-HTTP-Method-Override "MUST be interpreted as the request's method by the Server, if the
    header is presented. The actual method of the request MUST be ignored" (tus 1.0.0).
    """
    wanted = headers.get("x-http-method-override", method)
    try:
        return Method(wanted)
    except ValueError:
        raise UnknownMethodError from None


def decide_creation(headers: Headers, limits: Limits) -> Creation:
    """Read a POST: what upload to make, and whether its first octets come along."""
    _check_version(headers)
    # An extension that is not announced is refused in words: a client that meant it would
    # otherwise believe that something was joined or left open.
    if "upload-concat" in headers:
        raise ConcatenationError
    if "upload-defer-length" in headers:
        raise DeferredLengthError
    length = parse_integer(headers.get("upload-length"), InvalidLengthError)
    if length > limits.max_upload_length:
        raise LengthTooLargeError
    metadata = headers.get("upload-metadata", "")
    facts = parse_facts(parse_metadata(metadata))
    body = _decide_first_append(headers, limits, length)
    key = parse_creation_key(headers.get("idempotency-key"))
    return Creation(length, metadata, facts, body, key)


def decide_same_creation(length: int, metadata: str | None, creation: Creation) -> None:
    """Return if a creation may be the same as an earlier one under its key: CreationKeyReusedError.

    `length` and `metadata` are what the earlier one said; None: no longer known.
    """
    if length != creation.length or metadata not in (None, creation.metadata):
        raise CreationKeyReusedError


def decide_append(headers: Headers, limits: Limits) -> Append:
    """Read a PATCH: where its octets belong, how many they are, what they hash to."""
    _check_version(headers)
    _check_content_type(headers)
    offset = parse_integer(headers.get("upload-offset"), InvalidOffsetError)
    length = None
    if "upload-length" in headers:
        length = parse_integer(headers["upload-length"], InvalidLengthError)
    content_length = _content_length(headers)
    return Append(offset, content_length, _checksum(headers, content_length, limits), length)


def decide_head(headers: Headers) -> None:
    """Return if HEAD may be asked, or raise UnsupportedVersionError."""
    _check_version(headers)


def decide_termination(headers: Headers) -> None:
    """Return if DELETE may be asked, or raise UnsupportedVersionError."""
    _check_version(headers)


def decide_offset(current: int, length: int, append: Append) -> int:
    """Return how many octets the upload still takes: the most that may be read from the body.

    A chunked body says its length only by ending. The caller reads up to the number returned and
    raises LengthExceededError if there is more. Raise OffsetMismatchError, LengthChangeError or
    LengthExceededError, all before the body is read. An empty append to a complete upload is fine:
    it is what a client sends after a lost answer.
    """
    if append.offset != current:
        raise OffsetMismatchError
    if append.length not in (None, length):
        raise LengthChangeError
    remaining = length - current
    _check_fits(append.content_length, remaining)
    return remaining


def _check_version(headers: Headers) -> None:
    # It also shows that no foreign web page sends this: a page cannot add the header to a
    # request to another site without asking first, and nobody answers that question with yes.
    if headers.get("tus-resumable") != VERSION:
        raise UnsupportedVersionError


def _check_content_type(headers: Headers) -> None:
    # RFC 9110, section 8.3.1: the names of a media type have no case.
    if headers.get("content-type", "").lower() != CONTENT_TYPE:
        raise UnsupportedMediaTypeError


def _decide_first_append(headers: Headers, limits: Limits, length: int) -> Append | None:
    content_length = _content_length(headers)
    if content_length == 0 or not _has_body(headers):
        # Many HTTP libraries set a content type of their own on an empty POST.
        return None
    # DEPARTURE from tusd and @tus/server, which drop such a body without a word: the client
    # would believe that its first octets had arrived.
    _check_content_type(headers)
    _check_fits(content_length, length)
    return Append(0, content_length, _checksum(headers, content_length, limits))


def _has_body(headers: Headers) -> bool:
    # RFC 9112, section 6: one of these two signals the presence of a body.
    return "content-length" in headers or "transfer-encoding" in headers


def _content_length(headers: Headers) -> int | None:
    if "content-length" not in headers:
        return None
    if "transfer-encoding" in headers:
        # RFC 9112, section 6.3: whoever sends both may be smuggling a request.
        raise InvalidContentLengthError
    return parse_integer(headers["content-length"], InvalidContentLengthError)


def _check_fits(content_length: int | None, remaining: int) -> None:
    if content_length is not None and content_length > remaining:
        raise LengthExceededError


def _checksum(headers: Headers, content_length: int | None, limits: Limits) -> Checksum | None:
    if "upload-checksum" not in headers:
        return None
    checksum = parse_checksum(headers["upload-checksum"])
    if content_length is None:
        raise ChecksumWithoutLengthError
    if content_length > limits.max_checksummed_body:
        raise ChecksummedBodyTooLongError
    return checksum
