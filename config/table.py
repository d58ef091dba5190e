"""Reads values of known types out of a TOML table.

Rule 1: a value has the type that was asked for, or it is refused; nothing is converted.
Rule 2: `refuse_unknown` comes first: a misspelt key is better news than the missing one.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path

from config.errors import MissingSettingError, UnknownSettingError, WrongTypeError


class Table:
    """One TOML table, from which settings are taken by name."""

    def __init__(self, content: dict[str, object]) -> None:
        self._content = content

    def text(self, key: str, default: str | None = None) -> str:
        """Take a string, or the default. Raises `MissingSettingError`, `WrongTypeError`."""
        value = self._take(key, default)
        if not isinstance(value, str):
            raise WrongTypeError(describe(key, value, "a text in quotes"))
        return value

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Take a list of strings, or the default. Raises as `text` does."""
        value = self._take(key, None if default is None else list(default))
        if not isinstance(value, list):
            raise WrongTypeError(describe(key, value, "a list of texts in quotes"))
        for element in value:
            if not isinstance(element, str):
                raise WrongTypeError(describe(key, element, "a list of texts only"))
        return tuple(value)

    def path(self, key: str) -> Path:
        """Take a path. Raises `MissingSettingError`, `WrongTypeError`."""
        return Path(self.text(key))

    def paths(self, key: str) -> tuple[Path, ...]:
        """Take a list of paths. Raises `MissingSettingError`, `WrongTypeError`."""
        return tuple(Path(text) for text in self.texts(key))

    def integer(self, key: str, default: int) -> int:
        """Take a whole number, or the default. Raises `WrongTypeError`."""
        value = self._content.get(key, default)
        # To Python, TOML's true is the number 1.
        if not isinstance(value, int) or isinstance(value, bool):
            raise WrongTypeError(describe(key, value, "a whole number without quotes"))
        return value

    def refuse_unknown(self, known: Sequence[str]) -> None:
        """Refuse keys that no setting has. Raises `UnknownSettingError`."""
        for key in sorted(self._content.keys() - set(known)):
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "config/example.toml names them all"
            raise UnknownSettingError(f"{key}: there is no such setting; {hint}")

    def _take(self, key: str, default: object = None) -> object:
        if key not in self._content:
            if default is not None:
                return default
            raise MissingSettingError(f"{key}: is missing, and has no default")
        return self._content[key]


def describe(key: str, value: object, expected: str) -> str:
    """Put into words that a value has the wrong type."""
    return f"{key}: is {value!r}; expected {expected}"
