"""What goes back: every header of every answer, and the words of every refusal."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submit.errors import Refusal
from submit.tus import refusals
from submit.tus.answers import (
    Answer,
    answer_append,
    answer_creation,
    answer_head,
    answer_options,
    answer_refusal,
    answer_termination,
    format_day,
)
from submit.tus.grammar import UploadId
from submit.tus.limits import Limits
from submit.tus.refusals import (
    ChecksumMismatchError,
    OffsetMismatchError,
    TusRefusal,
    UnknownMethodError,
    UnsupportedVersionError,
)

ID = UploadId("a" * 26)
ALWAYS = (("Tus-Resumable", "1.0.0"), ("Cache-Control", "no-store"))
TEXT = ("Content-Type", "text/plain; charset=utf-8")
EXPIRES = ("Upload-Expires", "Wed, 25 Jun 2014 00:00:00 GMT")
DAY = 16_246

ROWS = sorted(TusRefusal.__subclasses__(), key=lambda row: row.__name__)


def test_options_tells_everything() -> None:
    """Version, extensions, the greatest length, the algorithms."""
    assert answer_options(Limits(max_upload_length=123)) == Answer(
        204,
        (
            *ALWAYS,
            ("Tus-Version", "1.0.0"),
            ("Tus-Extension", "creation,creation-with-upload,termination,expiration,checksum"),
            ("Tus-Max-Size", "123"),
            ("Tus-Checksum-Algorithm", "sha1,sha256"),
        ),
    )


def test_creation_tells_where_and_until_when() -> None:
    """The offset is there only if octets came along, the expiry only if something is missing."""
    location = ("Location", "/uploads/" + "a" * 26)
    offset = ("Upload-Offset", "5")
    assert answer_creation(ID, None, None) == Answer(201, (*ALWAYS, location))
    assert answer_creation(ID, 5, DAY) == Answer(201, (*ALWAYS, location, offset, EXPIRES))
    assert ("Upload-Offset", "0") in answer_creation(ID, 0, None).headers


def test_head_tells_how_far_it_is() -> None:
    """Offset and length always, metadata if there was any, expiry if something is missing."""
    how_far = (("Upload-Offset", "0"), ("Upload-Length", "9"))
    assert answer_head(0, 9, "", None) == Answer(200, (*ALWAYS, *how_far))
    metadata = ("Upload-Metadata", "a YQ==")
    full = Answer(200, (*ALWAYS, *how_far, metadata, EXPIRES))
    assert answer_head(0, 9, "a YQ==", DAY) == full


def test_append_tells_the_new_offset() -> None:
    """And until when the rest can be sent."""
    offset = ("Upload-Offset", "9")
    assert answer_append(9, None) == Answer(204, (*ALWAYS, offset))
    assert answer_append(9, DAY) == Answer(204, (*ALWAYS, offset, EXPIRES))


def test_termination_is_confirmed() -> None:
    """Nothing more is said."""
    assert answer_termination() == Answer(204, ALWAYS)


def test_refusal_is_said_in_its_words() -> None:
    """Status, words as text, the headers of the refusal, and the expiry of a living upload."""
    words = OffsetMismatchError.public + "\n"
    assert answer_refusal(OffsetMismatchError()) == Answer(409, (*ALWAYS, TEXT), words)
    living = answer_refusal(OffsetMismatchError(), DAY)
    assert living == Answer(409, (*ALWAYS, TEXT, EXPIRES), words)
    version = ("Tus-Version", "1.0.0")
    assert answer_refusal(UnsupportedVersionError()).headers == (*ALWAYS, TEXT, version)
    allowed = ("Allow", "OPTIONS, POST, HEAD, PATCH, DELETE")
    assert answer_refusal(UnknownMethodError()).headers == (*ALWAYS, TEXT, allowed)


def test_refusal_of_another_room_is_answered_too() -> None:
    """What the protocol does not know (a full disk) still speaks tus."""

    class FullError(Refusal):
        status = 507
        public = "full"

    assert answer_refusal(FullError()) == Answer(507, (*ALWAYS, TEXT), "full\n")


def test_status_line_has_a_name_for_460() -> None:
    """HTTP has none."""
    assert answer_refusal(ChecksumMismatchError()).status_line == "460 Checksum Mismatch"
    assert answer_refusal(OffsetMismatchError()).status_line == "409 Conflict"
    assert answer_termination().status_line == "204 No Content"


def test_answers_do_not_show_themselves() -> None:
    """Lengths and names reach no log through a repr."""
    assert "YQ" not in repr(answer_head(123, 456, "a YQ==", DAY))
    assert "456" not in repr(answer_head(123, 456, "a YQ==", DAY))


@given(st.integers(0, 100_000))
def test_day_is_written_as_the_standard_library_writes_it(day: int) -> None:
    """An IMF-fixdate at midnight UTC, for every day until the year 2243."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
    assert format_day(day) == format_datetime(moment, usegmt=True)


def test_day_of_a_small_year_has_four_digits() -> None:
    """The grammar says 4DIGIT."""
    assert format_day(-719_162) == "Mon, 01 Jan 0001 00:00:00 GMT"


# --- the table of refusals


def test_every_refusal_of_the_room_is_a_row() -> None:
    """No class in the file is forgotten, and none stands under another."""
    classes = [value for value in vars(refusals).values() if isinstance(value, type)]
    named = [row for row in classes if issubclass(row, TusRefusal) and row is not TusRefusal]
    assert sorted(named, key=lambda row: row.__name__) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_words_are_constant_and_kind(row: type[TusRefusal]) -> None:
    """Sentences, in ASCII, that tell what is to be done and nothing of the inside."""
    assert row.public.isascii()
    assert re.fullmatch(r"([A-Z][^.]+(\.[0-9][^.]*)*\. ?){2,4}", row.public)
    assert row.public == row.public.strip()
    assert not re.search("error|exception|invalid|server|database|disk|NULL", row.public)
    assert str(row()) == ""


def test_every_refusal_has_words_of_its_own() -> None:
    """A log of a tus client tells which of them it was."""
    assert len({row.public for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_status_is_a_known_one(row: type[TusRefusal]) -> None:
    """None of them says that the fault is ours (500), and each has a name."""
    assert row.status == 460 or HTTPStatus(row.status).phrase
    assert 400 <= row.status < 500 or row.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert row.__name__.endswith("Error")


def test_clients_go_on_after_these_and_begin_again_after_those() -> None:
    """tus-js-client tries again after 409 and 5xx, and takes any other 4xx as final.

    To HEAD, 403, 404 and 410 mean to it that there is no such upload, and it begins from octet 0:
    nothing that a living upload can answer may be one of these by mistake.
    """
    begin_again = {row.__name__ for row in ROWS if row.status in (403, 404, 410)}
    assert begin_again == {
        "CompleteTerminationError",
        "UploadExpiredError",
        "UploadForgottenError",
        "UploadNotFoundError",
    }
    go_on = {row.__name__ for row in ROWS if row.status in (409, 423) or row.status >= 500}
    assert go_on == {
        "AppendSupersededError",
        "BodyCutShortError",
        "CreationUnderwayError",
        "OffsetMismatchError",
    }
