"""Status and headers of every answer, as values. Whoever sends them adds nothing of the protocol.

Every answer carries Tus-Resumable and is never cached: what HEAD said a moment ago is wrong now.
"""

from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from submit.errors import Refusal
from submit.tus.grammar import ALGORITHMS, UploadId
from submit.tus.limits import Limits
from submit.tus.refusals import CHECKSUM_MISMATCH, VERSION, TusRefusal

EXTENSIONS = ("creation", "creation-with-upload", "termination", "expiration", "checksum")

Field = tuple[str, str]

# "The Tus-Resumable header MUST be included in every request and response", and HEAD's answer
# "MUST prevent the client and/or proxies from caching" (tus 1.0.0); we say so on every answer.
_ALWAYS: tuple[Field, ...] = (("Tus-Resumable", VERSION), ("Cache-Control", "no-store"))

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_ZERO = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What goes back to the client. `body` is empty, or words in UTF-8 as text/plain."""

    status: int
    headers: tuple[Field, ...]
    body: str = ""

    @property
    def status_line(self) -> str:
        """Status and its name, as WSGI wants them; HTTP has no name for tus's 460."""
        if self.status == CHECKSUM_MISMATCH:
            return f"{self.status} Checksum Mismatch"
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def answer_options(limits: Limits) -> Answer:
    """Say what is offered here."""
    return Answer(
        HTTPStatus.NO_CONTENT,
        (
            *_ALWAYS,
            ("Tus-Version", VERSION),
            ("Tus-Extension", ",".join(EXTENSIONS)),
            ("Tus-Max-Size", str(limits.max_upload_length)),
            ("Tus-Checksum-Algorithm", ",".join(ALGORITHMS)),
        ),
    )


def answer_creation(
    upload_id: UploadId, offset: int | None, expires: int | None, *, unread: bool = False
) -> Answer:
    """Tell where the upload is that was asked for.

    `offset`: how far it is, None if no octets came along and the client gave no Idempotency-Key.
    `unread`: octets came that nobody will read, because it is an upload of before.
    """
    return Answer(
        HTTPStatus.CREATED,
        (
            *_ALWAYS,
            # Relative: behind an onion address we do not know what name the client called.
            ("Location", f"/uploads/{upload_id}"),
            *_offset(offset),
            *_expires(expires),
            *((("Connection", "close"),) if unread else ()),
        ),
    )


def answer_head(offset: int, length: int, metadata: str, expires: int | None) -> Answer:
    """Tell its owner how far an upload is. `metadata`: Upload-Metadata as it came at creation."""
    return Answer(
        HTTPStatus.OK,
        (
            *_ALWAYS,
            *_offset(offset),
            ("Upload-Length", str(length)),
            *((("Upload-Metadata", metadata),) if metadata else ()),
            *_expires(expires),
        ),
    )


def answer_append(offset: int, expires: int | None) -> Answer:
    """Acknowledge octets: `offset` must be durable before this is sent."""
    return Answer(HTTPStatus.NO_CONTENT, (*_ALWAYS, *_offset(offset), *_expires(expires)))


def answer_termination() -> Answer:
    """Confirm that the upload is gone."""
    return Answer(HTTPStatus.NO_CONTENT, _ALWAYS)


def answer_refusal(refusal: Refusal, expires: int | None = None) -> Answer:
    """Say no in the refusal's words. `expires`: given when a PATCH of a living upload is refused."""
    own = refusal.headers if isinstance(refusal, TusRefusal) else ()
    return Answer(
        refusal.status,
        (*_ALWAYS, ("Content-Type", "text/plain; charset=utf-8"), *own, *_expires(expires)),
        refusal.public + "\n",
    )


def format_day(day: int) -> str:
    """Write the beginning of a UTC day (days since 1970-01-01) as an IMF-fixdate.

    RFC 9110, section 5.6.7. Not strftime: its names follow the server's locale.
    """
    when = date.fromordinal(_DAY_ZERO + day)
    name, month = _DAYS[when.weekday()], _MONTHS[when.month - 1]
    return f"{name}, {when.day:02} {month} {when.year:04} 00:00:00 GMT"


def _offset(offset: int | None) -> tuple[Field, ...]:
    return () if offset is None else (("Upload-Offset", str(offset)),)


def _expires(day: int | None) -> tuple[Field, ...]:
    # None when the upload is complete: what is complete does not expire.
    return () if day is None else (("Upload-Expires", format_day(day)),)
