"""A request's body that ends quietly when its client does, read without needless copies.

gunicorn raises where a chunked body breaks off, and says nothing where a counted one does. Here
both simply end: what arrived is in hand, and the reader's `cut` tells that there was to be more.

A counted body does not go through gunicorn's buffers, which copy each octet five times and keep
a large read waiting until all of it is there.
"""

from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import NoMoreData, ParseException

from submit.serve.reader import PatientUnreader

_SKIPPED = 1 << 16  # octets at a time


class PatientBody:
    """The body as the application reads it (PEP 3333, the input stream)."""

    def __init__(self, body: Body, reader: PatientUnreader) -> None:
        """Read gunicorn's body."""
        self._body, self._reader = body, reader

    def read(self, octets: int) -> bytes:
        """Give `octets`; fewer only when the body has ended, in whatever way it did."""
        parts = []
        while octets and (part := self.read_some(octets)):
            parts.append(part)
            octets -= len(part)
        return b"".join(parts)

    def read_some(self, octets: int) -> bytes:
        """Wait for the next octets and give what there is, at most `octets`; none at the end."""
        counted = self._body.reader
        if not isinstance(counted, LengthReader):
            return self._read_chunked(octets)
        octets = min(octets, counted.length)
        if not octets:
            return b""
        received: bytes = self._reader.take_buffered() or self._reader.chunk(octets)
        if len(received) > octets:  # the next request, already
            self._reader.unread(received[octets:])
            received = received[:octets]
        counted.length -= len(received)
        return received

    def skip(self) -> None:
        """Read to the end, or to that of the reader's patience, and keep nothing."""
        while self.read_some(_SKIPPED):
            pass

    def _read_chunked(self, octets: int) -> bytes:
        try:
            return bytes(self._body.read(octets))
        except (NoMoreData, ParseException):
            self._reader.cut = True
            # What gunicorn had read before it came upon the break.
            return bytes(self._body.read(octets))
