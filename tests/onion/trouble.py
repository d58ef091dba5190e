"""Relays that die or fall silent while something is on its way through them."""

import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.onion.network import Client, Network
from tests.onion.tors import OnionError, Tor

_CIRCUIT = re.compile(r"(\d+) BUILT (\S+) .*PURPOSE=(\S+)")
_NAME = re.compile(r"~(\w+)")
_PATIENCE = 240.0  # seconds for one thing on its way
_GLANCE = 0.1  # seconds between two looks
_GOT_OVER = 1 << 20  # octets that arrived since: there is another way now


class Place(StrEnum):
    """Where on the way a relay is; the way has six hops, three of each side."""

    CLIENT_GUARD = "the client's guard"
    CLIENT_MIDDLE = "the client's middle"
    RENDEZVOUS = "the rendezvous point"
    SERVICE_MIDDLE = "the service's middle"
    SERVICE_GUARD = "the service's guard"


_FROM_THE_CLIENT = {Place.CLIENT_GUARD: 0, Place.CLIENT_MIDDLE: 1, Place.RENDEZVOUS: 2}
_FROM_THE_SERVICE = {Place.SERVICE_GUARD: 0, Place.SERVICE_MIDDLE: 1}


@dataclass(frozen=True)
class Blow:
    """What befalls a relay when so many octets have arrived; `signum`: SIGKILL or SIGSTOP."""

    at: int
    place: Place
    signum: signal.Signals = signal.SIGKILL


class Saboteur:
    """Strikes at the ways of one client, and mends what it struck. It spares the authority."""

    def __init__(self, network: Network, client: Client) -> None:
        """Know who is on which way."""
        self._network, self._client = network, client
        self._routers = {router.name: router for router in network.routers}
        self._down: list[Tor] = []
        self.struck: list[str] = []

    def strike(self, blow: Blow) -> None:
        """Kill or freeze the relay at a place of the way that a stream of the client's is on."""
        victim = self._find(blow.place)
        self.struck.append(f"{blow.place} ({victim.name})")
        self._down.append(victim)
        if blow.signum == signal.SIGKILL:
            victim.kill()
        else:
            victim.send(blow.signum)

    def mend(self) -> None:
        """Start again what was killed, wake up what was frozen."""
        while self._down:
            tor = self._down.pop()
            if tor.runs():
                tor.send(signal.SIGCONT)
            else:
                tor.start()

    @property
    def has_struck(self) -> bool:
        """Tell whether a relay is down."""
        return bool(self._down)

    def _find(self, place: Place) -> Tor:
        way = self._clients_way()
        if place in _FROM_THE_CLIENT:
            hops, first = way, _FROM_THE_CLIENT[place]
        else:
            hops, first = self._services_way(way[-1]), _FROM_THE_SERVICE[place]
        # The authority alone knows the network; whoever is beside it on the way will do.
        for tor in [*hops[first:], *hops[:first]]:
            if tor is not self._network.authority and tor.runs():
                return tor
        raise OnionError(f"there is nobody to strike at {place}")

    def _clients_way(self) -> list[Tor]:
        """Give the hops of the circuit that carries a stream, to the rendezvous point."""
        circuits = self._circuits(self._client)
        for line in self._client.ask("GETINFO stream-status").splitlines():
            words = (
                line.removeprefix("250-stream-status=").removeprefix("250+stream-status=").split()
            )
            if words[1:2] == ["SUCCEEDED"] and words[2] in circuits:
                return circuits[words[2]][1]
        raise OnionError("there is no stream on the way: nothing to strike at")

    def _services_way(self, rendezvous: Tor) -> list[Tor]:
        ways = [hops for purpose, hops in self._circuits(self._network.service).values()
                if purpose == "HS_SERVICE_REND" and hops[-1] is rendezvous]  # fmt: skip
        if not ways:
            raise OnionError("the service has no circuit to the rendezvous point")
        return ways[-1]

    def _circuits(self, tor: Tor) -> dict[str, tuple[str, list[Tor]]]:
        """Give purpose and hops of every built circuit, by its number."""
        found = (_CIRCUIT.search(line) for line in tor.ask("GETINFO circuit-status").splitlines())
        return {
            match[1]: (match[3], [self._routers[name] for name in _NAME.findall(match[2])])
            for match in found
            if match
        }


def accompany(
    done: Callable[[], bool], arrived: Callable[[], int], saboteur: Saboteur, blows: list[Blow]
) -> None:
    """Strike when it is time, until it is done. What was struck is mended when it was got over.

    Raises OnionError if it is not done in time.
    """
    deadline, mark = time.monotonic() + _PATIENCE, 0
    left = list(blows)
    try:
        while not done():
            now = arrived()
            if saboteur.has_struck and now > mark + _GOT_OVER:
                saboteur.mend()
            if left and not saboteur.has_struck and now >= left[0].at:
                saboteur.strike(left.pop(0))
                mark = arrived()
            if time.monotonic() > deadline:
                raise OnionError(f"not done after {_PATIENCE:.0f} s; {now} octets have arrived")
            time.sleep(_GLANCE)
    finally:
        saboteur.mend()
    if left:
        raise OnionError(f"it was done before {left[0].place} was struck: nothing is shown by that")
