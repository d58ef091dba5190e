"""What is understood of an upload's metadata, and what is left alone."""

import pytest

from submit.tus.metadata import (
    FILENAME_LIMIT,
    FILETYPE_LIMIT,
    LAST_MODIFIED_LIMIT,
    PATH_LIMIT,
    Facts,
    parse_facts,
)
from submit.tus.refusals import InvalidFactError

NAMES = (
    "видео.mp4",
    "فيديو.mp4",
    "a\u202e4pm.exe",
    "📼" * 400,
    "../../x",
    "CON",
    "a\0b",
    "a\nb",
    "<img onerror=alert(1)>",
    "-rf",
    " ",
    "e\u0301",
    "\u00e9",
)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_name_and_path_are_kept_exactly(name: str) -> None:
    """No name is normalised, shortened, cut at a slash or cleaned."""
    facts = parse_facts((("filename", name.encode()), ("relativePath", name.encode())))
    assert (facts.filename, facts.path) == (name, name)


def test_nothing_said_is_nothing_known() -> None:
    """A client that sends no metadata, or empty values, or only keys of its own, is fine."""
    nothing = Facts(filename="", path=None, modified=None, filetype=None)
    empty = tuple((key, b"") for key in ("filename", "relativePath", "lastModified", "filetype"))
    assert parse_facts(()) == nothing
    assert parse_facts(empty) == nothing
    assert parse_facts((("name", b"a"), ("Filename", b"a"), ("mine", b"\xff"))) == nothing


def test_all_facts_are_read() -> None:
    """Each key has its own place."""
    facts = parse_facts(
        (
            ("filetype", b"video/mp4"),
            ("lastModified", b"1700000000123"),
            ("relativePath", b"camera 3/a.mp4"),
            ("filename", b"a.mp4"),
        )
    )
    assert facts == Facts("a.mp4", "camera 3/a.mp4", 1_700_000_000_123, "video/mp4")


@pytest.mark.parametrize("octets", [b"\xff", b"\xe9t\xe9", b"\xc0\xaf", b"\xed\xa0\x80", b"a\xc3"])
@pytest.mark.parametrize("key", ["filename", "relativePath", "filetype"])
def test_name_that_is_not_utf_8_is_refused(key: str, octets: bytes) -> None:
    """Octets that are not strict UTF-8 could not be given back exactly."""
    with pytest.raises(InvalidFactError):
        parse_facts(((key, octets),))


@pytest.mark.parametrize(
    ("key", "limit"),
    [("filename", FILENAME_LIMIT), ("relativePath", PATH_LIMIT), ("filetype", FILETYPE_LIMIT)],
)
def test_each_fact_has_its_limit_in_octets(key: str, limit: int) -> None:
    """The limit itself is taken; one octet more is refused, however few letters it makes."""
    long = "é" * (limit // 2) + "a" * (limit % 2)
    facts = parse_facts(((key, long.encode()),))
    assert long in (facts.filename, facts.path, facts.filetype)
    with pytest.raises(InvalidFactError):
        parse_facts(((key, long.encode() + b"a"),))


def test_limits_take_the_names_that_people_have() -> None:
    """400 letters of four octets, a path of PATH_MAX, and a type as long as types can be."""
    assert (FILENAME_LIMIT, PATH_LIMIT, FILETYPE_LIMIT) == (2048, 4096, 255)


@pytest.mark.parametrize("value", [b"0", b"1", b"1700000000123", b"%d" % LAST_MODIFIED_LIMIT])
def test_last_modified_of_any_calendar_is_read(value: bytes) -> None:
    """From 1970 to the last millisecond of the year 9999."""
    assert LAST_MODIFIED_LIMIT == 253_402_300_799_999
    assert parse_facts((("lastModified", value),)).modified == int(value)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"-1",
        b"+1",
        b"1_0",
        b"1.5",
        b"null",
        b"NaN",
        b"\xb2",
        b"\xd9\xa1",
        b"253402300800000",
        b"9" * 16,
        b"9" * 5000,
    ],
)
def test_absurd_last_modified_is_ignored(value: bytes) -> None:
    """A camera with a broken clock costs nobody the file: the rest is read as if it were absent."""
    facts = parse_facts((("lastModified", value), ("filename", b"a")))
    assert facts == Facts(filename="a")


def test_facts_do_not_show_themselves() -> None:
    """A name that reaches a traceback or a log through a repr would be a leak."""
    facts = Facts("secret.mp4", "secret/path", 1_700_000_000_123, "video/secret")
    assert "secret" not in repr(facts)
    assert "17000" not in repr(facts)
