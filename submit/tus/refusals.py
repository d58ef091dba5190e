"""Every "no" of the protocol: one class, one row of the table in docs/protocol.md.

The words are read by frightened people and in the logs of tus clients. They say what happened,
what was kept and what to do next, and they are the same for everybody.
"""

from http import HTTPStatus

from submit.errors import Refusal

VERSION = "1.0.0"

# RFC 9110 has no such status; tus 1.0.0, "Checksum", made it.
CHECKSUM_MISMATCH = 460


class TusRefusal(Refusal):
    """A no that the protocol knows. `headers` go out with it, besides the usual ones."""

    headers: tuple[tuple[str, str], ...] = ()


# --- the request as a whole


class UnsupportedVersionError(TusRefusal):
    """Tus-Resumable is missing or is not a version that we speak."""

    status = HTTPStatus.PRECONDITION_FAILED
    public = (
        "This address speaks tus 1.0.0, and the request did not say so. Nothing was changed. "
        "Use a tus client, and let it send the header Tus-Resumable: 1.0.0."
    )
    # "it MUST respond with the 412 Precondition Failed status and MUST include the
    # Tus-Version header into the response" (tus 1.0.0, "Tus-Resumable").
    headers = (("Tus-Version", VERSION),)


class UnknownMethodError(TusRefusal):
    """The method, or the one that X-HTTP-Method-Override names, does not exist here."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    public = (
        "This address does not know that request. Nothing was changed, and nothing can be read "
        "back here. Uploads are made with POST, continued with HEAD and PATCH, ended with DELETE."
    )
    headers = (("Allow", "OPTIONS, POST, HEAD, PATCH, DELETE"),)


class UnsupportedMediaTypeError(TusRefusal):
    """Octets came, but not as application/offset+octet-stream."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    public = (
        "The octets were not marked as part of an upload. None of them were kept, and what had "
        "arrived before is safe. Send Content-Type: application/offset+octet-stream."
    )


class InvalidContentLengthError(TusRefusal):
    """Content-Length is not a number, or stands beside Transfer-Encoding."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "The request does not say clearly how long its body is. Nothing of it was kept, and what "
        "had arrived before is safe. Send one Content-Length, or a chunked body."
    )


# --- creation


class InvalidLengthError(TusRefusal):
    """Upload-Length is missing or is not a plain number."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "The length of the file is missing or is not a plain number. No upload was made. "
        "Send Upload-Length with the number of octets, digits only."
    )


class LengthTooLargeError(TusRefusal):
    """Upload-Length is above Tus-Max-Size."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    public = (
        "The file is larger than this site takes in one piece. No upload was made. Split the "
        "file, or write a message that says what you have, so that another way can be found."
    )


class DeferredLengthError(TusRefusal):
    """Upload-Defer-Length: the extension creation-defer-length is not offered."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "This site must know the length of a file before the upload begins. No upload was made. "
        "Send Upload-Length and leave Upload-Defer-Length out."
    )


class ConcatenationError(TusRefusal):
    """Upload-Concat: the extension concatenation is not offered."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "This site does not join uploads made of parts. No upload was made. Turn parallel "
        "uploads off in the client and send each file as one upload."
    )


class MetadataTooLongError(TusRefusal):
    """Upload-Metadata is longer than the limit in grammar.py."""

    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    public = (
        "The facts sent with the file are too long together. No upload was made. Leave out what "
        "is not needed, or shorten the name and the path."
    )


class InvalidMetadataError(TusRefusal):
    """Upload-Metadata breaks its grammar."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "The facts sent with the file cannot be read. No upload was made. Upload-Metadata is a "
        "list of pairs with commas between them: a key of ASCII characters that comes once, a "
        "space, the value in Base64."
    )


class InvalidFactError(TusRefusal):
    """filename, relativePath or filetype is too long or is not UTF-8."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "The name, the path or the type of the file is too long or is not written in UTF-8. No "
        "upload was made. Give the file a shorter or simpler name and send it again."
    )


class InvalidCreationKeyError(TusRefusal):
    """Idempotency-Key breaks its grammar."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "The name that the client gave to this request cannot be read. No upload was made. "
        "Idempotency-Key is 16 to 64 letters, digits, underscores or hyphens, different for each "
        "file; leave it out if in doubt."
    )


class CreationKeyReusedError(TusRefusal):
    """The Idempotency-Key belongs to an upload of another length, or with other metadata."""

    # The IETF draft "The Idempotency-Key HTTP Header Field", 2.7, asks for this status.
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    public = (
        "The client has used the same Idempotency-Key for another file. No upload was made, and "
        "the other file is safe. Use a new key for each file."
    )


class CreationUnderwayError(TusRefusal):
    """Another request is making the upload of this Idempotency-Key at this very moment."""

    # The IETF draft, 2.7: a request that comes while the first is still being processed.
    status = HTTPStatus.CONFLICT
    public = (
        "Another connection is beginning this upload at this moment. Nothing is lost. Wait a few "
        "seconds and send the same request again."
    )


# --- the upload that is asked for


class UploadNotFoundError(TusRefusal):
    """No such upload, or not this source's: nobody can tell which."""

    status = HTTPStatus.NOT_FOUND
    public = (
        "There is no such upload for you. If you were sending a file, come back with your "
        "codename first; if it is still not found, start this file again."
    )


class UploadExpiredError(TusRefusal):
    """The upload was left unfinished too long; its key is gone."""

    status = HTTPStatus.GONE
    public = (
        "This upload lay unfinished for too long and cannot be continued. What had arrived is "
        "kept, sealed, for the staff. Start this file again."
    )


class UploadForgottenError(TusRefusal):
    """The upload is complete, and its length is not known here any more."""

    status = HTTPStatus.GONE
    public = (
        "This upload arrived completely, and it is kept, sealed, for the staff. This site no "
        "longer knows anything about it. There is nothing left to send."
    )
    # A HEAD has no words, and 410 alone would have the file begun anew.
    headers = (("Upload-Complete", "?1"),)


class CompleteTerminationError(TusRefusal):
    """DELETE of what is complete: only staff remove that."""

    status = HTTPStatus.FORBIDDEN
    public = (
        "This upload is complete, so it can no longer be taken back here. It is kept, sealed. "
        "Write a message to the staff if it should be removed."
    )


# --- append


class InvalidOffsetError(TusRefusal):
    """Upload-Offset is missing or is not a plain number."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "The request does not say where its octets belong. None of them were kept, and what had "
        "arrived before is safe. Send Upload-Offset with the number that HEAD answers."
    )


class OffsetMismatchError(TusRefusal):
    """Upload-Offset is not the current offset."""

    # "If the offsets do not match, the Server MUST respond with the 409 Conflict status
    # without modifying the upload resource" (tus 1.0.0, "PATCH").
    status = HTTPStatus.CONFLICT
    public = (
        "These octets do not begin where the upload stands. None of them were kept, and what had "
        "arrived before is safe. Ask with HEAD how far it is, and continue from there."
    )


class LengthExceededError(TusRefusal):
    """The body is longer than what the upload still lacks."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    public = (
        "The request carries more octets than the file has left. The upload did not grow beyond "
        "its length. Check that the file has not changed; if it has, start it as a new upload."
    )


class LengthChangeError(TusRefusal):
    """Upload-Length in a PATCH differs from the length given at creation."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "The length of an upload cannot change once it has begun. What had arrived is safe. "
        "Continue with the first length, or start the changed file as a new upload."
    )


class BodyCutShortError(TusRefusal):
    """The body ended before its Content-Length."""

    # Who reads this is a client that stalled, or one whose server stops: real clients take any
    # 4xx but 409 and 423 as final, and this is the moment to try again.
    status = HTTPStatus.SERVICE_UNAVAILABLE
    public = (
        "The connection broke before everything that was promised had arrived. What arrived is "
        "kept. Ask with HEAD how far the upload is, and continue from there."
    )


class AppendSupersededError(TusRefusal):
    """A newer request continues this upload; this one has to stop."""

    status = HTTPStatus.CONFLICT
    public = (
        "Another connection continues this upload, so this one was stopped. What arrived is "
        "kept. If that was not you, ask with HEAD how far the upload is, and continue from there."
    )


# --- checksum


class InvalidChecksumError(TusRefusal):
    """Upload-Checksum breaks its grammar."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "The checksum cannot be read. Nothing of this request was kept, and what had arrived "
        "before is safe. Upload-Checksum is the name of the algorithm, a space, and the checksum "
        "in Base64."
    )


class UnknownAlgorithmError(TusRefusal):
    """Upload-Checksum names an algorithm that is not offered."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "This site does not know that checksum algorithm. Nothing of this request was kept, and "
        "what had arrived before is safe. Use sha1 or sha256."
    )


class ChecksumWithoutLengthError(TusRefusal):
    """A body with a checksum has to say its length first."""

    status = HTTPStatus.LENGTH_REQUIRED
    public = (
        "Octets with a checksum must come with Content-Length. Nothing of this request was kept, "
        "and what had arrived before is safe. Send Content-Length, or leave the checksum out."
    )


class ChecksummedBodyTooLongError(TusRefusal):
    """A body with a checksum is held in memory, so it has its own limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    public = (
        "Octets with a checksum are taken in pieces of at most 16 MiB. Nothing of this request "
        "was kept, and what had arrived before is safe. Send smaller pieces, or leave the "
        "checksum out."
    )


class ChecksumMismatchError(TusRefusal):
    """The octets that arrived are not those that the checksum was made of."""

    status = CHECKSUM_MISMATCH
    public = (
        "The octets changed on their way. Nothing of this request was kept, and what had arrived "
        "before is safe. Send the same piece again."
    )
