"""The service's tor, with the settings as they are shipped: only their places are filled in.

Its keys and those of the staff are made by what makes them on a host.
"""

import re
from pathlib import Path

from deploy.onion.clients import make_client_key, secret_line
from deploy.onion.keys import make_keys
from tests.onion.tors import OnionError, Tor, fill_in

_TEMPLATE = Path(__file__).parents[2] / "deploy" / "tor" / "torrc.in"


def shipped_torrc(tor: Tor, source_socket: Path, desk_socket: Path, private: str) -> str:
    """Fill in the shipped template; `private` is what its include brings. Raises OnionError."""
    data, extra = tor.folder / "data", tor.folder / "torrc.d"
    for folder in (
        data,
        data / "source",
        data / "desk",
        data / "desk" / "authorized_clients",
        extra,
    ):
        folder.mkdir(mode=0o700)
    for site in ("source", "desk"):
        for name, content in make_keys().files().items():
            (data / site / name).write_bytes(content)
    (extra / "private.conf").write_text(private)
    lines = fill_in(
        _TEMPLATE.read_text(),
        TOR_DATA=data,
        TOR_RUN=tor.folder,
        TORRC_D=extra,
        SOURCE_SOCKET=source_socket,
        DESK_SOCKET=desk_socket,
    )
    if left := re.search("@[A-Z_]+@", lines):
        raise OnionError(f"{_TEMPLATE.name}: nobody here knows what {left[0]} is")
    return lines


def let_in(tor: Tor, name: str) -> str:
    """Let one of the staff's machines find the desk; give the secret half of its key.

    Before the service's tor starts: a desk without any key is open to everybody.
    """
    line, secret = make_client_key()
    (tor.folder / "data" / "desk" / "authorized_clients" / f"{name}.auth").write_text(line)
    return secret


def keep_key(tor: Tor, onion: str, name: str, secret: str) -> None:
    """Give a client's tor the key, as docs/install.md tells the staff. It looks after a SIGHUP."""
    line = secret_line(onion, secret)
    (tor.folder / "client-keys" / f"{name}.auth_private").write_text(f"{line}\n")
