"""The search finds what it is there to find: a net with holes would make promise 1 look kept."""

import base64
import hashlib
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.canary import (
    codename_needles,
    hashes_of,
    make_marked,
    needles_of,
    search,
    search_many,
)


@given(secret=st.binary(min_size=8, max_size=40), before=st.binary(max_size=5))
@pytest.mark.parametrize("encode", [bytes, base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_found_wherever_it_begins(
    secret: bytes, before: bytes, encode: Callable[[bytes], bytes]
) -> None:
    """Base64 looks different at each of three alignments."""
    place = encode(before + secret + b"after")
    assert search({"place": place}, needles_of("secret", secret))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_name_is_found_in_any_encoding(encoding: str) -> None:
    """Names are Cyrillic as often as not."""
    place = "…пленка-17.mp4…".encode(encoding)
    assert search({"place": place}, needles_of("name", "пленка-17.mp4".encode()))


def test_any_63_octets_of_the_content_are_found() -> None:
    """A leak of a single buffer is a leak."""
    marked = make_marked(200_000)
    needles = needles_of("content", marked.mark)
    for begin in range(100):
        assert search({"place": marked.content[begin : begin + 63]}, needles)


def test_the_hash_of_a_piece_is_found() -> None:
    """A checksum of one PATCH is as good as one of the file to who has the file."""
    needles = hashes_of("content", b"whole", [b"piece"])
    places = {
        "log": f"crc={zlib.crc32(b'piece')}".encode(),
        "row": b"..." + hashlib.sha256(b"whole").digest(),
        "name": hashlib.md5(b"piece").hexdigest().encode(),
        "nothing": hashlib.sha256(b"other").digest() * 20,
    }
    found = search_many(places, needles)
    assert sorted(found) == sorted(search(places, needles))
    assert {line.split(" in ")[1] for line in found} == {"log", "row", "name"}


def test_two_words_of_a_codename_are_found() -> None:
    """A log line that was cut still tells most of it."""
    assert search({"log": b"...ice-cream kettle..."}, codename_needles("tin ice-cream kettle"))
    assert search({"log": b"ice-cream tin"}, codename_needles("tin ice-cream kettle")) == []
