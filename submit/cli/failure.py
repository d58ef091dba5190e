"""A command that could not do its work."""


class CommandError(Exception):
    """The text says what happened, what was kept and what to do next."""
