"""How many slow things run at once, so that pages always have threads left."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from submit.intake.refusals import BusyError


class Admission:
    """Admits up to a number at once, in this worker process."""

    def __init__(self, places: int) -> None:
        """Take the number of places."""
        self._places = threading.BoundedSemaphore(places)

    @contextmanager
    def admit(self, wait: float = 0) -> Iterator[None]:
        """Hold a place; BusyError if none comes free within `wait` seconds."""
        if (
            not self._places.acquire(timeout=wait)
            if wait
            else not self._places.acquire(blocking=False)
        ):
            raise BusyError
        try:
            yield
        finally:
            self._places.release()
