"""What a source knows of its uploads, and what staff can read of them, for the machine of stories."""

import hashlib
from dataclasses import dataclass, field

from submit.tus.requests import Creation
from tests import reader


@dataclass
class Client:
    """One upload as its source knows it."""

    upload: str
    content: bytes = field(repr=False)
    key: bytes = field(repr=False)
    acknowledged: int
    believed: int
    is_gone: bool = False
    is_over: bool = False  # expired, or complete and forgotten
    creation: Creation | None = None  # None: it was made by a request that died
    is_read: bool = False  # complete, and the recipient has read it
    is_damaged: bool = False  # by more than a disk does that only loses what was not synced

    def acknowledge(self, offset: int) -> None:
        """Count on so much from now on; on nothing if the upload is damaged, but on its end."""
        if not self.is_damaged:
            self.acknowledged = max(self.acknowledged, offset)


def salvage(client: Client, sealed: bytes, tail: bytes) -> bytes:
    """Read file and tail; nothing if not even the head can be read."""
    try:
        return reader.read_partial(sealed, client.key, tail).content
    except reader.ReaderError:
        return b""


def make_content(seed: int, length: int) -> bytes:
    return hashlib.shake_128(bytes([seed % 256])).digest(length)
