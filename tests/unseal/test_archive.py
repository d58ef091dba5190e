"""The tar's head: what the service writes is read, and anything else is refused."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.archive import Entry, encode_head
from crypto.layout import MAX_CONTENT
from crypto.unseal.archive import decode_head
from crypto.unseal.errors import NotTheContentError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
ENTRIES = st.builds(
    Entry,
    path=TEXT,
    modified=st.none() | st.integers(0, 2**42),
    received=st.dates(dt.date(2024, 1, 1), dt.date(2100, 1, 1)),
    filetype=st.none() | TEXT,
    upload=st.just("a" * 26),
    source=st.just("") | st.from_regex(r"[a-z]{1,40}( [a-z]{1,40}){1,3}", fullmatch=True),
    set=st.none(),
    part=st.none(),
)
PARTS = st.builds(
    dataclasses.replace, ENTRIES, set=st.just("s" * 26), part=st.integers(min_value=0)
)


@given(ENTRIES | PARTS, st.integers(0, MAX_CONTENT))
def test_what_the_service_writes_is_read(entry: Entry, size: int) -> None:
    """Whatever a source's program says of a file, its head gives back size and every fact."""
    octets = encode_head(entry, size)
    head = decode_head(octets + b"content")
    assert head is not None
    receipt = head.receipt
    assert (head.length, head.size) == (len(octets), size)
    assert (receipt.path, receipt.modified, receipt.filetype) == (
        entry.path,
        entry.modified,
        entry.filetype,
    )
    assert (receipt.upload, receipt.source, receipt.received) == (
        entry.upload,
        entry.source,
        entry.received,
    )
    assert (receipt.set_id, receipt.part) == (entry.set, entry.part)


@given(ENTRIES, st.integers(max_value=-1))
def test_a_part_before_the_first_is_refused(entry: Entry, part: int) -> None:
    """No program counts below 0."""
    octets = encode_head(dataclasses.replace(entry, set="s" * 26, part=part), 5)
    with pytest.raises(NotTheContentError, match="a part of nothing"):
        decode_head(octets)


HEAD = encode_head(
    Entry("видео.mp4", 1, dt.date(2026, 3, 1), "video/mp4", "a" * 26, "quiet harbour"), 5
)


@pytest.mark.parametrize("length", [0, 1, 511, 512, 1024, len(HEAD) - 1])
def test_a_beginning_asks_for_more(length: int) -> None:
    """A head that has not come whole is neither read nor refused."""
    assert decode_head(HEAD[:length]) is None


@given(st.integers(0, len(HEAD) - 1), st.integers(1, 255))
def test_no_changed_octet_gives_another_size_or_name(position: int, mask: int) -> None:
    """Change any octet: refused, or more is asked for, or lengths, name and time are as they were."""
    octets = bytearray(HEAD)
    octets[position] ^= mask
    try:
        head = decode_head(bytes(octets))
    except NotTheContentError:
        return
    if head is not None:
        found = (head.length, head.size, head.receipt.path, head.receipt.modified)
        assert found == (len(HEAD), 5, "видео.mp4", 1)


@given(st.binary(max_size=3000) | st.binary(max_size=600).map(lambda tail: HEAD[:700] + tail))
def test_any_octets_are_a_head_or_refused(octets: bytes) -> None:
    """Never any other error."""
    try:
        decode_head(octets)
    except NotTheContentError:
        return
