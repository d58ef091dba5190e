"""The codename: eight words that only the source keeps, and what follows from them.

    text typed --parse--> codename --derive--> locator   finds the source's things
                                          `--> key       unwraps them

Rule 1: no codename, and nothing derived from one, is cached, logged or put into an exception.
Rule 2: reading is forgiving about how the words were typed, and never about which words.
Rule 3: a typing error is answered from the word list alone, before any work is done for it.
"""

import hmac
import re
import secrets
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Final, NewType, NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from crypto.errors import MistypedWordError, WordCountError, WordListError
from crypto.marks import marking_key
from crypto.wrap import WrappingKey

Codename = NewType("Codename", str)
Locator = NewType("Locator", bytes)
SourceKey = NewType("SourceKey", WrappingKey)
CodenameMark = NewType("CodenameMark", bytes)

WORD_COUNT: Final = 8  # of 7776: 103 bits
LIST_LENGTH: Final = 7776  # five dice
MAX_TYPED: Final = 1000  # characters; the longest codename has 79
LOCATOR_LENGTH: Final = 16  # octets
KEY_LENGTH: Final = 32  # octets
MIN_SALT_LENGTH: Final = 16  # octets (RFC 9106, 3.1)

_IN_A_TEXT = b"codename in a text"
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)?")
_BETWEEN_WORDS = re.compile(r"[\s,\u060c\u3001]+")  # the commas are Latin, Arabic, ideographic
_HYPHENS = re.compile(r"[\u2010-\u2015\u2212]")
_NOT_A_LETTER = re.compile(r"[^a-z]+")
_NEAR: Final = 2  # edits
_LONG: Final = 5  # letters; of a shorter word two edits leave too little
_NEAR_SHORT: Final = 1
# OpenSSL fills the lanes of Argon2 with threads of its own, out of one small stock for the process.
# Two derivations at once each hold one thread and wait for another, for ever, or fail with a
# MemoryError (seen with OpenSSL 4.0.3). So one at a time; that also bounds the memory.
_ONE_DERIVATION = threading.Lock()


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

    def beginnings(self, length: int) -> frozenset[bytes]:
        """Give the first letters of all words."""
        return frozenset(word.replace("-", "")[:length].encode("ascii") for word in self._words)

    def nearest(self, typed: str) -> str | None:
        """Give the word that is nearest to `typed`, or None if none is near.

        Of equally near words the one with the same first letter (people seldom mistype that
        one), then the first of the alphabet.
        """
        limit = _NEAR if len(typed) >= _LONG else _NEAR_SHORT
        near = [
            (edits, word[0] != typed[0], word)
            for word in self._words
            if (edits := _count_edits(typed, word, limit)) is not None
        ]
        return min(near)[-1] if near else None


def read_eff_large_list(text: str) -> WordList:
    """Read lines of a dice throw, a tab and a word. Raises WordListError."""
    return WordList([line.partition("\t")[2] for line in text.splitlines()])


_WORDS: Final = read_eff_large_list(
    resources.files("diceware").joinpath("wordlists/wordlist_en_eff.txt").read_text("ascii")
)
_SHORTEST = 3  # letters
_BEGINNINGS: Final = _WORDS.beginnings(_SHORTEST)


def generate() -> Codename:
    """Make a new codename: eight words, each chosen with the same chance."""
    return Codename(choose_words(WORD_COUNT))


def choose_words(count: int) -> str:
    """Choose words of the list, each with the same chance: 12.9 bits a word."""
    return " ".join(_WORDS.choose() for _ in range(count))


def parse(text: str) -> Codename:
    """Read a codename as a person types it.

    Case, white space of any kind and amount, commas, typographic hyphens and invisible
    characters do not matter. Raises WordCountError, also for more than 1000 characters, or
    MistypedWordError for the first word that is not in the list.
    """
    if len(text) > MAX_TYPED:
        raise WordCountError(None)
    words = split_words(text)
    if len(words) != WORD_COUNT:
        raise WordCountError(len(words))
    for position, word in enumerate(words):
        if word not in _WORDS:
            raise MistypedWordError(position, _WORDS.nearest(word))
    return Codename(" ".join(words))


def derive(codename: Codename, salt: bytes, cost: Cost) -> Derived:
    """Derive the locator and the key.

    `salt`: at least 16 octets, the same for all codenames of a deployment and secret, so that
    a stolen database alone does not even allow guessing. Takes about 0.15 s and 64 MiB at
    RFC_9106_SECOND, for every codename alike; derivations wait for each other.
    """
    stretched = stretch(codename.encode("ascii"), salt, cost)
    return Derived(
        locator=Locator(expand(stretched, b"nightferry locator 1", LOCATOR_LENGTH)),
        key=SourceKey(WrappingKey(expand(stretched, b"nightferry source key 1", KEY_LENGTH))),
    )


def stretch(words: bytes, salt: bytes, cost: Cost) -> bytes:
    """Give 32 octets that are dear to guess: Argon2id of `words`; calls wait for each other."""
    if len(salt) < MIN_SALT_LENGTH:
        raise ValueError("internal error: the salt must have at least 16 octets")
    argon2id = Argon2id(
        salt=salt,
        length=KEY_LENGTH,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.memory,
    )
    with _ONE_DERIVATION:
        return argon2id.derive(words)


def mark_codename(codename: Codename, key: SourceKey | WrappingKey) -> CodenameMark:
    """Mark the codename under the key that follows from it: 33 octets, for `gives_away`.

    The mark tells whoever has the key how many letters the codename has, and lets them check a
    guess, which the key lets them do anyway. It is kept where the key is kept, and no longer.
    """
    letters = _letters(codename)
    mark = hmac.digest(marking_key(key, _IN_A_TEXT), letters.encode("ascii"), "sha256")
    return CodenameMark(bytes([len(letters)]) + mark)


def gives_away(text: str, key: WrappingKey, mark: CodenameMark) -> bool:
    """Tell whether a message gives the codename away, however it is written there.

    Only letters are compared: neither numbering nor punctuation nor line breaks hide it. A text
    that happens to hold eight given words without their being the codename is not to be expected.
    """
    length, wanted = mark[0], mark[1:]
    letters = _letters(text).encode("ascii")
    subkey = marking_key(key, _IN_A_TEXT)
    return any(
        hmac.digest(subkey, letters[begin : begin + length], "sha256") == wanted
        for begin in range(len(letters) - length + 1)
        # Only where a word of the list may begin: spares most of a long message.
        if letters[begin : begin + _SHORTEST] in _BEGINNINGS
    )


def expand(stretched: bytes, label: bytes, length: int) -> bytes:
    """Give one of the values that follow from stretched words; none reveals another."""
    return HKDFExpand(SHA256(), length, label).derive(stretched)


def split_words(text: str) -> list[str]:
    """Give the words that somebody typed, forgiving how they were typed."""
    words = _BETWEEN_WORDS.split(_HYPHENS.sub("-", _plain(text)))
    return [word for word in words if word]


def _letters(text: str) -> str:
    return _NOT_A_LETTER.sub("", _plain(text))


def _plain(text: str) -> str:
    """Undo what keyboards, phones and copying do to letters: width, case, invisible characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")


def _count_edits(typed: str, word: str, limit: int) -> int | None:
    """Count the edits from one word to the other, or give None if there are more than `limit`.

    An edit adds, drops or changes a letter, or swaps two neighbours (optimal string alignment).
    """
    # Two cheap lower bounds spare nearly all of the 7776 words the table below.
    if abs(len(typed) - len(word)) > limit or len(set(typed).difference(word)) > limit:
        return None
    last: list[int] = []
    row = list(range(len(word) + 1))
    for i, letter in enumerate(typed):
        last, before, row = row, last, [i + 1]
        for j, other in enumerate(word):
            row.append(min(last[j] + (letter != other), last[j + 1] + 1, row[j] + 1))
            if i and j and letter == word[j - 1] and typed[i - 1] == other:
                row[-1] = min(row[-1], before[j - 1] + 1)
        if min(row) > limit:
            return None  # the least of a row never falls below that of the rows above
    return row[-1] if row[-1] <= limit else None
