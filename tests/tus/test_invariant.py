"""Any headers either get an answer or raise a Refusal; never anything else."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import example, given
from hypothesis import strategies as st

from submit.errors import Refusal
from submit.tus.answers import answer_refusal
from submit.tus.grammar import (
    METADATA_LIMIT,
    encode_metadata,
    parse_checksum,
    parse_metadata,
    parse_upload_id,
)
from submit.tus.headers import Headers, collect_headers
from submit.tus.limits import Limits
from submit.tus.metadata import parse_facts
from submit.tus.requests import (
    Append,
    Creation,
    decide_append,
    decide_creation,
    decide_head,
    decide_offset,
    decide_termination,
    effective_method,
)
from tests.tus.houses import MemoryHouse

Asked = TypeVar("Asked")

LIMITS = Limits(max_upload_length=1000, max_checksummed_body=100)

NAMES = (
    "Tus-Resumable",
    "Content-Type",
    "Content-Length",
    "Transfer-Encoding",
    "Upload-Length",
    "Upload-Offset",
    "Upload-Metadata",
    "Upload-Checksum",
    "Upload-Defer-Length",
    "Upload-Concat",
    "X-HTTP-Method-Override",
    "Idempotency-Key",
)

# Octets as WSGI hands them, and now and then what no server would hand.
RUBBISH = st.text(st.characters(max_codepoint=255), max_size=40) | st.text(max_size=10)
PLAUSIBLE = st.sampled_from(
    [
        "1.0.0",
        "0",
        "7",
        "10",
        "1000",
        "1001",
        "chunked",
        "application/offset+octet-stream",
        "filename YQ==,relativePath Yg==",
        "filename /w==",
        "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "md5 YQ==",
        "one-of-our-own-keys_1",
        "partial",
        "PATCH",
        "DELETE",
        "HEAD",
        "POST",
    ]
)
FIELDS = st.lists(st.tuples(st.sampled_from(NAMES), PLAUSIBLE | RUBBISH), max_size=9)

# Most random headers stop at the first check; these get far.
CORRECT = (
    ("Tus-Resumable", "1.0.0"),
    ("Content-Type", "application/offset+octet-stream"),
    ("Upload-Length", "10"),
    ("Upload-Offset", "0"),
)


@st.composite
def requests(draw: st.DrawFn) -> Headers:
    """Draw the headers of a request: correct ones, some of them replaced, doubled or dropped."""
    fields = draw(FIELDS)
    if draw(st.booleans()):
        replaced = {name for name, _ in fields}
        fields += [field for field in CORRECT if field[0] not in replaced]
    return collect_headers(fields)


def refused(ask: Callable[[], Asked]) -> Asked | Refusal:
    """Let refusals pass, and nothing else."""
    try:
        return ask()
    except Refusal as refusal:
        answer_refusal(refusal)
        return refusal


@given(requests())
def test_any_headers_are_decided_or_refused(headers: Headers) -> None:
    """Every judge, whatever it is asked; and what it lets through is within the limits."""
    refused(lambda: decide_head(headers))
    refused(lambda: decide_termination(headers))
    creation = refused(lambda: decide_creation(headers, LIMITS))
    if isinstance(creation, Creation):
        assert 0 <= creation.length <= LIMITS.max_upload_length
        assert len(creation.metadata) <= METADATA_LIMIT
        if creation.body is not None:
            assert creation.body.offset == 0
            assert decide_offset(0, creation.length, creation.body) == creation.length
    append = refused(lambda: decide_append(headers, LIMITS))
    if isinstance(append, Append) and append.checksum is not None:
        assert append.content_length is not None
        assert 0 <= append.content_length <= LIMITS.max_checksummed_body


@given(st.text(max_size=12), requests())
def test_any_method_is_ours_or_refused(method: str, headers: Headers) -> None:
    """The method of the request, or the one that overrides it."""
    refused(lambda: effective_method(method, headers))


@given(RUBBISH)
@example("a" * 26)
def test_any_text_is_an_upload_id_or_not_found(text: str) -> None:
    """What is let through is safe as a name of a file."""
    found = refused(lambda: parse_upload_id(text))
    assert isinstance(found, Refusal) or (len(text) == 26 and text.isalnum() and text.isascii())


@given(st.text("aA0+/=_- ,\n\xe4", max_size=24))
def test_any_metadata_is_read_in_one_spelling_or_refused(text: str) -> None:
    """What is read is what encoding writes, but for the space before an empty value."""
    pairs = refused(lambda: parse_metadata(text))
    if not isinstance(pairs, Refusal):
        assert encode_metadata(pairs) == ",".join(pair.rstrip(" ") for pair in text.split(","))


@given(
    st.lists(
        st.tuples(st.from_regex(r"[!-+\--~]{1,9}", fullmatch=True), st.binary(max_size=40)),
        max_size=6,
        unique_by=lambda pair: pair[0],
    )
)
def test_metadata_comes_back_as_it_was_encoded(pairs: list[tuple[str, bytes]]) -> None:
    """parse_metadata is the inverse of encode_metadata."""
    assert parse_metadata(encode_metadata(tuple(pairs))) == tuple(pairs)


@given(
    st.dictionaries(
        st.sampled_from(["filename", "relativePath", "lastModified", "filetype", "x"]),
        st.binary(max_size=300) | st.integers(-(10**20), 10**20).map(lambda n: b"%d" % n),
    )
)
def test_any_pairs_are_facts_or_refused(pairs: dict[str, bytes]) -> None:
    """And the names that are read are the octets that came."""
    facts = refused(lambda: parse_facts(tuple(pairs.items())))
    if not isinstance(facts, Refusal):
        assert facts.filename.encode() == pairs.get("filename", b"")
        assert (facts.path or "").encode() == pairs.get("relativePath", b"")


@given(RUBBISH | st.text("sha1256 =+/AQYz", max_size=60))
def test_any_checksum_is_read_or_refused(text: str) -> None:
    """What is read has a digest as long as its algorithm's."""
    checksum = refused(lambda: parse_checksum(text))
    if not isinstance(checksum, Refusal):
        assert len(checksum.digest) == {"sha1": 20, "sha256": 32}[checksum.algorithm]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["OPTIONS", "POST", "HEAD", "PATCH", "DELETE", "GET"]),
            FIELDS,
            st.binary(max_size=12),
        ),
        max_size=8,
    )
)
def test_any_conversation_gets_answers(
    conversation: list[tuple[str, list[tuple[str, str]], bytes]],
) -> None:
    """One upload, asked anything in any order: every reply is tus, and no upload outgrows its length."""
    house = MemoryHouse(LIMITS)
    house.ask("POST", "/uploads", *CORRECT[:1], *CORRECT[2:3])
    for method, fields, body in conversation:
        given_names = {name for name, _ in fields}
        added = [field for field in CORRECT if field[0] not in given_names]
        reply = house.ask(method, "/uploads/" + "a" * 26, *fields, *added, body=body)
        assert reply.headers["tus-resumable"] == "1.0.0"
        assert all(len(kept.octets) <= kept.length for kept in house.uploads.values())
