"""The codename in a message: noticed however it is written, so that it can be refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.codename import contains_codename, parse

PLAIN = "abacus yo-yo t-shirt zoom drop-down felt-tip abdomen unclamped"
CODENAME = parse(PLAIN)
WORDS = PLAIN.split()


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.upper(),
        f"Hello, my codename is {PLAIN}. Please answer.",
        PLAIN.replace(" ", "\n"),
        "\n".join(f"{number}. {word}" for number, word in enumerate(WORDS, 1)),
        ", ".join(WORDS),
        PLAIN.replace(" ", ""),
        PLAIN.replace("-", " "),
        PLAIN.replace("-", "\u2011").replace(" ", "\u00a0"),
        "*" + "* *".join(WORDS) + "*",
        "".join(chr(ord(letter) + 0xFEE0) if letter.isalpha() else letter for letter in PLAIN),
    ],
    ids=range(11),
)
def test_a_message_that_is_the_codename_is_noticed(text: str) -> None:
    """A source that posts its codename is noticed, however it is written (SD#525)."""
    assert contains_codename(text, CODENAME)


@pytest.mark.parametrize(
    "text", ["", "abacus", " ".join(WORDS[:7]), " ".join(reversed(WORDS)), "письмо", PLAIN[1:]]
)
def test_another_message_is_none_of_it(text: str) -> None:
    """Single words of the codename, or all in another order, are an ordinary message."""
    assert not contains_codename(text, CODENAME)


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_codename_is_found_anywhere(before: str, after: str) -> None:
    """Whatever stands around it, the codename is found."""
    assert contains_codename(f"{before} {PLAIN} {after}", CODENAME)
