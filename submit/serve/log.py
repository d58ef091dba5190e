"""The log: what failed and where in our code, never what a client sent.

LESSONS 26: grep the logs for anything derived from a codename after a full run.
"""

import logging
import sys
import traceback
from types import TracebackType

from gunicorn import glogging

_FORGED = "a request could not be read"


class QuietLogger(glogging.Logger):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn's logger without access lines, client text and traceback values."""

    def access(self, *_args: object, **_kwargs: object) -> None:
        """Write no access log: times and paths are exactly what must not be kept."""

    def warning(self, msg: str, *args: object, **kwargs: object) -> None:
        """Warn; a request's faulty words are left out."""
        if str(msg).startswith("Invalid request"):
            msg, args, kwargs = _FORGED, (), {}
        super().warning(msg, *args, **kwargs)

    def exception(self, _msg: str, *_args: object, **_kwargs: object) -> None:
        """Log the type and the place of the current exception: its text may hold a secret."""
        kind, _, trace = sys.exc_info()
        super().error("fault: %s", describe_fault(kind, trace))


def describe_fault(kind: type[BaseException] | None, trace: TracebackType | None) -> str:
    """Name an exception's type and the last places it went through."""
    places = [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
        for frame in traceback.extract_tb(trace)[-4:]
    ]
    return f"{kind.__name__ if kind else 'unknown'} at {' > '.join(places)}"


class FaultHandler(logging.Handler):
    """Takes the application's own log records and passes type and place on to standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; never the record's text."""
        kind, _, trace = record.exc_info or (None, None, None)
        sys.stderr.write(f"nightferry: fault: {describe_fault(kind, trace)}\n")
