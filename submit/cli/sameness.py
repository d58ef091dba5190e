"""Is this the file that was begun before? Only then may it go on: else two files become one.

The facts and the sample are those of the page's script (submit/web/static/sameness.js), so either
goes on with what the other has begun. Here all of them must agree: where the page can ask a
person, `send` begins anew.
"""

import hashlib
import math
import os
from base64 import b64encode
from pathlib import Path
from typing import IO

_PLACES = 16
_PLACE = 1 << 16  # octets
_SHORT = 4 << 20  # octets; as on the page, no more than this has no sample


def describe(path: Path) -> dict[str, str]:
    """Give the metadata that an upload of this file is created with."""
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        facts = {"filename": path.name, "lastModified": str(state.st_mtime_ns // 1_000_000)}
        if state.st_size > _SHORT:
            facts["sample"] = _sample(file, state.st_size)
    return facts


def is_same(metadata: str, facts: dict[str, str]) -> bool:
    """Tell whether an upload that was created with `metadata`, an Upload-Metadata, has all facts.

    Whoever sent none of them has begun something that nobody can tell from another file.
    """
    pairs = {pair.strip() for pair in metadata.split(",")}
    return pairs.issuperset(f"{key} {_encode(value)}" for key, value in facts.items())


def _sample(file: IO[bytes], length: int) -> str:
    step = (length - _PLACE) / (_PLACES - 1)
    digest = hashlib.sha256()
    for place in range(_PLACES):
        file.seek(math.floor(place * step))
        digest.update(file.read(_PLACE))
    return digest.hexdigest()


def _encode(value: str) -> str:
    return b64encode(value.encode()).decode("ascii")
