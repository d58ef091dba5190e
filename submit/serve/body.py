"""A request's body that ends quietly when its client does.

gunicorn raises where a chunked body breaks off, and says nothing where a counted one does. Here
both simply end: what arrived is in hand, and the reader's `cut` tells that there was to be more.
"""

from gunicorn.http.body import Body
from gunicorn.http.errors import NoMoreData, ParseException

from submit.serve.reader import PatientUnreader


class PatientBody:
    """The body as the application reads it (PEP 3333, the input stream)."""

    def __init__(self, body: Body, reader: PatientUnreader) -> None:
        """Read gunicorn's body."""
        self._body, self._reader = body, reader

    def read(self, octets: int) -> bytes:
        """Give `octets`; fewer only when the body has ended, in whatever way it did."""
        try:
            return bytes(self._body.read(octets))
        except (NoMoreData, ParseException):
            self._reader.cut = True
            # What gunicorn had read before it came upon the break.
            return bytes(self._body.read(octets))
