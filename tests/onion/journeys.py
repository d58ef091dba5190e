"""What is tried through the onion, one after the other; each gives its line of the table.

What arrived is opened with stock gpg and compared by SHA-256, each time.
"""

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from submit.fetch.errors import BrokenError
from submit.fetch.socks import Identity
from tests.onion import people
from tests.onion.descriptor import open_descriptor
from tests.onion.meter import Meter
from tests.onion.network import Network
from tests.onion.sites import Sites
from tests.onion.tors import OnionError, wait_until
from tests.onion.trouble import Blow, Mend, Place, Saboteur, Troubles

MIB = 1 << 20
# Octets a second that each relay passes; slowly, while they are being killed.
SLOW, BRISK, FAST = 1_000_000, 3_000_000, 1 << 30
TITLE = (
    "| journey | MB | s | MB/s | struck | resumed | given to Tor | on the wire |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |"
)
_STREAMS = 40  # on one circuit, by the shipped settings


@dataclass
class Figures:
    """What one journey cost. Octets: the files', those that Tor was given or gave, the wire's."""

    name: str
    octets: int = 0
    seconds: float = 0
    given: int = 0
    wire: int = 0
    resumptions: int = 0
    struck: Sequence[str] = field(default_factory=tuple)

    def row(self) -> str:
        """Write one line of the table."""
        return (
            f"| {self.name} | {self.octets / 1e6:.1f} | {self.seconds:.0f} "
            f"| {self.octets / 1e6 / self.seconds:.2f} | {len(self.struck)} | {self.resumptions} "
            f"| {self.given / self.octets:.2f} | {self.wire / self.octets:.2f} |"
        )


@dataclass
class World:
    """Where journeys happen, and what they left to be compared."""

    folder: Path
    network: Network
    sites: Sites
    sent: Counter[str] = field(default_factory=Counter)  # digests

    def renew(self) -> None:
        """Start Tor's two ends anew, and wait until both sites are found again."""
        network = self.network
        network.renew()
        source, desk = network.onion("source"), network.onion("desk")
        wait_until(lambda: people.answers(network.source, source, "/"), "the source's site")
        wait_until(lambda: people.answers(network.staff, desk, "/login"), "the desk")

    def new_folder(self, name: str) -> Path:
        """Make a folder for one journey."""
        folder = self.folder / name
        folder.mkdir()
        return folder

    def file(self, folder: Path, name: str, octets: int) -> Path:
        """Write a file that is going to be sent, and remember it."""
        path = people.write(folder / name, octets)
        self.sent[people.digest(path.read_bytes())] += 1
        return path

    def compare(self) -> None:
        """Open all that has arrived; raise OnionError if it is not all that was sent, once each."""
        opened = self.sites.open_all(self.folder / "opened")
        arrived = Counter(
            people.digest(one.content) for one in opened if not one.name.startswith("reply-to-")
        )
        if arrived != self.sent:
            missing, more = self.sent - arrived, arrived - self.sent
            raise OnionError(f"{missing.total()} files are missing, {more.total()} are too many")


def look_at_pages(world: World) -> None:
    """Both sites come; the desk only for who has its key, and one circuit gets so many streams."""
    source, desk = world.network.onion("source"), world.network.onion("desk")
    client, staff = world.network.source, world.network.staff
    wait_until(lambda: people.answers(client, source, "/"), "the source's site")
    wait_until(lambda: people.answers(staff, desk, "/login"), "the desk, with its key")
    words = people.refusal(client, desk)
    if "client key" not in words:
        raise OnionError(f"the desk is not there, but for another reason: {words}")
    if people.answers(staff, desk, "/drop"):
        raise OnionError("the desk shows the source's page")
    tell(f"pages: both sites come; without its key the desk is refused: {words}")


def look_at_defence(world: World) -> None:
    """The source's descriptor asks clients for proof of work when connections queue up."""
    client, onion = world.network.source, world.network.onion("source")
    wait_until(lambda: people.answers(client, onion, "/"), "the source's site")
    descriptor = client.ask(f"GETINFO hs/client/desc/id/{onion.removesuffix('.onion')}")
    lines = open_descriptor(descriptor, onion).splitlines()
    if not any(line.startswith("pow-params v1 ") for line in lines):
        raise OnionError("the source's site asks for no proof of work")
    tell("proof of work: the source's site asks for it when it has to")


def crowd_a_circuit(world: World) -> None:
    """The stream that is too many on one circuit is refused; those before it live."""
    client, onion, identity = world.network.source, world.network.onion("source"), Identity()
    with ExitStack() as held:
        ways = [
            held.enter_context(people.connection(client, onion, identity)) for _ in range(_STREAMS)
        ]
        with suppress(BrokenError):
            held.enter_context(people.connection(client, onion, identity))
            raise OnionError(f"one circuit carries more than {_STREAMS} streams")
        for way in (ways[0], ways[-1]):
            way.sendall(people.question("/", onion))
            if not way.recv(MIB).startswith(b"HTTP/1.1 200 "):
                raise OnionError("the stream that was too many has broken those before it")
    tell(f"streams: one circuit carries {_STREAMS} at once; the next is refused, the others live")


def send_undisturbed(world: World) -> Figures:
    """How fast `send` is when nothing breaks."""
    return _send(world, "send, nothing breaks", 16 * MIB, [])


def send_through_kills(world: World) -> Figures:
    """`send`, that is tuspy, while relays are killed at three places of the way."""
    saboteur = Saboteur(world.network, world.network.source)
    places = (Place.CLIENT_GUARD, Place.RENDEZVOUS, Place.SERVICE_MIDDLE)
    blows = [saboteur.kill((2 + 5 * number) * MIB, place) for number, place in enumerate(places)]
    return _send(world, "send (tuspy), relays killed", 18 * MIB, blows)


def send_past_a_frozen_relay(world: World) -> Figures:
    """`send`, while a relay on its way falls silent: nobody is told, and it goes round it."""
    blow = Saboteur(world.network, world.network.source).freeze(2 * MIB, Place.CLIENT_MIDDLE)
    return _send(world, "send (tuspy), a relay frozen", 5 * MIB, [blow])


def send_through_restart(world: World) -> Figures:
    """`send`, while the service is restarted as by an upgrade, and killed as by a power cut."""

    def restart() -> tuple[str, Mend]:
        world.sites.stop()
        world.sites.start()
        return "the service restarted", lambda: None

    def kill() -> tuple[str, Mend]:
        world.sites.kill()
        world.sites.start()
        return "the service killed and started", lambda: None

    blows = [Blow(2 * MIB, restart), Blow(4 * MIB, kill)]
    return _send(world, "send (tuspy), service restarted", 6 * MIB, blows)


def _send(world: World, name: str, octets: int, blows: list[Blow]) -> Figures:
    folder, client, troubles = world.new_folder(name), world.network.source, Troubles(blows)
    path = world.file(folder, "видео.mp4", octets)
    before = world.sites.arrived()
    with (
        Meter(client, "written") as meter,
        people.send(folder, world.sites.base, meter.port, path) as program,
        program.quoted(),
    ):
        troubles.accompany(program.has_ended, lambda: world.sites.arrived() - before)
    troubles.require_all()
    return figures(name, octets, meter, troubles)


def fetch_through_kills(world: World) -> Figures:
    """`fetch`, while relays are killed; then what lies on the stick is what the desk has."""
    name = "fetch, relays killed"
    folder, octets, client = world.new_folder(name), world.sites.arrived(), world.network.staff
    saboteur = Saboteur(world.network, client)
    places = (Place.CLIENT_GUARD, Place.SERVICE_MIDDLE)
    blows = [
        saboteur.kill(number * octets // 3, place) for number, place in enumerate(places, start=1)
    ]
    troubles = Troubles(blows)
    with (
        Meter(client, "read") as meter,
        people.fetch(folder, world.sites, meter.port) as program,
        program.quoted(),
    ):
        troubles.accompany(program.has_ended, lambda: meter.counted)
    troubles.require_all()
    _compare_stick(folder / "stick", world.sites.uploads)
    return figures(name, octets, meter, troubles)


def figures(name: str, octets: int, meter: Meter, troubles: Troubles) -> Figures:
    """Put together what was counted."""
    counts = (meter.seconds, meter.counted, meter.wire, meter.resumptions)
    return Figures(name, octets, *counts, troubles.struck)


def _compare_stick(stick: Path, uploads: Path) -> None:
    def digests(folder: Path) -> dict[str, str]:
        return {p.name: people.digest(p.read_bytes()) for p in folder.rglob("*.tar.gpg")}

    if digests(stick) != digests(uploads):
        raise OnionError("what lies on the stick is not what the desk has")


def tell(words: str) -> None:
    """Say how far it is, with the time."""
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)
