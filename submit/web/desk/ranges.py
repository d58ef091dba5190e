"""Which octets of a file a request asks for (RFC 9110, 14.2): one range, or all of them."""

import re

from submit.web.desk.errors import RangeError

_RANGE = re.compile(r"bytes=([0-9]{0,16})-([0-9]{0,16})")


def parse_range(header: str | None, length: int) -> tuple[int, int]:
    """Give begin and end (which is not in it) of what is asked for.

    RangeError for more than one range, for another unit, or for nothing that is there.

    >>> parse_range(None, 10), parse_range("bytes=4-", 10), parse_range("bytes=-3", 10)
    ((0, 10), (4, 10), (7, 10))
    """
    if header is None:
        return 0, length
    found = _RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        raise RangeError
    if not found[1]:
        begin, end = max(0, length - int(found[2])), length
    else:
        begin, last = int(found[1]), found[2]
        end = min(length, int(last) + 1) if last else length
    if begin >= end:
        raise RangeError
    return begin, end
