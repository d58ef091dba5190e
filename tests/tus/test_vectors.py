"""The header values in tests/vectors/tus, each through its reader and through a whole request."""

from collections.abc import Callable
from pathlib import Path

import pytest

from submit.errors import Refusal
from submit.tus.grammar import encode_metadata, parse_checksum, parse_metadata
from submit.tus.headers import collect_headers
from submit.tus.limits import Limits
from submit.tus.requests import decide_append, decide_creation
from tests.tus.houses import OCTETS, TUS

FOLDER = Path(__file__).parent.parent / "vectors" / "tus"
LIMITS = Limits(max_upload_length=1000)


class Vector:
    def __init__(self, path: Path) -> None:
        head, _, value = path.read_bytes().partition(b"\n\n")
        self.fields = [line.partition(": ")[::2] for line in head.decode().split("\n")]
        # WSGI hands octets of headers as ISO 8859-1.
        self.value = value.decode("latin-1")

    def __getitem__(self, name: str) -> str:
        return dict(self.fields)[name]

    @property
    def pairs(self) -> tuple[tuple[str, bytes], ...]:
        pairs = [value.partition(" ") for name, value in self.fields if name == "pair"]
        return tuple((key, bytes.fromhex(octets)) for key, _, octets in pairs)


def vectors(kind: str) -> pytest.MarkDecorator:
    """Parametrise with every file of one kind, by its name."""
    paths = sorted((FOLDER / kind).glob("*.vec"))
    return pytest.mark.parametrize("vector", [pytest.param(Vector(p), id=p.stem) for p in paths])


def outcome(attempt: Callable[[], object]) -> str:
    """Name what an attempt ends in, as the vectors do: ok, or the refusal."""
    try:
        attempt()
    except Refusal as refusal:
        return type(refusal).__name__
    return "ok"


def test_most_vectors_are_refusals() -> None:
    """The vectors are found, and they look more at what is wrong than at what is right."""
    for kind in ("metadata", "checksum"):
        expected = [Vector(path)["expect"] for path in (FOLDER / kind).glob("*.vec")]
        assert 0 < expected.count("ok") < len(expected) / 2


@vectors("metadata")
def test_metadata_vector_is_read_or_refused(vector: Vector) -> None:
    """The reader gives the pairs of the vector, or its refusal."""
    assert outcome(lambda: parse_metadata(vector.value)) == vector["expect"]
    if vector["expect"] == "ok":
        assert parse_metadata(vector.value) == vector.pairs


@vectors("metadata")
def test_metadata_vector_decides_a_creation(vector: Vector) -> None:
    """A POST with this header is decided in the same way, and keeps the header as it came."""
    headers = collect_headers([TUS, ("Upload-Length", "4"), ("Upload-Metadata", vector.value)])
    assert outcome(lambda: decide_creation(headers, LIMITS)) == vector["expect"]
    if vector["expect"] == "ok":
        assert decide_creation(headers, LIMITS).metadata == vector.value


@vectors("metadata")
def test_accepted_metadata_has_one_spelling(vector: Vector) -> None:
    """What is read is what encoding would write, but for the space before an empty value."""
    if vector["expect"] == "ok":
        assert encode_metadata(vector.pairs) == vector.value.replace(" ,", ",")


@vectors("checksum")
def test_checksum_vector_is_read_or_refused(vector: Vector) -> None:
    """The reader gives the algorithm and digest of the vector, or its refusal."""
    assert outcome(lambda: parse_checksum(vector.value)) == vector["expect"]
    if vector["expect"] == "ok":
        checksum = parse_checksum(vector.value)
        assert checksum.algorithm == vector["algorithm"]
        assert checksum.digest == bytes.fromhex(vector["digest"])


@vectors("checksum")
def test_checksum_vector_verifies_its_body_and_no_other(vector: Vector) -> None:
    """The digest that OpenSSL made holds for its body, and for no other."""
    if vector["expect"] == "ok":
        checksum = parse_checksum(vector.value)
        body = bytes.fromhex(vector["body"])
        assert outcome(lambda: checksum.verify(body)) == "ok"
        assert outcome(lambda: checksum.verify(body + b"\0")) == "ChecksumMismatchError"


@vectors("checksum")
def test_checksum_vector_decides_an_append(vector: Vector) -> None:
    """A PATCH with this header is decided in the same way."""
    headers = collect_headers(
        [
            TUS,
            OCTETS,
            ("Upload-Offset", "0"),
            ("Content-Length", "1"),
            ("Upload-Checksum", vector.value),
        ]
    )
    assert outcome(lambda: decide_append(headers, LIMITS)) == vector["expect"]
