"""Random names: of uploads for the machine, of sources for the staff."""

import base64
import hashlib
import hmac
import os
import secrets
from functools import cache
from importlib.resources import files

from crypto.wrap import WrappingKey

_UPLOAD_ID_OCTETS = 16
_KEYED = b"nightferry upload id 1"


def new_upload_id() -> str:
    """Make the id of an upload: 128 random bits in lower-case base32, 26 characters."""
    return _encode_id(os.urandom(_UPLOAD_ID_OCTETS))


def keyed_upload_id(key: WrappingKey, creation_key: str) -> str:
    """Make the one id that an Idempotency-Key has for a source: as random as the source's key.

    `key` is the source's own. HMAC-SHA256 of label and creation key, cut to 128 bits: whoever
    has not the source's key cannot tell it from `new_upload_id`, nor find the creation key.
    """
    digest = hmac.digest(key, _KEYED + creation_key.encode(), hashlib.sha256)
    return _encode_id(digest[:_UPLOAD_ID_OCTETS])


def new_designation() -> str:
    """Make the two harmless words by which staff call a source."""
    return f"{secrets.choice(_words('adjectives'))} {secrets.choice(_words('nouns'))}"


def _encode_id(octets: bytes) -> str:
    return base64.b32encode(octets).decode().rstrip("=").lower()


@cache
def _words(kind: str) -> tuple[str, ...]:
    text = files("diceware").joinpath("wordlists", f"wordlist_en_{kind}.txt").read_text("ascii")
    return tuple(word for word in text.split() if word.isalpha())
