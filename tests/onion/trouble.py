"""Relays that die or fall silent while something is on its way through them."""

import math
import re
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from tests.onion.network import Client, Network
from tests.onion.tors import OnionError, Tor

_CIRCUIT = re.compile(r"(\d+) BUILT (\S+) .*PURPOSE=(\S+)")
_NAME = re.compile(r"~(\w+)")
_PATIENCE = 240.0  # seconds for one thing on its way
_GLANCE = 0.1  # seconds between two looks
_GOT_OVER = 1 << 20  # octets that arrived since: there is another way now


class NobodyThereError(Exception):
    """There is no such way at this moment. The text says which."""


class Place(StrEnum):
    """Where on the way a relay is; the way has six hops, three of each side."""

    CLIENT_GUARD = "the client's guard"
    CLIENT_MIDDLE = "the client's middle"
    RENDEZVOUS = "the rendezvous point"
    SERVICE_MIDDLE = "the service's middle"
    SERVICE_GUARD = "the service's guard"


_FROM_THE_CLIENT = {Place.CLIENT_GUARD: 0, Place.CLIENT_MIDDLE: 1, Place.RENDEZVOUS: 2}
_FROM_THE_SERVICE = {Place.SERVICE_GUARD: 0, Place.SERVICE_MIDDLE: 1}


Mend = Callable[[], None]


@dataclass(frozen=True)
class Blow:
    """Falls when so many octets have arrived. `fall` gives its name, and what mends it.

    It raises NobodyThereError if it cannot fall now: perhaps something else has broken by itself.
    """

    at: int
    fall: Callable[[], tuple[str, Mend]]
    lasts: float = 10.0  # seconds at most


class Saboteur:
    """Strikes at the ways of one client. It spares the authority, who alone knows the network."""

    def __init__(self, network: Network, client: Client) -> None:
        """Know who is on which way."""
        self._network, self._client = network, client
        self._routers = {router.name: router for router in network.routers}

    def kill(self, at: int, place: Place) -> Blow:
        """Kill whoever is there by then; it is started again when its death was got over."""

        def fall() -> tuple[str, Mend]:
            victim = self._find(place)
            victim.kill()
            return f"{place} killed ({victim.name})", victim.start

        return Blow(at, fall)

    def freeze(self, at: int, place: Place) -> Blow:
        """Freeze whoever is there by then: nothing passes, and nobody is told."""

        def fall() -> tuple[str, Mend]:
            victim = self._find(place)
            victim.send(signal.SIGSTOP)
            return f"{place} frozen ({victim.name})", lambda: victim.send(signal.SIGCONT)

        return Blow(at, fall, math.inf)

    def _find(self, place: Place) -> Tor:
        way = self._clients_way()
        if place in _FROM_THE_CLIENT:
            hops, first = way, _FROM_THE_CLIENT[place]
        else:
            hops, first = self._services_way(way[-1]), _FROM_THE_SERVICE[place]
        # Beside the authority on the way somebody else will do.
        for tor in [*hops[first:], *hops[:first]]:
            if tor is not self._network.authority and tor.runs():
                return tor
        raise NobodyThereError(place)

    def _clients_way(self) -> list[Tor]:
        """Give the hops of the circuit that carries a stream, to the rendezvous point."""
        circuits = self._circuits(self._client)
        for line in self._client.ask("GETINFO stream-status").splitlines():
            words = (
                line.removeprefix("250-stream-status=").removeprefix("250+stream-status=").split()
            )
            if words[1:2] == ["SUCCEEDED"] and words[2] in circuits:
                return circuits[words[2]][1]
        raise NobodyThereError("the client has no stream")

    def _services_way(self, rendezvous: Tor) -> list[Tor]:
        ways = [hops for purpose, hops in self._circuits(self._network.service).values()
                if purpose == "HS_SERVICE_REND" and hops[-1] is rendezvous]  # fmt: skip
        if not ways:
            raise NobodyThereError("the service has no circuit to the rendezvous point")
        return ways[-1]

    def _circuits(self, tor: Tor) -> dict[str, tuple[str, list[Tor]]]:
        """Give purpose and hops of every built circuit, by its number."""
        found = (_CIRCUIT.search(line) for line in tor.ask("GETINFO circuit-status").splitlines())
        return {
            match[1]: (match[3], [self._routers[name] for name in _NAME.findall(match[2])])
            for match in found
            if match
        }


class Troubles:
    """What is going to happen to one thing on its way, and what has happened."""

    def __init__(self, blows: Sequence[Blow] = ()) -> None:
        """One after the other; the next falls when the one before was got over."""
        self._left = list(blows)
        self._mend: Mend | None = None
        self.struck: list[str] = []

    def accompany(self, done: Callable[[], bool], arrived: Callable[[], int]) -> None:
        """Let them fall until it is done. Raises OnionError if that takes too long."""
        deadline, mark, mends_at = time.monotonic() + _PATIENCE, 0, 0.0
        try:
            while not done():
                now = arrived()
                if self._mend and (now > mark + _GOT_OVER or time.monotonic() > mends_at):
                    self._mended()
                if self._left and not self._mend and now >= self._left[0].at:
                    mends_at = time.monotonic() + self._strike()
                    mark = arrived()
                if time.monotonic() > deadline:
                    raise OnionError(f"not done after {_PATIENCE:.0f} s; {now} octets have arrived")
                time.sleep(_GLANCE)
        finally:
            self._mended()

    def require_all(self) -> None:
        """Raise OnionError if it was done before everything had happened."""
        if self._left:
            raise OnionError(f"done with {len(self._left)} blows to go: nothing is shown by that")

    def _strike(self) -> float:
        """Let the next one fall; give the seconds until it is mended at the latest."""
        blow = self._left[0]
        with suppress(NobodyThereError):  # then at the next look
            name, self._mend = blow.fall()
            self._left.pop(0)
            self.struck.append(name)
        return blow.lasts

    def _mended(self) -> None:
        if self._mend:
            self._mend()
        self._mend = None
