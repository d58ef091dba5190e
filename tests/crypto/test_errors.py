"""The errors of the room: groups are for catching, and the words are constants."""

from pathlib import Path

import pytest

from crypto import errors
from crypto.errors import CodenameError, CryptoError, OperatorError, RecipientError, SessionKeyError

GROUPS: list[type[CryptoError]] = [
    CryptoError,
    OperatorError,
    SessionKeyError,
    CodenameError,
    RecipientError,
]


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_cannot_be_raised(group: type[CryptoError]) -> None:
    """Whoever would raise a whole group has not said what is wrong."""
    arguments = [Path("ngo.asc")] if group is RecipientError else []
    with pytest.raises(TypeError, match="internal error"):
        group(*arguments)


def every_error() -> list[type[CryptoError]]:
    """Give every class of the module that has words of its own."""
    return [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, CryptoError) and "words" in vars(each)
    ]


@pytest.mark.parametrize("error", every_error())
def test_every_error_has_a_name_and_words(error: type[CryptoError]) -> None:
    """Names end in Error, every class is documented, and words fill in only harmless facts."""
    assert error.__name__.endswith("Error")
    assert error.__doc__
    facts = {"path": "FILE", "ordinal": "third"}
    assert error.words.format(**facts)
    if issubclass(error, RecipientError):
        assert error.words.startswith("{path}: ")
