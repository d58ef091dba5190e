"""Both sites on Unix sockets, as they run on a host, named by their onion addresses."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.live import Live, wait_until
from tests.onion.network import Network

_PATIENCE = 10.0  # seconds for an answer on this machine


class Sites(Live):
    """The source's site and the desk; what they are reached by is tor's sockets alone."""

    def __init__(self, folder: Path, network: Network, ngo: Ngo) -> None:
        """Set them up."""
        self._sockets = {"source": network.source_socket, "desk": network.desk_socket}
        self._names = {site: network.onion(site) for site in self._sockets}
        super().__init__(
            folder,
            ngo,
            listen=f"unix:{network.source_socket}",
            desk_listen=f"unix:{network.desk_socket}",
            hosts=[self._names["source"]],
            desk_hosts=[self._names["desk"]],
        )
        self.base = f"http://{self._names['source']}"
        self.desk = f"http://{self._names['desk']}"

    def answers(self) -> bool:
        """Tell whether the source's first page comes, without Tor."""
        return self._answers("source", "/")

    def start_desk(self) -> "Sites":
        """Start the staff's site and wait until it answers."""
        self._desk_process = self._serve("desk")
        wait_until(lambda: self._answers("desk", "/login"), self._desk_process)
        return self

    def arrived(self) -> int:
        """Count the sealed octets that are here."""
        return sum(path.stat().st_size for path in self.uploads.glob("*.tar.gpg"))

    def _answers(self, site: str, path: str) -> bool:
        asked = http.client.HTTPConnection(self._names[site], timeout=_PATIENCE)
        asked.sock = socket.socket(socket.AF_UNIX)
        try:
            asked.sock.connect(str(self._sockets[site]))
            asked.request("GET", path)
            return asked.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asked.close()


@contextmanager
def both_sites(folder: Path, network: Network) -> Iterator[Sites]:
    """Give both sites, running, with a key of their own; end them afterwards."""
    folder.mkdir()
    with new_home() as home:
        sites = Sites(folder, network, make_ngo(home, folder, "ed25519", "cv25519"))
        try:
            sites.start()
            yield sites.start_desk()
        finally:
            sites.end()
