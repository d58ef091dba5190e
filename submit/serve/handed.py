"""The socket that systemd has made and hands over: sd_listen_fds(3).

It is there before the service and after it, so whoever comes while the service starts anew waits.
gunicorn takes it by itself. But if it is not there, or is another one, gunicorn says nothing: it
makes one of its own, or serves the wrong site (with PrivatePIDs=, for one). So this looks first.
"""

import os
import socket
from collections.abc import Mapping

_FIRST = 3  # SD_LISTEN_FDS_START


class NotHandedOverError(Exception):
    """The socket is not the one that the settings name. `str(error)` is for the sysadmin."""


def is_handed_over(environ: Mapping[str, str]) -> bool:
    """Tell whether systemd has handed sockets over to this very process."""
    return environ.get("LISTEN_PID") == str(os.getpid())


def require_handed_over(listen: str, environ: Mapping[str, str]) -> None:
    """Refuse (NotHandedOverError) to go on without exactly the socket `listen`, as in settings."""
    count = environ.get("LISTEN_FDS", "0") if is_handed_over(environ) else "0"
    if count != "1":
        raise NotHandedOverError(
            f"systemd handed over {count} sockets; expected one, {listen}. Nothing was started. "
            "Is the .socket unit of this service active, and was the service started by systemd?"
        )
    found = _name(_FIRST)
    if found != listen:
        raise NotHandedOverError(
            f"systemd handed over {found}; the settings say {listen}. Nothing was started. "
            "Make the settings and the .socket unit say the same."
        )


def _name(descriptor: int) -> str:
    """Give where a descriptor listens, in the settings' own words."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as handed:
            if not handed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return "a socket that does not listen"
            address = handed.getsockname()
    except OSError:
        return "something that is no socket"
    return f"unix:{address}" if isinstance(address, str) else f"{address[0]}:{address[1]}"
