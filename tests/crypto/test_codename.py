"""The codename: forgiving about typing, strict about words, and never shown by accident."""

import copy
import hashlib
import pickle
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.codename import (
    CHEAPEST,
    RFC_9106_SECOND,
    Codename,
    Cost,
    Derived,
    WordList,
    derive,
    generate,
    parse,
    read_eff_large_list,
)
from crypto.errors import (
    CodenameError,
    CryptoError,
    MistypedWordError,
    OperatorError,
    WordCountError,
    WordListError,
)

PLAIN = "abacus yo-yo t-shirt zoom drop-down felt-tip abdomen unclamped"
CODENAME = parse(PLAIN)
WORDS = PLAIN.split()
SALT = bytes(range(16))
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]
# What may stand between two words.
GAPS = [
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    ", ",
    ",",
    "\u00a0",
    "\u202f",
    "\u3000",
    " \u200b",
    "、",
    "،",
]


def mistyped(word: str) -> MistypedWordError:
    """Give the error for `word` in the third place of an otherwise good codename."""
    with pytest.raises(MistypedWordError) as refused:
        parse(" ".join([*WORDS[:2], word, *WORDS[3:]]))
    assert refused.value.position == 2
    return refused.value


# --- making -----------------------------------------------------------------------------------


def test_a_new_codename_reads_back() -> None:
    """A codename as it is shown is a codename when it is typed."""
    for _ in range(200):
        codename = generate()
        assert parse(codename) == codename
        assert len(codename.split(" ")) == 8


def test_no_two_codenames_are_alike() -> None:
    """Every codename is new, and many words of the list turn up (GL#831)."""
    made = [generate() for _ in range(1000)]

    assert len(set(made)) == 1000
    # 8000 draws from 7776 words leave about 36 % of the words out.
    assert 4700 < len({word for codename in made for word in codename.split()}) < 5300


def test_the_words_stay_the_words() -> None:
    """A new diceware with other words would lock sources out; this digest tells before a release.

    cut -f2 wordlist_en_eff.txt | sha256sum
    """
    listed = {word for word in _listed() if parse(" ".join([word] * 8))}
    text = "".join(f"{word}\n" for word in sorted(listed))

    assert len(listed) == 7776
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST


DIGEST = "6d557f0693958fb5e650b68b5bee585eb82cf4da32965505c789e924743bc522"


def _listed() -> list[str]:
    from importlib import resources  # noqa: PLC0415 - a second way to the list, for this test only

    path = resources.files("diceware") / "wordlists" / "wordlist_en_eff.txt"
    return [line.split()[1] for line in path.read_text("ascii").splitlines()]


@pytest.mark.parametrize(
    "change",
    [
        lambda words: words[:-1],
        lambda words: [*words, "nightferry"],
        lambda words: [*words[:-1], words[0]],
        lambda words: [*words[:-1], "Zoom"],
        lambda words: [*words[:-1], "zöom"],
        lambda words: [*words[:-1], "zoom zoom"],
        lambda words: [*words[:-1], "zo0m"],
        lambda words: [*words[:-1], "-zoom"],
        lambda words: [*words[:-1], "zoom\n"],
        lambda words: [*words[:-1], ""],
        lambda words: [],
    ],
    ids=range(11),
)
def test_another_list_is_refused(change: Callable[[list[str]], list[str]]) -> None:
    """A list that is short, long, repeating or not plain lower case never makes a codename."""
    with pytest.raises(WordListError, match="7776"):
        WordList(change(_listed()))
    assert issubclass(WordListError, OperatorError)


def test_a_list_gives_its_own_words() -> None:
    """A list that is read knows, chooses and suggests exactly the words that it was given."""
    words = read_eff_large_list("".join(f"11111\t{word}\n" for word in _listed()))

    assert all(word in words for word in _listed())
    assert "qqqqq" not in words
    assert {words.choose() for _ in range(100)} <= set(_listed())
    assert words.nearest("abacuss") == "abacus"


def test_a_list_without_dice_is_refused() -> None:
    """A list of another layout is not read as words."""
    with pytest.raises(WordListError):
        read_eff_large_list("\n".join(_listed()))


# --- reading ----------------------------------------------------------------------------------


@given(
    gaps=st.lists(st.sampled_from(GAPS), min_size=9, max_size=9),
    cases=st.lists(st.sampled_from([str.lower, str.upper, str.title]), min_size=8, max_size=8),
)
def test_typing_is_forgiven(gaps: list[str], cases: list[Callable[[str], str]]) -> None:
    """Case, white space, line breaks and commas do not matter, at the ends neither."""
    words = [case(word) for case, word in zip(cases, WORDS, strict=True)]
    typed = gaps[0] + "".join(word + gap for word, gap in zip(words, gaps[1:], strict=True))

    assert parse(typed) == CODENAME


@pytest.mark.parametrize("hyphen", "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d")
def test_typographic_hyphens_are_hyphens(hyphen: str) -> None:
    """A phone that writes a dash into t-shirt does not lock the source out."""
    assert parse(PLAIN.replace("-", hyphen)) == CODENAME


def test_wide_letters_and_invisible_characters_are_forgiven() -> None:
    """Full-width letters, soft hyphens, direction marks and a byte order mark are harmless."""
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter.isalpha() else letter for letter in PLAIN)

    assert parse(wide) == CODENAME
    assert parse("\ufeff" + PLAIN.replace("abacus", "aba\u00adcus") + "\u200f") == CODENAME


@given(st.text(max_size=1100) | st.lists(st.sampled_from([*WORDS, "zom"])).map(" ".join))
def test_any_text_is_read_canonically_or_refused(text: str) -> None:
    """Whatever is typed reads as eight words of the list, or raises one of the two errors."""
    try:
        codename = parse(text)
    except CryptoError as refused:
        assert type(refused) in {MistypedWordError, WordCountError}  # noqa: PT017 - no other error
    else:
        assert parse(codename) == codename == " ".join(codename.split())


@given(st.lists(st.sampled_from(WORDS), min_size=8, max_size=8).map(" ".join))
def test_the_order_of_words_matters(other: str) -> None:
    """No two different rows of words are the same codename."""
    assert (parse(other) == CODENAME) == (other == PLAIN)


@pytest.mark.parametrize("count", [0, 1, 7, 9, 16])
def test_a_wrong_number_of_words_is_counted(count: int) -> None:
    """Seven words or nine are refused, with how many there were."""
    with pytest.raises(WordCountError, match="eight words") as refused:
        parse(", ".join(["zoom"] * count))
    assert refused.value.count == count


def test_words_run_together_are_not_pulled_apart() -> None:
    """Two words without a space are one that is not in the list."""
    with pytest.raises(WordCountError):
        parse(PLAIN.replace(" ", ""))


def test_an_overlong_text_is_refused_at_once() -> None:
    """More than 1000 characters are not even counted, whatever they are."""
    with pytest.raises(WordCountError) as refused:
        parse(PLAIN + " " * 1000)
    assert refused.value.count is None
    assert parse(PLAIN + " " * (1000 - len(PLAIN))) == CODENAME


@pytest.mark.parametrize("ordinal", list(enumerate(ORDINALS)))
def test_the_mistyped_word_is_named_by_its_place(ordinal: tuple[int, str]) -> None:
    """The first word that is not in the list is named in words."""
    position, name = ordinal
    words = [*WORDS[:position], *["qqqqq"] * (8 - position)]

    with pytest.raises(MistypedWordError, match=f"^the {name} word is not in the list$") as refused:
        parse(" ".join(words))
    assert (refused.value.position, refused.value.ordinal) == (position, name)
    assert refused.value.suggestion is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("abacsu", "abacus"),  # two letters swapped
        ("abdmen", "abdomen"),  # one dropped
        ("abddomen", "abdomen"),  # one doubled
        ("abdonen", "abdomen"),  # one changed
        ("abbmen", "abdomen"),  # two edits
        ("tshirt", "t-shirt"),  # not "shirt": the first letter holds
        ("dropdown", "drop-down"),
        ("unclmped", "unclamped"),
        ("zom", "zoom"),
        ("ABACUSS", "abacus"),
        ("abacu\u0455", "abacus"),  # a Cyrillic letter that looks like an s
    ],
)
def test_a_mistyped_word_is_suggested(typed: str, meant: str) -> None:
    """The nearest word of the list is offered."""
    assert mistyped(typed).suggestion == meant


@pytest.mark.parametrize(
    "typed", ["x", "\u0444", "qhj", "qqqqqq", "correcthorse", "0000000", "zo0000m", "a" * 900]
)
def test_nothing_near_is_not_suggested(typed: str) -> None:
    """A word far from all others gets no suggestion rather than a strange one."""
    assert mistyped(typed).suggestion is None


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("bap", "gap"),  # gap, map, zap: the alphabet decides
        ("zat", "zap"),  # oat, zap, zit: the first letter, then the alphabet
        ("slan", "slab"),  # slab, slain, slam, slang, slaw, swan
        ("xrab", "drab"),  # drab before grab
    ],
)
def test_of_equally_near_words_it_is_always_the_same(typed: str, first: str) -> None:
    """The suggestion depends on nothing but the list, so it tells nothing about any source."""
    assert mistyped(typed).suggestion == first


@given(st.sampled_from(WORDS), st.integers(0, 8), st.sampled_from("qxz"))
def test_a_suggestion_is_a_word_of_the_list(word: str, place: int, letter: str) -> None:
    """With one letter added anywhere something is suggested, and it is always a list word."""
    typed = word[:place] + letter + word[place:]
    suggestion = mistyped(typed).suggestion

    assert suggestion in set(_listed())
    assert parse(" ".join([suggestion or ""] * 8))


@given(st.text(min_size=4, max_size=20, alphabet=st.characters(categories=["L", "N"])))
def test_no_refusal_repeats_what_was_typed(typed: str) -> None:
    """What a source typed, perhaps a password, is nowhere in the words of a refusal."""
    canary = f"qq{typed}qq"
    with pytest.raises(CodenameError) as refused:
        parse(f"{canary} " * 8)
    assert canary not in str(refused.value) + repr(refused.value) + repr(vars(refused.value))
    with pytest.raises(CodenameError) as counted:
        parse(canary)
    assert canary not in str(counted.value) + repr(counted.value) + repr(vars(counted.value))


# --- deriving ---------------------------------------------------------------------------------


def test_the_derivation_stays_as_it_is() -> None:
    """Sources come back after an upgrade: the vector is tests/crypto/keys/codename_vector.py."""
    derived = derive(CODENAME, SALT, RFC_9106_SECOND)

    assert derived.locator.hex() == "d7a689cb072c3b16eba3f3fe59addfef"
    assert derived.key.hex() == "bed36e81905d52b36fe8745512d123d3ce235e40b07447fee714f3d8d68f27f9"


def test_typing_leads_to_the_same_place() -> None:
    """However the codename was typed, the locator and the key are the same."""
    typed = parse(f"  {PLAIN.upper()}\n".replace(" ", ",\u00a0"))
    first, second = derive(CODENAME, SALT, CHEAPEST), derive(typed, SALT, CHEAPEST)

    assert (first.locator, first.key) == (second.locator, second.key)


def test_locator_and_key_tell_nothing_of_each_other() -> None:
    """Codename, salt and cost each change both; the one is no part of the other."""
    other = Codename(" ".join([*WORDS[:-1], "zoom"]))
    derived = [
        derive(CODENAME, SALT, CHEAPEST),
        derive(other, SALT, CHEAPEST),
        derive(CODENAME, bytes(16), CHEAPEST),
        derive(CODENAME, SALT, Cost(passes=2, lanes=1, memory=8)),
        derive(CODENAME, SALT, Cost(passes=1, lanes=1, memory=16)),
        derive(CODENAME, SALT, Cost(passes=1, lanes=2, memory=16)),
    ]

    assert len({each.locator for each in derived}) == len({each.key for each in derived}) == 6
    assert {(len(each.locator), len(each.key)) for each in derived} == {(16, 32)}
    assert all(bytes(each.locator) not in bytes(each.key) for each in derived)


@pytest.mark.parametrize("length", [0, 8, 15])
def test_a_short_salt_is_a_fault_of_ours(length: int) -> None:
    """The deployment's secret has at least 16 octets, or nothing is derived."""
    with pytest.raises(ValueError, match="internal error"):
        derive(CODENAME, bytes(length), CHEAPEST)


def test_derivations_at_once_do_not_wait_for_each_other_for_ever() -> None:
    """Many logins at once all end. Without a lock, OpenSSL's threads stop each other for good."""
    cost, found = Cost(passes=3, lanes=4, memory=4096), set()

    def enter() -> None:
        for _ in range(5):
            found.add(derive(CODENAME, SALT, cost).locator)

    logins = [threading.Thread(target=enter, daemon=True) for _ in range(8)]
    for login in logins:
        login.start()
    for login in logins:
        login.join(timeout=60)

    assert not any(login.is_alive() for login in logins)
    assert len(found) == 1


def test_no_secret_shows_when_printed() -> None:
    """Printing what was derived shows neither key nor locator (SD: a locator in a log)."""
    derived = derive(CODENAME, SALT, CHEAPEST)

    assert repr(derived) == str(derived) == f"{derived}" == "Derived()"


@pytest.mark.parametrize("write", [pickle.dumps, copy.copy, copy.deepcopy])
def test_no_secret_can_be_pickled(write: Callable[[Derived], object]) -> None:
    """A pickle or a copy of what was derived is refused."""
    with pytest.raises(TypeError, match="internal error"):
        write(derive(CODENAME, SALT, CHEAPEST))
