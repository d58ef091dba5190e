"""SOCKS5 as Tor speaks it (RFC 1928, 1929): the proxy resolves the name, we never do.

A name and password that nobody has used before give this connection circuits of its own (tor's
IsolateSOCKSAuth, which is on by default): no other program's traffic is on them.
"""

import secrets
import socket

from submit.fetch.address import End
from submit.fetch.errors import BrokenError

_VERSION, _BY_PASSWORD, _NO_PASSWORD, _CONNECT, _BY_NAME = 5, 2, 0, 1, 3
_AUTH_VERSION, _GRANTED = 1, 0
_ADDRESS_OCTETS = {1: 4, 4: 16}  # of the address in an answer, by its type; 3 is a name
_UNREACHABLE = "Tor is running, but it finds no way to the desk. Is the desk up? {asks}"
_ASKS = "Does this Tor have the desk's client key (docs/fetch.md)?"
_WHY = {
    0xF0: "Tor does not find the desk: its descriptor is not there. Is the desk up?",
    0xF2: "Tor finds the desk, but no way in. Trying again helps.",
    0xF4: "the desk asks for a client key, and this Tor has none (docs/fetch.md).",
    0xF5: "this Tor has a client key for the desk, but the wrong one (docs/fetch.md).",
    0xF6: "Tor says that this onion address is not valid.",
    0xF7: "Tor has waited long enough for a way into the desk. Trying again helps.",
}


class Identity:
    """A SOCKS name and password that nobody has used: a fresh set of circuits."""

    def __init__(self) -> None:
        self.name, self.password = (secrets.token_hex(16).encode() for _ in range(2))


def connect(proxy: End, desk: End, identity: Identity, seconds: float) -> socket.socket:
    """Connect to the desk through the proxy. Raises BrokenError in words."""
    try:
        way = socket.create_connection((proxy.host, proxy.port), seconds)
    except OSError:
        raise BrokenError(f"Tor is not running at {proxy}.") from None
    try:
        _greet(way, proxy, identity)
        _ask_for(way, desk)
    except BaseException as error:
        way.close()
        if isinstance(error, OSError):
            raise BrokenError(f"Tor at {proxy} does not answer.") from None
        raise
    return way


def _greet(way: socket.socket, proxy: End, identity: Identity) -> None:
    way.sendall(bytes([_VERSION, 2, _NO_PASSWORD, _BY_PASSWORD]))
    version, method = _read(way, 2)
    if version != _VERSION or method not in {_NO_PASSWORD, _BY_PASSWORD}:
        raise BrokenError(f"what runs at {proxy} is not Tor's SOCKS proxy.")
    if method == _BY_PASSWORD:
        name, password = identity.name, identity.password
        way.sendall(bytes([_AUTH_VERSION, len(name)]) + name + bytes([len(password)]) + password)
        if _read(way, 2)[1] != _GRANTED:
            raise BrokenError(f"the SOCKS proxy at {proxy} wants a password of its own.")


def _ask_for(way: socket.socket, desk: End) -> None:
    name = desk.host.encode("ascii")
    request = bytes([_VERSION, _CONNECT, 0, _BY_NAME, len(name)]) + name
    way.sendall(request + desk.port.to_bytes(2, "big"))
    _, status, _, kind = _read(way, 4)
    if status != _GRANTED:
        raise BrokenError(_WHY.get(status, _UNREACHABLE.format(asks=_ASKS)))
    octets = _ADDRESS_OCTETS.get(kind)
    _read(way, (_read(way, 1)[0] if octets is None else octets) + 2)


def _read(way: socket.socket, octets: int) -> bytes:
    found = b""
    while len(found) < octets:
        piece = way.recv(octets - len(found))
        if not piece:
            raise BrokenError("Tor has closed the connection.")
        found += piece
    return found
