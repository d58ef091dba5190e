"""A staff member's passphrase: six words, what proves them, and the key that follows from them.

    words typed --stretch--> verifier   kept, and compared at login
                        `--> key        kept nowhere; unwraps the secret of the one-time codes

So whoever seizes the disk has neither the passphrase nor what makes the codes.
"""

import hmac
import os
from dataclasses import dataclass, field
from typing import Final, NewType, NoReturn

from crypto.codename import MIN_SALT_LENGTH, Cost, choose_words, expand, split_words, stretch
from crypto.wrap import WrappingKey

Passphrase = NewType("Passphrase", str)
Verifier = NewType("Verifier", bytes)

WORD_COUNT: Final = 6  # of 7776: 77 bits
MAX_TYPED: Final = 1000  # characters; the longest passphrase has 59
SALT_LENGTH: Final = MIN_SALT_LENGTH  # octets
_LENGTH: Final = 32  # octets


@dataclass(frozen=True, slots=True, eq=False)
class Stretched:
    """What follows from a passphrase; neither reveals the other."""

    verifier: Verifier = field(repr=False)
    key: WrappingKey = field(repr=False)

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied into a pickle: it would hold the key."""
        raise TypeError("internal error: what follows from a passphrase is not written anywhere")

    def is_proved_by(self, verifier: bytes) -> bool:
        """Tell whether this is the passphrase of the verifier."""
        return hmac.compare_digest(self.verifier, verifier)


def make_passphrase() -> Passphrase:
    """Make a new passphrase."""
    return Passphrase(choose_words(WORD_COUNT))


def make_salt() -> bytes:
    """Make the salt of one passphrase."""
    return os.urandom(SALT_LENGTH)


def stretch_passphrase(typed: str, salt: bytes, cost: Cost) -> Stretched:
    """Stretch what was typed: the same work whatever it is. Waits as codenames do."""
    words = " ".join(split_words(typed[:MAX_TYPED]))
    stretched = stretch(words.encode(), salt, cost)
    return Stretched(
        verifier=Verifier(expand(stretched, b"nightferry staff verifier 1", _LENGTH)),
        key=WrappingKey(expand(stretched, b"nightferry staff key 1", _LENGTH)),
    )
