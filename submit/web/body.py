"""A request's body as our worker gives it: what ends early is noticed, what is long gets its time.

Rule: a body has to come at a fair pace, see submit/serve/reader.py. Only who holds a place among
the uploads may take longer: everybody else holds a thread that the pages need.
"""

from collections.abc import Callable
from typing import Any

from flask import Request

from submit.web.errors import FormCutShortError, TooSlowError
from submit.web.multipart import Read

_READER = "nightferry.reader"  # set by our worker; absent under another server


class RequestBody:
    """A request's body as the intake reads it; see its `Body`."""

    def __init__(self, environ: dict[str, Any]) -> None:
        """Read from a WSGI environment."""
        body = environ["wsgi.input"]
        self._read = getattr(body, "read_some", body.read)
        self._reader = environ.get(_READER)

    def read(self, octets: int) -> bytes:
        """See `Body`."""
        return bytes(self._read(octets))

    def take_time(self) -> None:
        """Let it come as slowly as it does, as long as it is not silent."""
        if self._reader is not None:
            self._reader.take_time()

    def stop_when(self, interrupted: Callable[[], bool]) -> None:
        """See `Body`."""
        if self._reader is not None:
            self._reader.stop_when(interrupted)


def open_short(request: Request) -> Read:
    """Give what reads a short body; at an end that came too early it raises.

    TooSlowError if it was given up here, FormCutShortError if its sender or a stop ended it: half
    a message is never taken for a whole one.
    """
    reader = request.environ.get(_READER)

    def read(octets: int) -> bytes:
        part = request.stream.read(octets)
        if not part and reader is not None and reader.cut:
            raise TooSlowError if reader.late else FormCutShortError
        return part

    return read


def read_out(request: Request) -> None:
    """Read what is left of the body after the answer; docs/decisions/0011-early-answers.md."""
    reader = request.environ.get(_READER)
    if reader is not None:
        reader.read_out()
