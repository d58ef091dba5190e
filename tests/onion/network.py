"""A private Tor network on loopback: an authority, relays, clients, and the service's own tor.

No internet, no root, nothing of the machine's own tor.
"""

import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.live import free_port
from tests.onion import torrc
from tests.onion.shipped import keep_key, let_in, shipped_torrc
from tests.onion.tors import OnionError, Tor, fill_in, owner_line, wait_until

RELAYS = 14
_DIRECTORIES = 6  # of those that keep a descriptor: nearly all
_STAFF = "ana"
_INTERVAL = 300  # seconds from vote to vote
_FIRST_VOTE = 5  # seconds, once everybody has been heard of
_CACHES = ("cached-certs", "cached-microdesc-consensus", "cached-microdescs.new")


class Client(Tor):
    """A tor with a SOCKS port."""

    def __init__(self, base: Path, name: str) -> None:
        """Choose a port."""
        super().__init__(base, name)
        self.socks_port = free_port()

    def traffic(self, direction: str) -> int:
        """Count the octets that it has `read` or `written`, cells and all."""
        [line] = self.lines(f"GETINFO traffic/{direction}", f"250-traffic/{direction}=")
        return int(line.partition("=")[2])


class Network:
    """The network, and both sites' onion addresses in it."""

    def __init__(self, base: Path) -> None:
        """Write all settings; `start` starts it."""
        self.authority = Tor(base, "authority")
        self.relays = [Tor(base, f"relay{number}") for number in range(RELAYS)]
        # The source's, the staff's, and that of somebody who has no business at the desk.
        self.source, self.staff = Client(base, "source"), Client(base, "staff")
        self.service = Tor(base, "service")
        self.service.cookie = self.service.folder / "control.authcookie"  # as the settings say
        self.source_socket, self.desk_socket = base / "http.sock", base / "desk.sock"
        self._everybody = self._write_authority(free_port(), free_port())
        for relay in self.relays:
            relay.settings.write_text(self._relay_lines(relay))
        for client in (self.source, self.staff):
            client.settings.write_text(self._client_lines(client))
        self._write_service()
        self._key = let_in(self.service, _STAFF)

    @property
    def routers(self) -> list[Tor]:
        """Everybody who carries circuits."""
        return [self.authority, *self.relays]

    @property
    def tors(self) -> list[Tor]:
        """All of them."""
        return [*self.routers, self.source, self.staff, self.service]

    def start(self) -> None:
        """Start everything; come back when both onion services are there. Raises OnionError."""
        for router in self.routers:
            _give_history(router)
            router.start()
        self._vote()
        self._start_ends()

    def renew(self) -> None:
        """Start both ends anew: relays that were killed are no longer held against the others.

        A service may open 28 circuits to introduction points in five minutes, which a small network
        uses up with two or three deaths; and a client avoids guards that have failed it.
        """
        for tor in self._ends:
            tor.end()
            (tor.folder / "state").unlink(missing_ok=True)
        (self.service.folder / "data" / "state").unlink(missing_ok=True)
        self._start_ends()

    @property
    def _ends(self) -> list[Tor]:
        return [self.source, self.staff, self.service]

    def _start_ends(self) -> None:
        for tor, folder in (
            (self.source, self.source.folder),
            (self.staff, self.staff.folder),
            (self.service, self.service.folder / "data"),
        ):
            # They would ask relays that know as little as they do, and then wait ten seconds.
            for name in _CACHES:
                shutil.copy(self.authority.folder / name, folder)
            tor.start()
        # Who asks before would be given ways in that no longer are, and remember that they failed.
        self.service.hear("HS_DESC", self._are_known, "both sites to be known")
        ready = lambda: all(tor.is_ready() for tor in self._ends)  # noqa: E731
        wait_until(ready, "the clients", tors=self.tors)
        keep_key(self.staff, self.onion("desk"), _STAFF, self._key)
        self.staff.send(signal.SIGHUP)

    def _are_known(self, told: list[str]) -> bool:
        names = [self.onion(site).removesuffix(".onion") for site in ("source", "desk")]
        stored = [line for line in told if "HS_DESC UPLOADED" in line]
        return all(sum(name in line for line in stored) >= _DIRECTORIES for name in names)

    def end(self) -> None:
        """End every tor of ours, in whatever state it is."""
        for tor in self.tors:
            tor.send(signal.SIGTERM)
        for tor in self.tors:
            with suppress(OSError):
                tor.end()

    def onion(self, site: str) -> str:
        """Give the onion address of `source` or `desk`."""
        return (self.service.folder / "data" / site / "hostname").read_text().strip()

    def throttle(self, octets: int) -> None:
        """Let each relay pass so many octets a second from now on."""
        for router in self.routers:
            # On clients this would hold up their SOCKS and control ports, too.
            answer = router.ask(f"SETCONF RelayBandwidthRate={octets} RelayBandwidthBurst={octets}")
            if answer.count("250 OK") < 2:
                raise OnionError(f"{router.name} does not slow down: {answer}")

    def _vote(self) -> None:
        """Hold the first vote when the authority knows everybody: the next one is minutes away."""

        def knows_all(question: str, line: str) -> bool:
            return len(self.authority.lines(question, line)) == len(self.routers)

        known = lambda: knows_all("GETINFO desc/all-recent", "router ")  # noqa: E731
        wait_until(known, "the relays' descriptors", tors=self.routers)
        self.authority.ask(
            f"SETCONF TestingV3AuthVotingStartOffset=0 TestingV3AuthInitialVotingInterval={_FIRST_VOTE} "
            f"V3AuthVotingInterval={_INTERVAL}"
        )
        agreed = lambda: knows_all("GETINFO ns/all", "r ")  # noqa: E731
        wait_until(agreed, "the consensus", tors=self.routers)
        caches = [self.authority.folder / name for name in _CACHES]
        wait_until(lambda: all(cache.exists() for cache in caches), "the authority's caches")

    def _own(self, tor: Tor) -> str:
        lines = torrc.EVERYBODY + torrc.OWN
        return fill_in(lines, FOLDER=tor.folder, NAME=tor.name) + owner_line() + self._everybody

    def _relay_lines(self, tor: Tor, port: int | None = None) -> str:
        return self._own(tor) + fill_in(torrc.RELAY, OR_PORT=port or free_port())

    def _client_lines(self, client: Client) -> str:
        lines = torrc.CLIENT + torrc.FEW_RELAYS
        keys = client.folder / "client-keys"
        keys.mkdir(mode=0o700)
        return (
            self._own(client)
            + fill_in(lines, SOCKS_PORT=client.socks_port)
            + f"ClientOnionAuthDir {keys}\n"
        )

    def _write_authority(self, or_port: int, dir_port: int) -> str:
        """Make the authority's keys and settings; give the line by which others know it."""
        identity, fingerprint = _make_authority_keys(self.authority, dir_port)
        self._everybody = (
            f"DirAuthority {self.authority.name} orport={or_port} no-v2 v3ident={identity} "
            f"127.0.0.1:{dir_port} {fingerprint}\n"
        )
        offset = int(time.time() + _INTERVAL / 2) % _INTERVAL
        self.authority.settings.write_text(
            self._relay_lines(self.authority, or_port)
            + fill_in(torrc.AUTHORITY, DIR_PORT=dir_port, OFFSET=offset)
        )
        return self._everybody

    def _write_service(self) -> None:
        """Take the shipped settings as they are; what this network needs comes by their include."""
        private = (
            fill_in(torrc.EVERYBODY, FOLDER=self.service.folder)
            + owner_line()
            + self._everybody
            + torrc.FEW_RELAYS
        )
        lines = shipped_torrc(self.service, self.source_socket, self.desk_socket, private)
        self.service.settings.write_text(lines)


@contextmanager
def private_network(base: Path) -> Iterator[Network]:
    """Give a network that runs; end every tor of it afterwards."""
    network = Network(base)
    try:
        network.start()
        yield network
    finally:
        network.end()


def _make_authority_keys(tor: Tor, dir_port: int) -> tuple[str, str]:
    keys = tor.folder / "keys"
    subprocess.run(
        [
            *("tor-gencert", "--create-identity-key", "--passphrase-fd", "0", "-m", "12"),
            *("-i", keys / "authority_identity_key", "-s", keys / "authority_signing_key"),
            *("-c", keys / "authority_certificate", "-a", f"127.0.0.1:{dir_port}"),
        ],
        input=secrets.token_hex(8).encode() + b"\n",
        capture_output=True,
        check=True,
    )
    none = tor.folder / "none"
    said = subprocess.run(
        [
            *("tor", "--defaults-torrc", none, "-f", none, "--ignore-missing-torrc", "--quiet"),
            *("--orport", "1", "--list-fingerprint", "--datadirectory", tor.folder),
        ],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    certificate = (keys / "authority_certificate").read_text()
    identity = re.search("^fingerprint ([0-9A-F]{40})$", certificate, re.MULTILINE)
    fingerprint = re.search("((?:[0-9A-F]{4} ?){10})", said)
    if not identity or not fingerprint:
        raise OnionError(f"tor-gencert or tor made no key that can be read: {said}")
    return identity[1], fingerprint[1].replace(" ", "")


def _give_history(router: Tor) -> None:
    ends = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - 60))
    lines = [fill_in(torrc.HISTORY, WHICH=which, ENDS=ends) for which in ("Read", "Write")]
    (router.folder / "state").write_text("".join(lines))
