"""Why something did not come: for good, or only now."""


class FetchError(Exception):
    """Ends the run. The text says what happened, what was kept and what to do next."""


class StickError(FetchError):
    """The stick does not do what is asked of it."""


class BrokenError(Exception):
    """Passes: the network, Tor or the desk is away. The text is for the staff."""


class SessionEndedError(Exception):
    """The desk wants a login."""


class StoppedError(Exception):
    """Another part of the run has ended it."""


class RefusedError(Exception):
    """The desk said no, in the words that are the text (made harmless for a terminal)."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class WrongDigestError(Exception):
    """What came is not what the desk has, twice."""
