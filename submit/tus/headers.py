"""One mapping for the headers of a request: names in lower case, repeats joined.

A header that was sent twice becomes one value with a comma (RFC 9110, section 5.3). No number,
version or checksum has a comma, so a doubled one cannot be read as either of its halves.
"""

from collections.abc import Iterable, Mapping
from typing import NewType

Headers = NewType("Headers", Mapping[str, str])


def collect_headers(fields: Iterable[tuple[str, str]]) -> Headers:
    """Put (name, value) fields, in the order they came, into one mapping."""
    collected: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        collected[key] = f"{collected[key]},{value}" if key in collected else value
    return Headers(collected)
