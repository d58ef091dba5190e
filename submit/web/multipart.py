"""Reads a form that carries files, as a stream: nothing is spooled, nothing is gathered.

Rule 1: memory holds one read and one part's head, however long the body is.
Rule 2: a file's octets come out exactly as they went in, wherever the network split them.
Rule 3: any body either gives parts or raises a Refusal; never anything else.

The grammar is RFC 7578 (which points to RFC 2046, 5.1.1) as browsers write it: WHATWG HTML,
"Multipart form data". Lines end in CRLF only, as both demand. Why this does not use Werkzeug's
decoder: docs/decisions/0002-multipart-reader.md.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from submit.web.errors import (
    FieldTooLongError,
    FormCutShortError,
    MalformedFormError,
    TooManyPartsError,
)

READ_LENGTH = 65_536  # octets asked of the server at a time
MAX_PARTS = 10_000  # a folder of clips goes in a few forms; beyond that something is wrong
MAX_HEAD_LENGTH = 16_384  # octets of one part's headers: a 4,096 character path in UTF-8 fits
MAX_BOUNDARY_LENGTH = 70  # RFC 2046, 5.1.1

# RFC 2046's bcharsnospace, and the space that it allows inside.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_BOUNDARY_PARAMETER = re.compile(r';\s*boundary=(?:"([^"]*)"|([^\s;"]+))\s*(?:;|$)', re.IGNORECASE)

# As browsers write it: a quote inside a value is %22, so the first quote ends the value and a
# backslash is a backslash. Older programs write \" instead; that reading is tried second.
_BROWSER_PARAMETER = re.compile(r';\s*([A-Za-z*]+)\s*=\s*(?:"([^"]*)"|([^\s;"]+))\s*')
_ESCAPED_PARAMETER = re.compile(r';\s*([A-Za-z*]+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_BROWSER_ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n"}
_BROWSER_ESCAPE = re.compile("%22|%0D|%0A")

Read = Callable[[int], bytes]


@dataclass(frozen=True)
class Part:
    """One field of a form. `filename` is None for a text, "" when no file was chosen.

    `content` yields the octets as they arrive; what is left unread of it is skipped when the
    next part is asked for.
    """

    name: str
    filename: str | None
    content: Iterator[bytes]


def parse_boundary(content_type: str) -> bytes:
    """Return the boundary that a `multipart/form-data` Content-Type announces.

    Raises MalformedFormError.
    """
    found = _BOUNDARY_PARAMETER.search(content_type)
    boundary = (found[1] or found[2] or "") if found else ""
    if not _BOUNDARY.fullmatch(boundary):
        raise MalformedFormError
    return boundary.encode("ascii")


def read_parts(read: Read, boundary: bytes, *, max_parts: int = MAX_PARTS) -> Iterator[Part]:
    """Yield the parts of the body that `read(octets)` gives, each as soon as its head is there.

    Raises MalformedFormError, FormCutShortError, TooManyPartsError, also out of a part's content.
    """
    delimiter = b"\r\n--" + boundary
    # The first delimiter may stand at the very start, without the line end before it.
    body = _Body(read, held=b"\r\n")
    _skip(body.until(delimiter))
    for _ in range(max_parts):
        if body.peek(2) == b"--":
            return
        part = _read_head(body, delimiter)
        yield part
        _skip(part.content)
    if body.peek(2) != b"--":
        raise TooManyPartsError


def read_text(part: Part, max_length: int) -> str:
    """Return a part's whole text, at most `max_length` octets of UTF-8.

    Raises FieldTooLongError, MalformedFormError, FormCutShortError.
    """
    text = bytearray()
    for octets in part.content:
        text += octets
        if len(text) > max_length:
            raise FieldTooLongError
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise MalformedFormError from None


class _Body:
    """A body that is read forward only, up to one mark after another."""

    def __init__(self, read: Read, held: bytes) -> None:
        self._read = read
        self._held = held

    def until(self, mark: bytes) -> Iterator[bytes]:
        """Yield what stands before `mark`, and step over the mark."""
        while (at := self._held.find(mark)) < 0:
            # The last octets may be the mark's beginning: they wait for what follows.
            sure = max(0, len(self._held) - len(mark) + 1)
            ready, self._held = self._held[:sure], self._held[sure:]
            if ready:
                yield ready
            self._more()
        before, self._held = self._held[:at], self._held[at + len(mark) :]
        if before:
            yield before

    def peek(self, octets: int) -> bytes:
        """Return the next octets without stepping over them."""
        while len(self._held) < octets:
            self._more()
        return self._held[:octets]

    def _more(self) -> None:
        octets = self._read(READ_LENGTH)
        if not octets:
            raise FormCutShortError
        self._held += octets


def _read_head(body: _Body, delimiter: bytes) -> Part:
    head = bytearray()
    for octets in body.until(b"\r\n\r\n"):
        head += octets
        if len(head) > MAX_HEAD_LENGTH:
            raise MalformedFormError
    padding, *lines = bytes(head).split(b"\r\n")
    if padding.strip(b" \t"):
        raise MalformedFormError
    name, filename = _decode_disposition(_disposition(lines))
    return Part(name, filename, body.until(delimiter))


def _disposition(lines: list[bytes]) -> str:
    wanted = b"content-disposition:"
    found = [line[len(wanted) :] for line in lines if line.lower().startswith(wanted)]
    if len(found) != 1:
        raise MalformedFormError
    # Browsers send UTF-8. Octets that are not stay readable as \xff, and the file is not lost.
    return found[0].decode("utf-8", "backslashreplace").strip(" \t")


def _decode_disposition(value: str) -> tuple[str, str | None]:
    """Return a part's name and file name, exactly as the person's computer has them.

    Browsers write `"`, CR and LF in names as %22, %0D and %0A and nothing else in that way, so
    exactly these three are read back. AMBIGUOUS, and no reader can tell: a file that is really
    called `50%22.txt` arrives here as `50".txt`.
    """
    kind, parameters = value[:9].lower(), value[9:]
    if kind != "form-data":
        raise MalformedFormError
    given = _parameters(_BROWSER_PARAMETER, parameters)
    if given is not None:
        return _names({key: _unescape(text) for key, text in given.items()})
    given = _parameters(_ESCAPED_PARAMETER, parameters)
    if given is None:
        raise MalformedFormError
    return _names({key: _QUOTED_PAIR.sub(r"\1", text) for key, text in given.items()})


def _parameters(grammar: re.Pattern[str], text: str) -> dict[str, str] | None:
    """Return all parameters, or None if `text` is anything but parameters of this grammar."""
    given: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = grammar.match(text, at)
        if found is None or found[1].lower() in given:
            return None
        quoted, *bare = found.groups()[1:]
        given[found[1].lower()] = quoted if quoted is not None else bare[0]
        at = found.end()
    return given


def _unescape(text: str) -> str:
    return _BROWSER_ESCAPE.sub(lambda found: _BROWSER_ESCAPES[found[0]], text)


def _names(given: dict[str, str]) -> tuple[str, str | None]:
    if "name" not in given:
        raise MalformedFormError
    filename = given.get("filename")
    if filename is None and "filename*" in given:
        # RFC 7578, 4.2 forbids `filename*`; a few programs write it all the same.
        filename = _decode_extended(given["filename*"])
    return given["name"], filename


def _decode_extended(value: str) -> str:
    charset, *rest = value.split("'", 2)
    if charset.lower() != "utf-8" or len(rest) != len(("language", "text")):
        raise MalformedFormError
    return unquote_to_bytes(rest[1]).decode("utf-8", "backslashreplace")


def _skip(content: Iterator[bytes]) -> None:
    for _ in content:
        pass
