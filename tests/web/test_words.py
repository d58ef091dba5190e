"""How numbers and names are written for people."""

import doctest
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submit.web import words


def test_examples_in_the_docstrings_hold() -> None:
    """What the docstrings show is what comes."""
    assert doctest.testmod(words).failed == 0
    assert doctest.testmod(words).attempted >= 4


@pytest.mark.parametrize(
    ("octets", "tenths"),
    [
        (0, ("0", "bytes")),
        (999, ("999", "bytes")),
        (1_000, ("1", "KB")),
        (999_999, ("999.9", "KB")),
        (1_000_000, ("1", "MB")),
        (1_999_999_999_999, ("1.9", "TB")),
        (5_000_000_000_000_000, ("5000", "TB")),
    ],
)
def test_size_is_never_rounded_up(octets: int, tenths: tuple[str, str]) -> None:
    """A source is never told that more arrived than did."""
    assert words.tenths(octets) == (Decimal(tenths[0]), tenths[1])


def test_all_of_nothing_is_all() -> None:
    """An empty upload divides by nothing."""
    assert words.hundredths(0, 0) == 100


@given(st.integers(1, 1 << 50), st.data())
def test_only_the_whole_is_a_hundred(length: int, data: st.DataObject) -> None:
    """99.999 % is not everything."""
    offset = data.draw(st.integers(0, length - 1))
    assert words.hundredths(offset, length) < 100


@given(st.text(st.characters()))
def test_shown_name_hides_nothing(name: str) -> None:
    """No control, no direction mark, no lone surrogate is left, and letters stay letters."""
    shown = words.shown(name)
    shown.encode()
    assert not set(shown) & set("\x00\x1b\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200e\u200f")
    if name.isalpha():
        assert shown == name
