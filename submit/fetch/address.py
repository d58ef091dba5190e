"""Where the desk is, and by which way: the rules that keep staff anonymous.

An onion address is never resolved here: its name goes to Tor's SOCKS proxy as it is.
"""

import base64
import binascii
import hashlib
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from submit.fetch.errors import FetchError

TOR = "127.0.0.1:9050"
_ONION = ".onion"
_ONION_OCTETS, _VERSION, _CHECKSUM_FROM = 35, 3, 32
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_PORTS = range(1, 1 << 16)


@dataclass(frozen=True, slots=True)
class End:
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Way:
    """The desk and the SOCKS proxy on the way to it; None: there is no proxy on the way."""

    desk: End
    proxy: End | None


def parse_way(desk: str, socks: str | None, *, no_tor: bool) -> Way:
    """Decide how the desk is reached. Raises FetchError if that would show who asks."""
    end = _parse_desk(desk)
    if end.host.endswith(_ONION):
        _require_onion(end.host)
        return Way(end, parse_end(socks or TOR))
    if socks:
        raise FetchError(
            f"{end.host} is no onion address: whoever runs Tor's exit could read your passphrase. "
            "Nothing was sent. Give the desk's address that ends in .onion."
        )
    if not no_tor and not _is_loopback(end.host):
        raise FetchError(
            f"{end.host} is no onion address: everybody on the way would see who asks, and your "
            "passphrase. Nothing was sent. Give the desk's address that ends in .onion "
            "(or --no-tor, if you know why that is no danger)."
        )
    return Way(end, None)


def parse_end(text: str) -> End:
    """Read HOST:PORT. Raises FetchError."""
    host, colon, port = text.rpartition(":")
    if not colon or not _HOST.fullmatch(host) or not _is_port(port):
        raise FetchError("--socks takes HOST:PORT, for example 127.0.0.1:9050 (Tor Browser: 9150)")
    return End(host, int(port))


def _parse_desk(text: str) -> End:
    parts, port = _split(text)
    if parts.scheme != "http":
        raise FetchError(
            "the desk's address begins with http:// (Tor itself encrypts the way to an onion)"
        )
    if parts.username is not None or parts.password is not None:
        raise FetchError("no name or passphrase in the address, please: others can see it there")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise FetchError("give the desk's address without anything behind the host")
    host = parts.hostname or ""
    if not _HOST.fullmatch(host):
        raise FetchError("this is no address of a desk; it looks like http://….onion")
    return End(host, port or 80)


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise FetchError("this is no address of a desk; it looks like http://….onion") from None
    return parts, port


def _require_onion(host: str) -> None:
    """Find a mistyped address before anybody is asked for it (Tor: rend-spec-v3, 6)."""
    name = host.removesuffix(_ONION).rpartition(".")[2]
    try:
        octets = base64.b32decode(name.upper())
    except binascii.Error:
        octets = b""
    if len(octets) != _ONION_OCTETS or octets[_CHECKSUM_FROM:] != _checksum(octets):
        raise FetchError(
            "this onion address is mistyped or not whole: it does not fit its own checksum. "
            "Nothing was sent. Copy it again."
        )


def _checksum(octets: bytes) -> bytes:
    version = bytes([_VERSION])
    digest = hashlib.sha3_256(b".onion checksum" + octets[:_CHECKSUM_FROM] + version)
    return digest.digest()[:2] + version


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len("65535") and int(text) in _PORTS
