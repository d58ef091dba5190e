"""Random names: of uploads for the machine, of sources for the staff."""

import base64
import os
import secrets
from functools import cache
from importlib.resources import files

_UPLOAD_ID_OCTETS = 16


def new_upload_id() -> str:
    """Make the id of an upload: 128 random bits in lower-case base32, 26 characters."""
    return base64.b32encode(os.urandom(_UPLOAD_ID_OCTETS)).decode().rstrip("=").lower()


def new_designation() -> str:
    """Make the two harmless words by which staff call a source."""
    return f"{secrets.choice(_words('adjectives'))} {secrets.choice(_words('nouns'))}"


@cache
def _words(kind: str) -> tuple[str, ...]:
    text = files("diceware").joinpath("wordlists", f"wordlist_en_{kind}.txt").read_text("ascii")
    return tuple(word for word in text.split() if word.isalpha())
