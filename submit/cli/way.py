"""By which way `send` reaches a site: an onion through Tor alone, which alone learns its name.

Rule 1: the name of an onion is never looked up here; it goes to Tor's SOCKS proxy as it is.
Whatever is neither an onion nor this machine is refused: its name would be looked up in clear.
Rule 2: no request waits for ever: a circuit that is dead tells nobody.
Rule 3: a connection that broke is made anew with a SOCKS name of its own, so on other circuits.
"""

import re
import socket
from ipaddress import IPv4Address, IPv4Network
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection

from submit.cli.failure import CommandError
from submit.fetch.address import End, parse_way
from submit.fetch.errors import BrokenError, FetchError
from submit.fetch.socks import Identity, connect

_CONNECTING = 90.0  # seconds: Tor itself gives up on a way after 60 or so
_PATIENCE = 90.0  # seconds without an octet moving
_HTTP = 80
_ONION = ".onion"
_NAME = 56  # letters of an onion's name, without its ending
_LOOPBACK = IPv4Network("127.0.0.0/8")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|::1")
_NO_ADDRESS = (
    "this is no address of a site. Nothing was sent. Type it as it was given to you, with nothing "
    "behind it: --to http://….onion (Tor itself encrypts the way to an onion)."
)
_NO_ONION = (
    "{host} is no onion address. It was not contacted, and nothing was sent: others on the way "
    "there (a gateway, Tor's exit) could read your codename, and without Tor they would see who "
    "sends. Type {meant}"
)
_ELSEWHERE = (
    "the site leads to another address. Nothing was sent there. Is this the address that you were "
    "given? What arrived before is kept."
)


class Session(requests.Session):
    """Requests to one site; they go where they were sent, or nowhere."""

    def __init__(self, base: str, proxy: End | None) -> None:
        """Go to `base` through a SOCKS proxy, or straight if there is none."""
        super().__init__()
        self.base, self.proxy = base, proxy
        self.headers["Accept"] = "application/json"
        self.trust_env = False  # A proxy of the environment's would stand between.
        self.adapters.clear()
        self.mount("http://", _TorAdapter(proxy) if proxy else HTTPAdapter())

    def request(self, method: Any, url: Any, *rest: Any, **options: Any) -> requests.Response:  # noqa: ANN401 # requests' own, handed on
        """See `requests`. Raises ConnectionError with the words for whatever Tor says, too.

        CommandError if the site leads elsewhere, by a redirect or by an address that it gave.
        """
        if not url.startswith(f"{self.base}/"):
            raise CommandError(_ELSEWHERE)
        limits = {"timeout": (_CONNECTING, _PATIENCE), "allow_redirects": False}
        try:
            answer = super().request(method, url, *rest, **{**options, **limits})
        except BrokenError as error:
            raise requests.ConnectionError(str(error)) from None
        if answer.is_redirect:
            raise CommandError(_ELSEWHERE)
        return answer


def open_session(to: str, socks: str | None) -> Session:
    """Decide how a site is reached, before any name is looked up.

    Raises CommandError for everything but an onion, which Tor alone is asked for, and this machine.
    """
    host, port = _read(to)
    base = f"http://{f'[{host}]' if ':' in host else host}" + (f":{port}" if port != _HTTP else "")
    if host.endswith(_ONION):
        return Session(base, _tor(host, socks))
    if not _is_this_machine(host):
        raise CommandError(_NO_ONION.format(host=host, meant=_meant(host)))
    if socks:
        raise CommandError(
            f"{host} is this machine, and Tor does not lead there: leave out --socks"
        )
    return Session(base, None)


def _read(to: str) -> tuple[str, int]:
    try:
        parts = urlsplit(to)
        port = parts.port or _HTTP
    except ValueError:
        raise CommandError(_NO_ADDRESS) from None
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    # With a dot at its end a name is the same name; Tor knows it without.
    host = (parts.hostname or "").removesuffix(".")
    if parts.scheme != "http" or more or not _HOST.fullmatch(host):
        raise CommandError(_NO_ADDRESS)
    return host, port


def _tor(host: str, socks: str | None) -> End | None:
    try:
        return parse_way(f"http://{host}", socks, no_tor=False).proxy
    except FetchError as error:
        raise CommandError(str(error)) from None


def _is_this_machine(host: str) -> bool:
    if host in {"localhost", "::1"}:
        return True
    try:
        return IPv4Address(host) in _LOOPBACK
    except ValueError:
        return False


def _meant(host: str) -> str:
    """Find the onion in a gateway's name, or one whose ending was forgotten."""
    names = [name for name in host.split(".") if len(name) == _NAME]
    return f"--to http://{names[-1]}{_ONION}" if names else "the whole address, --to http://….onion"


def require_tor(proxy: End) -> None:
    """After a failure: raise CommandError for the commonest trouble of all."""
    try:
        socket.create_connection((proxy.host, proxy.port), _CONNECTING).close()
    except OSError:
        raise CommandError(
            f"Tor is not running at {proxy}. Nothing was sent. While Tor Browser is open, its Tor "
            "will do: --socks 127.0.0.1:9150. (Start this without torsocks: it finds Tor itself.)"
        ) from None


class _TorAdapter(HTTPAdapter):
    def __init__(self, proxy: End) -> None:
        self._proxy = proxy
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 # requests' own, handed on
        """See `requests`."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _pool(self._proxy)}


def _pool(proxy: End) -> type[HTTPConnectionPool]:
    """Make what urllib3 wants: a class of pools of a class of connections."""

    class Connection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(proxy, End(self.host, self.port), Identity(), _CONNECTING)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    return Pool
