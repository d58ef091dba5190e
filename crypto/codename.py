"""The codename: eight words that only the source keeps, and what follows from them.

    text typed --parse--> codename --derive--> locator   finds the source's things
                                          `--> key       unwraps them

Rule 1: no codename, and nothing derived from one, is cached, logged or put into an exception.
Rule 2: reading is forgiving about how the words were typed, and never about which words.
Rule 3: a typing error is answered from the word list alone, before any work is done for it.
"""

import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Final, NewType, NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from crypto.errors import MistypedWordError, WordCountError, WordListError
from crypto.wrap import WrappingKey

Codename = NewType("Codename", str)
Locator = NewType("Locator", bytes)
SourceKey = NewType("SourceKey", WrappingKey)

WORD_COUNT: Final = 8  # of 7776: 103 bits
LIST_LENGTH: Final = 7776  # five dice
MAX_TYPED: Final = 1000  # characters; the longest codename has 79
LOCATOR_LENGTH: Final = 16  # octets
KEY_LENGTH: Final = 32  # octets
MIN_SALT_LENGTH: Final = 16  # octets (RFC 9106, 3.1)

_WORD = re.compile(r"[a-z]+(?:-[a-z]+)?")
_BETWEEN_WORDS = re.compile(r"[\s,\u060c\u3001]+")  # the commas are Latin, Arabic, ideographic
_HYPHENS = re.compile(r"[\u2010-\u2015\u2212]")
_NOT_A_LETTER = re.compile(r"[^a-z]+")
_NEAR: Final = 2  # edits


@dataclass(frozen=True, slots=True)
class Cost:
    """What one derivation costs: passes, lanes, and memory in KiB (RFC 9106, 3.1)."""

    passes: int
    lanes: int
    memory: int


RFC_9106_SECOND: Final = Cost(passes=3, lanes=4, memory=64 * 1024)  # RFC 9106, 4, second option
CHEAPEST: Final = Cost(passes=1, lanes=1, memory=8)  # only for testing


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """What follows from a codename: `locator`, 16 octets, and `key`, 32 octets.

    Neither reveals the codename or the other. Only the locator may be stored; it is not shown
    either, because whatever is shown ends in a log.
    """

    locator: Locator = field(repr=False)
    key: SourceKey = field(repr=False)

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied into a pickle: it would hold the key."""
        raise TypeError("internal error: what follows from a codename is not written anywhere")


class WordList:
    """The words that codenames are made of, in their order.

    invariant: 7776 distinct words, each ASCII lower case, some with one hyphen within.
    """

    def __init__(self, words: Sequence[str]) -> None:
        """Check the words. Raises WordListError."""
        if not all(_WORD.fullmatch(word) for word in words):
            raise WordListError
        if len(words) != LIST_LENGTH or len(set(words)) != LIST_LENGTH:
            raise WordListError
        self._words = tuple(words)
        self._known = frozenset(words)

    def __contains__(self, word: str) -> bool:
        return word in self._known

    def choose(self) -> str:
        """Choose a word, each with the same chance."""
        return secrets.choice(self._words)

    def nearest(self, typed: str) -> str | None:
        """Give the word at most two edits from `typed`, the first of the nearest, or None."""
        best, limit = None, min(_NEAR, len(typed) - 1)
        for word in self._words:
            distance = _edits(typed, word, limit)
            if distance is not None:
                best, limit = word, distance - 1
        return best


def read_eff_large_list(text: str) -> WordList:
    """Read lines of a dice throw, a tab and a word. Raises WordListError."""
    return WordList([line.partition("\t")[2] for line in text.splitlines()])


_WORDS: Final = read_eff_large_list(
    resources.files("diceware").joinpath("wordlists/wordlist_en_eff.txt").read_text("ascii")
)


def generate() -> Codename:
    """Make a new codename: eight words, each chosen with the same chance."""
    return Codename(" ".join(_WORDS.choose() for _ in range(WORD_COUNT)))


def parse(text: str) -> Codename:
    """Read a codename as a person types it.

    Case, white space of any kind and amount, commas, typographic hyphens and invisible
    characters do not matter. Raises WordCountError, also for more than 1000 characters, or
    MistypedWordError for the first word that is not in the list.
    """
    if len(text) > MAX_TYPED:
        raise WordCountError(None)
    words = _split(text)
    if len(words) != WORD_COUNT:
        raise WordCountError(len(words))
    for position, word in enumerate(words):
        if word not in _WORDS:
            raise MistypedWordError(position, _WORDS.nearest(word))
    return Codename(" ".join(words))


def derive(codename: Codename, salt: bytes, cost: Cost) -> Derived:
    """Derive the locator and the key.

    `salt`: at least 16 octets, the same for all codenames of a deployment and secret, so that
    a stolen database alone does not even allow guessing. Takes about 0.1 s and 64 MiB at
    RFC_9106_SECOND, for every codename alike.
    """
    if len(salt) < MIN_SALT_LENGTH:
        raise ValueError("internal error: the salt must have at least 16 octets")
    stretched = Argon2id(
        salt=salt,
        length=KEY_LENGTH,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.memory,
    ).derive(codename.encode("ascii"))
    return Derived(
        locator=Locator(_expand(stretched, b"nightferry locator 1", LOCATOR_LENGTH)),
        key=SourceKey(WrappingKey(_expand(stretched, b"nightferry source key 1", KEY_LENGTH))),
    )


def contains_codename(text: str, codename: Codename) -> bool:
    """Tell whether a message gives the codename away, however it is written there.

    Only letters are compared: neither numbering nor punctuation nor line breaks hide it. A text
    that happens to hold eight given words without their being the codename is not to be expected.
    """
    return _letters(codename) in _letters(text)


def _expand(stretched: bytes, label: bytes, length: int) -> bytes:
    return HKDFExpand(SHA256(), length, label).derive(stretched)


def _split(text: str) -> list[str]:
    words = _BETWEEN_WORDS.split(_HYPHENS.sub("-", _plain(text)))
    return [word for word in words if word]


def _letters(text: str) -> str:
    return _NOT_A_LETTER.sub("", _plain(text))


def _plain(text: str) -> str:
    """Undo what keyboards, phones and copying do to letters: width, case, invisible characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")


def _edits(left: str, right: str, limit: int) -> int | None:
    """Count the edits from one word to the other, or give None if there are more than `limit`.

    An edit adds, drops or changes a letter, or swaps two neighbours (optimal string alignment).
    """
    if abs(len(left) - len(right)) > limit:
        return None
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left):
        before, last, row = row, before, [i + 1]
        for j, other in enumerate(right):
            best = min(before[j] + (letter != other), before[j + 1] + 1, row[j] + 1)
            if i and j and letter == right[j - 1] and left[i - 1] == other:
                best = min(best, last[j - 1] + 1)
            row.append(best)
        if min(row) > limit + 1:
            return None
    return row[-1] if row[-1] <= limit else None
