"""The codename in a message: noticed however it is written, so that it can be refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.codename import CHEAPEST, Codename, derive, gives_away, mark_codename, parse

PLAIN = "abacus yo-yo t-shirt zoom drop-down felt-tip abdomen unclamped"
CODENAME = parse(PLAIN)
WORDS = PLAIN.split()
KEY = derive(CODENAME, b"a salt of this test", CHEAPEST).key


def contains(text: str, codename: Codename = CODENAME) -> bool:
    return gives_away(text, KEY, mark_codename(codename, KEY))


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
    assert contains(text)


@pytest.mark.parametrize(
    "text", ["", "abacus", " ".join(WORDS[:7]), " ".join(reversed(WORDS)), "письмо", PLAIN[1:]]
)
def test_another_message_is_none_of_it(text: str) -> None:
    """Single words of the codename, or all in another order, are an ordinary message."""
    assert not contains(text)


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_codename_is_found_anywhere(before: str, after: str) -> None:
    """Whatever stands around it, the codename is found."""
    assert contains(f"{before} {PLAIN} {after}")


def test_the_mark_holds_no_letter_of_the_codename() -> None:
    """A mark is of use only with the source's key, and another key makes another one."""
    other = derive(parse(" ".join(reversed(WORDS))), b"a salt of this test", CHEAPEST).key
    mark = mark_codename(CODENAME, KEY)
    assert len(mark) == 33
    assert mark != mark_codename(CODENAME, other)
    assert not gives_away(PLAIN, other, mark)
    assert not any(word.encode() in bytes(mark) for word in WORDS)
