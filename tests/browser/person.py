"""What a person does with a browser, whichever it is: reads, chooses, presses, waits.

Only what the page offers, found by the words on it. Nothing here knows of addresses in pages.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

PATIENCE = 120.0  # seconds for a page, on a busy machine
_GLANCE = 0.1  # seconds between two looks at the screen


class BrokenConnectionError(Exception):
    """The browser shows an error page of its own. The text is the browser's."""


class Person(Protocol):
    """Somebody in front of a browser."""

    def begins_anew(self) -> None:
        """Close what is open, and forget all cookies."""

    def goes(self, address: str) -> None:
        """Open an address, and wait until it is there; BrokenConnectionError."""

    def reads(self) -> str:
        """Give all words on the page, with single spaces; "" while there is none."""

    def types(self, field: str, text: str) -> None:
        """Fill in a field, named as in the form."""

    def chooses(self, files: Sequence[Path]) -> None:
        """Choose files in the form that works without scripts."""

    def presses(self, words: str) -> None:
        """Press the first button or link with these words; do not wait for what comes of it."""

    def is_refused(self) -> str | None:
        """Give the browser's own words if it shows an error page of its own."""

    def page(self) -> str:
        """Give the page's HTML as it is now."""


def awaits(person: Person, words: str, patience: float = PATIENCE) -> str:
    """Wait until the page has these words; give all its words.

    BrokenConnectionError if the browser gives up, TimeoutError with what is there instead.
    """
    return watches(person, lambda shown: words in shown, words, patience)


def watches(person: Person, holds: Callable[[str], bool], what: str, patience: float) -> str:
    """Wait until something holds of the words on the page; see `awaits`."""
    deadline = time.monotonic() + patience
    while not holds(shown := person.reads()):
        if refused := person.is_refused():
            raise BrokenConnectionError(refused)
        if time.monotonic() > deadline:
            raise TimeoutError(f"no “{what}” but: {shown[:500]}")
        time.sleep(_GLANCE)
    return shown
