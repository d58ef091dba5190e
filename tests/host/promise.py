"""What is said while the story goes, and what is said when a promise is broken."""

import time


class BrokenPromiseError(Exception):
    """The sysadmin did not get what the documents promise."""


def expect(holds: bool, promise: str, seen: str) -> None:
    """Raise `BrokenPromiseError` with what was seen."""
    if not holds:
        raise BrokenPromiseError(f"{promise}\n--- what was seen:\n{seen}")


def tell(what: str) -> None:
    """Say how far we are."""
    print(f"  {time.strftime('%H:%M:%S')} {what}", flush=True)
