"""What the judges read out of headers: the cases that no sentence of the protocol names."""

import pytest

from submit.errors import Refusal
from submit.tus.grammar import Checksum, parse_integer, parse_upload_id
from submit.tus.headers import Headers, collect_headers
from submit.tus.limits import MEBIBYTE, Limits
from submit.tus.metadata import Facts
from submit.tus.refusals import (
    ChecksummedBodyTooLongError,
    ChecksumWithoutLengthError,
    ConcatenationError,
    DeferredLengthError,
    InvalidContentLengthError,
    InvalidFactError,
    InvalidLengthError,
    InvalidOffsetError,
    LengthChangeError,
    LengthExceededError,
    LengthTooLargeError,
    MetadataTooLongError,
    OffsetMismatchError,
    UnknownMethodError,
    UnsupportedMediaTypeError,
    UnsupportedVersionError,
    UploadNotFoundError,
)
from submit.tus.requests import (
    Append,
    Creation,
    Method,
    decide_append,
    decide_creation,
    decide_head,
    decide_offset,
    decide_termination,
    effective_method,
)
from tests.tus.houses import OCTETS, TUS

LIMITS = Limits(max_upload_length=1000, max_checksummed_body=100)
SHA1 = ("Upload-Checksum", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=")
CHUNKED = ("Transfer-Encoding", "chunked")

Field = tuple[str, str]


def patch(*fields: Field) -> Headers:
    """Collect the headers of a PATCH at offset 7, with fields added."""
    return collect_headers([TUS, OCTETS, ("Upload-Offset", "7"), *fields])


def post(*fields: Field, length: str = "10") -> Headers:
    """Collect the headers of a POST for 10 octets, with fields added."""
    return collect_headers([TUS, ("Upload-Length", length), *fields])


# --- headers


def test_repeated_headers_are_joined_in_order() -> None:
    """Names have no case, and a repetition is seen."""
    headers = collect_headers([("A-b", "1"), ("C", "3"), ("a-B", "2"), ("a-b", "1")])
    assert headers == {"a-b": "1,2,1", "c": "3"}


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("Tus-Resumable", "1.0.0", UnsupportedVersionError),
        ("Upload-Offset", "7", InvalidOffsetError),
        ("Upload-Length", "10", InvalidLengthError),
        ("Content-Length", "3", InvalidContentLengthError),
        ("Content-Type", "application/offset+octet-stream", UnsupportedMediaTypeError),
    ],
)
def test_header_sent_twice_is_refused(name: str, value: str, refusal: type[Refusal]) -> None:
    """Also when both say the same: two readers on the way may have chosen differently."""
    correct = {**patch(), "upload-length": "10", "content-length": "3"}
    assert correct[name.lower()] == value
    decide_append(Headers(correct), LIMITS)
    with pytest.raises(refusal):
        decide_append(collect_headers([*correct.items(), (name, value)]), LIMITS)


# --- integers and ids


@pytest.mark.parametrize("text", ["0", "7", "007", "9007199254740991", "9" * 16])
def test_integer_is_ascii_digits(text: str) -> None:
    """Up to sixteen digits are read."""
    assert parse_integer(text, InvalidOffsetError) == int(text)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " 1",
        "1 ",
        "1\n",
        "+1",
        "-0",
        "1_000",
        "\u0661",
        "\xb2",
        "1,1",
        "1.0",
        "0x1",
        "9" * 17,
    ],
)
def test_what_only_python_calls_an_integer_is_refused(text: str | None) -> None:
    """The refusal is the one of the header that was read."""
    with pytest.raises(InvalidOffsetError):
        parse_integer(text, InvalidOffsetError)


def test_upload_id_is_26_letters_of_base32() -> None:
    """Only what the store can have made is looked up."""
    assert parse_upload_id("abcdefghijklmnopqrstuvwxyz") == "abcdefghijklmnopqrstuvwxyz"
    assert parse_upload_id("234567" + "a" * 20) == "234567" + "a" * 20


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a" * 25,
        "a" * 27,
        "A" * 26,
        "a" * 25 + "1",
        "a" * 25 + "8",
        "a" * 26 + "\n",
        "../" + "a" * 23,
        "a" * 25 + "\u0430",
    ],
)
def test_what_can_be_no_upload_id_is_not_found(text: str) -> None:
    """It gets the answer of an id that is unknown."""
    with pytest.raises(UploadNotFoundError):
        parse_upload_id(text)


# --- method


@pytest.mark.parametrize("method", list(Method))
def test_method_counts_as_it_came(method: Method) -> None:
    """Without an override every method of ours is itself."""
    assert effective_method(method.value, collect_headers([])) is method


@pytest.mark.parametrize("name", ["GET", "PUT", "patch", "", "PATCH,PATCH", "CONNECT"])
def test_method_that_is_not_ours_is_refused(name: str) -> None:
    """As the method of the request and as an override alike."""
    with pytest.raises(UnknownMethodError):
        effective_method(name, collect_headers([]))
    with pytest.raises(UnknownMethodError):
        effective_method("POST", collect_headers([("X-HTTP-Method-Override", name)]))


def test_override_counts_for_any_method() -> None:
    """Tus 1.0.0: "The actual method of the request MUST be ignored", even one unknown here."""
    override = collect_headers([("X-HTTP-Method-Override", "PATCH")])
    assert effective_method("GET", override) is Method.PATCH
    assert effective_method("DELETE", override) is Method.PATCH


# --- version


def test_head_and_delete_need_nothing_but_the_version() -> None:
    """With it they may be asked, without it they are refused."""
    decide_head(collect_headers([TUS]))
    decide_termination(collect_headers([TUS]))
    with pytest.raises(UnsupportedVersionError):
        decide_head(collect_headers([]))
    with pytest.raises(UnsupportedVersionError):
        decide_termination(collect_headers([("Tus-Resumable", "1.0.0 ")]))


def test_version_is_looked_at_first() -> None:
    """A request of a foreign page, or of another version, learns nothing else."""
    for headers in ([], [("Tus-Resumable", "0.2.2"), ("Upload-Concat", "partial")]):
        with pytest.raises(UnsupportedVersionError):
            decide_creation(collect_headers(headers), LIMITS)
        with pytest.raises(UnsupportedVersionError):
            decide_append(collect_headers(headers), LIMITS)


# --- creation


def test_creation_carries_what_was_said() -> None:
    """Length, metadata as it came, its facts, and no body."""
    creation = decide_creation(post(("Upload-Metadata", "filename YS5tcDQ=,mine")), LIMITS)
    assert creation == Creation(10, "filename YS5tcDQ=,mine", Facts(filename="a.mp4"), None)


def test_creation_without_metadata_has_none() -> None:
    """Nothing said is an empty header."""
    assert decide_creation(post(), LIMITS) == Creation(10, "", Facts(), None)


def test_creation_with_upload_is_an_append_at_offset_0() -> None:
    """The body has its length and its checksum, like a PATCH."""
    headers = post(OCTETS, ("Content-Length", "4"), SHA1)
    digest = bytes.fromhex("2aae6c35c94fcfb415dbe95f408b9ce91ee846ed")
    assert decide_creation(headers, LIMITS).body == Append(0, 4, Checksum("sha1", digest))


def test_creation_with_a_chunked_body_has_no_length_of_its_own() -> None:
    """A body that only ends says so."""
    assert decide_creation(post(OCTETS, CHUNKED), LIMITS).body == Append(0, None, None)


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (OCTETS,),
        (("Content-Length", "0"),),
        (OCTETS, ("Content-Length", "0")),
        (("Content-Length", "0"), ("Content-Type", "application/x-www-form-urlencoded")),
    ],
)
def test_creation_without_octets_has_no_body(fields: tuple[Field, ...]) -> None:
    """A content type alone is no body: libraries set one on an empty POST."""
    assert decide_creation(post(*fields), LIMITS).body is None


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        (post(("Upload-Concat", "partial")), ConcatenationError),
        (post(("Upload-Concat", "")), ConcatenationError),
        (post(("Upload-Defer-Length", "1")), DeferredLengthError),
        (post(("Upload-Defer-Length", "")), DeferredLengthError),
        (collect_headers([TUS]), InvalidLengthError),
        (post(length="-1"), InvalidLengthError),
        (post(length="1001"), LengthTooLargeError),
        (post(("Upload-Metadata", "filename /w==")), InvalidFactError),
        (post(("Upload-Metadata", "," * 8001)), MetadataTooLongError),
        (post(("Content-Length", "1")), UnsupportedMediaTypeError),
        (post(CHUNKED), UnsupportedMediaTypeError),
        (post(("Content-Length", "x")), InvalidContentLengthError),
        (post(OCTETS, CHUNKED, ("Content-Length", "4")), InvalidContentLengthError),
        (post(OCTETS, ("Content-Length", "11")), LengthExceededError),
        (post(OCTETS, ("Content-Length", "1"), length="0"), LengthExceededError),
        (post(OCTETS, CHUNKED, SHA1), ChecksumWithoutLengthError),
    ],
)
def test_creation_is_refused_in_its_own_words(headers: Headers, refusal: type[Refusal]) -> None:
    """Each fault has its refusal."""
    with pytest.raises(refusal):
        decide_creation(headers, LIMITS)


def test_creation_takes_the_limits_themselves() -> None:
    """The greatest length, and a body as long as the upload."""
    assert decide_creation(post(length="1000"), LIMITS).length == 1000
    body = decide_creation(post(OCTETS, ("Content-Length", "10")), LIMITS).body
    assert body == Append(0, 10, None)


# --- append


def test_append_carries_what_was_said() -> None:
    """Offset, the length of the body, its checksum, and the length that was repeated."""
    headers = patch(("Content-Length", "4"), SHA1, ("Upload-Length", "10"))
    digest = bytes.fromhex("2aae6c35c94fcfb415dbe95f408b9ce91ee846ed")
    assert decide_append(headers, LIMITS) == Append(7, 4, Checksum("sha1", digest), 10)


@pytest.mark.parametrize("fields", [(), (CHUNKED,)])
def test_append_without_content_length_ends_when_it_ends(fields: tuple[Field, ...]) -> None:
    """A chunked body, and a request that says nothing, are read to their end."""
    assert decide_append(patch(*fields), LIMITS) == Append(7, None, None)


def test_names_of_a_media_type_have_no_case() -> None:
    """RFC 9110, section 8.3.1."""
    headers = collect_headers(
        [TUS, ("Upload-Offset", "0"), ("Content-Type", "Application/Offset+Octet-Stream")]
    )
    assert decide_append(headers, LIMITS) == Append(0, None, None)


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        (collect_headers([TUS, ("Upload-Offset", "7")]), UnsupportedMediaTypeError),
        (collect_headers([TUS, OCTETS]), InvalidOffsetError),
        (patch(("Upload-Length", "")), InvalidLengthError),
        (patch(("Content-Length", "+1")), InvalidContentLengthError),
        (patch(("Content-Length", "1"), CHUNKED), InvalidContentLengthError),
        (patch(SHA1), ChecksumWithoutLengthError),
        (patch(SHA1, CHUNKED), ChecksumWithoutLengthError),
        (patch(SHA1, ("Content-Length", "101")), ChecksummedBodyTooLongError),
    ],
)
def test_append_is_refused_in_its_own_words(headers: Headers, refusal: type[Refusal]) -> None:
    """Each fault has its refusal."""
    with pytest.raises(refusal):
        decide_append(headers, LIMITS)


def test_checksummed_body_takes_the_limit_itself() -> None:
    """As much as is held in memory, and 16 MiB of it unless the operator says otherwise."""
    assert decide_append(patch(SHA1, ("Content-Length", "100")), LIMITS).content_length == 100
    assert Limits(max_upload_length=1).max_checksummed_body == 16 * MEBIBYTE == 16_777_216


# --- offset


@pytest.mark.parametrize(
    ("current", "length", "content_length", "remaining"),
    [
        (0, 10, 10, 10),
        (7, 10, 3, 3),
        (7, 10, 0, 3),
        (7, 10, None, 3),
        (10, 10, 0, 0),
        (0, 0, None, 0),
    ],
)
def test_append_at_the_offset_may_take_what_remains(
    current: int, length: int, content_length: int | None, remaining: int
) -> None:
    """Also nothing, when the upload is complete."""
    assert decide_offset(current, length, Append(current, content_length, None)) == remaining
    repeated = Append(current, content_length, None, length)
    assert decide_offset(current, length, repeated) == remaining


@pytest.mark.parametrize(
    ("append", "refusal"),
    [
        (Append(6, 1, None), OffsetMismatchError),
        (Append(8, 1, None), OffsetMismatchError),
        (Append(10, 0, None), OffsetMismatchError),
        (Append(6, 99, None, 11), OffsetMismatchError),
        (Append(7, 1, None, 11), LengthChangeError),
        (Append(7, 1, None, 0), LengthChangeError),
        (Append(7, 99, None, 9), LengthChangeError),
        (Append(7, 4, None), LengthExceededError),
        (Append(7, 4, None, 10), LengthExceededError),
    ],
)
def test_append_that_does_not_fit_is_refused(append: Append, refusal: type[Refusal]) -> None:
    """A wrong offset is said before anything else: it is what clients recover from."""
    with pytest.raises(refusal):
        decide_offset(7, 10, append)


def test_complete_upload_takes_no_octet_more() -> None:
    """Not even one."""
    with pytest.raises(LengthExceededError):
        decide_offset(10, 10, Append(10, 1, None))


def test_requests_do_not_show_themselves() -> None:
    """Lengths, offsets and checksums reach no traceback or log through a repr."""
    append = decide_append(patch(("Content-Length", "4"), SHA1), LIMITS)
    creation = decide_creation(post(("Upload-Metadata", "filename YS5tcDQ="), length="999"), LIMITS)
    shown = repr(append) + repr(append.checksum) + repr(creation)
    assert not any(text in shown for text in ("YS5t", "a.mp4", "999", "sha1", "offset=7"))
