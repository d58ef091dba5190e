"""The staff's name, passphrase and code: from the terminal or from a private file, into memory alone."""

import os
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from submit.fetch.errors import FetchError
from submit.fetch.terminal import Terminal

_LONGEST = 4096  # octets
_NAMES = {"name", "passphrase"}
_HOW = 'It holds two lines: name = "…" and passphrase = "…"'


@dataclass
class Credentials:
    """What is known already is not asked again; the code always is."""

    terminal: Terminal
    name: str = ""
    passphrase: str = field(default="", repr=False)
    from_file: bool = False

    def ask(self) -> tuple[str, str, str]:
        """Give name, passphrase and a code. Raises FetchError if nobody answers."""
        if not self.name:
            self.name = self.terminal.ask("Your name at the desk: ", hidden=False)
        if not self.passphrase:
            self.passphrase = self.terminal.ask(
                f"Passphrase of {self.name} (not shown as you type): ", hidden=True
            )
        code = self.terminal.ask("The six digits from your authenticator: ", hidden=False)
        return self.name, self.passphrase, "".join(code.split())

    def forget(self) -> None:
        """Ask for the passphrase again, too, if it was typed."""
        if not self.from_file:
            self.passphrase = ""


def read_credentials(path: Path, stick: Path) -> tuple[str, str]:
    """Read name and passphrase from a file that only its owner can read. Raises FetchError."""
    if path.resolve().is_relative_to(stick.resolve()):
        raise FetchError("the passphrase lies on the stick, which travels. Keep it elsewhere.")
    try:
        said = tomllib.loads(_read_private(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise FetchError(f"the file of --credentials cannot be understood. {_HOW}") from None
    if set(said) != _NAMES or not all(isinstance(word, str) and word for word in said.values()):
        raise FetchError(f"the file of --credentials has other lines than these. {_HOW}")
    return said["name"], said["passphrase"]


def _read_private(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode) or state.st_mode & 0o077:
                raise FetchError(
                    "others can read the file of --credentials. Nothing was sent. Run: chmod 600 "
                    "FILE (and change the passphrase if others use this machine)"
                )
            return file.read(_LONGEST)
    except OSError as error:
        raise FetchError(f"the file of --credentials cannot be read: {error.strerror}") from None
