"""By which way `send` reaches a site: an onion through Tor alone, which alone learns its name.

Rule 1: the name of an onion is never looked up here; it goes to Tor's SOCKS proxy as it is.
Rule 2: no request waits for ever: a circuit that is dead tells nobody.
Rule 3: a connection that broke is made anew with a SOCKS name of its own, so on other circuits.
"""

import socket
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


class Session(requests.Session):
    """Requests to one site; they go where they were sent, or nowhere."""

    def __init__(self, proxy: End | None) -> None:
        """Go through a SOCKS proxy, or straight if there is none."""
        super().__init__()
        self.proxy = proxy
        self.headers["Accept"] = "application/json"
        if proxy is not None:
            self.trust_env = False  # A proxy of the environment's would stand before Tor.
            self.adapters.clear()
            self.mount("http://", _TorAdapter(proxy))

    def request(self, *arguments: Any, **options: Any) -> requests.Response:  # noqa: ANN401 # requests' own, handed on
        """See `requests`. Raises ConnectionError with the words for whatever Tor says, too."""
        try:
            return super().request(
                *arguments,
                **{**options, "timeout": (_CONNECTING, _PATIENCE), "allow_redirects": False},
            )
        except BrokenError as error:
            raise requests.ConnectionError(str(error)) from None


def open_session(base: str, socks: str | None) -> Session:
    """Decide how a site is reached. Raises CommandError if that would show who sends."""
    parts = urlsplit(base)
    host = parts.hostname or ""
    if host.endswith(".onion"):
        try:
            return Session(parse_way(f"{parts.scheme}://{parts.netloc}", socks, no_tor=False).proxy)
        except FetchError as error:
            raise CommandError(str(error)) from None
    if socks:
        raise CommandError(
            f"{host} is no onion address: whoever runs Tor's exit could read your codename. "
            "Nothing was sent. Give the site's address that ends in .onion."
        )
    return Session(None)


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
