"""Asks a running tor a few questions over its control socket (control-spec, sections 2 and 3)."""

import re
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.host import Host

_PATIENCE = 10  # seconds
_FINE = "250"


class ControlError(Exception):
    """Tor could not be asked."""


class Controller:
    """A connection to tor, open from `with` to its end. Raises `ControlError`."""

    def __init__(self, host: Host, torrc: str) -> None:
        """Find the socket and the cookie that tor's settings name."""
        self._place = host.path(_named(torrc, "ControlSocket"))
        self._cookie = host.path(_named(torrc, "CookieAuthFile"))

    def __enter__(self) -> Self:
        """Connect and prove that we may read tor's cookie."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_PATIENCE)
        try:
            self._begin()
        except OSError as error:
            self._socket.close()
            raise ControlError(f"tor's control socket: {error.strerror or 'no answer'}") from None
        except ControlError:
            self.__exit__(None, None, None)
            raise
        return self

    def _begin(self) -> None:
        cookie = self._cookie.read_bytes()
        self._socket.connect(str(self._place))
        self._answers = self._socket.makefile(
            "r", encoding="ascii", errors="replace", newline="\r\n"
        )
        if self._ask(f"AUTHENTICATE {cookie.hex()}")[0][:3] != _FINE:
            raise ControlError("tor does not accept its own cookie")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()

    def info(self, key: str) -> str:
        """Give tor's answer to GETINFO, its first line; empty if it has none."""
        first, *rest = self._ask(f"GETINFO {key}")
        if not first.startswith(_FINE):
            return ""
        return rest[0] if first[3] == "+" and rest else first.partition("=")[2]

    def _ask(self, words: str) -> list[str]:
        """Give the lines of one reply. A line with a space behind its number is the last."""
        lines = []
        try:
            self._socket.sendall(f"{words}\r\n".encode())
            while line := self._answers.readline():
                lines.append(line.rstrip("\r\n"))
                if re.match(r"[0-9]{3} ", line):
                    return lines
        except OSError:
            pass
        raise ControlError("tor's control socket gave no whole answer")


def _named(torrc: str, option: str) -> Path:
    found = re.search(rf"^{option}\s+(?:unix:)?(/\S+)", torrc, re.MULTILINE)
    if found is None:
        raise ControlError(f"tor's settings name no {option}")
    return Path(found[1])
