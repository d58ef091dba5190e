"""What is tried through the onion, one after the other; each gives its line of the table.

What arrived is opened with stock gpg and compared by SHA-256, each time.
"""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from submit.fetch.errors import BrokenError
from submit.fetch.socks import Identity
from tests.onion import people
from tests.onion.meter import Meter
from tests.onion.network import Network
from tests.onion.sites import Sites
from tests.onion.tors import OnionError, wait_until
from tests.onion.trouble import Blow, Place, Saboteur, accompany

MIB = 1 << 20
SLOW = 1_000_000  # octets a second that each relay passes while they are being killed
FAST = 1 << 30
TITLE = (
    "| journey | MB | s | MB/s | struck | resumed | carried / files |\n"
    "| --- | --- | --- | --- | --- | --- | --- |"
)
_STREAMS = 40  # on one circuit, by the shipped settings


@dataclass
class Figures:
    """What one journey cost. `octets` are the files'; `carried` those that Tor was given or gave."""

    name: str
    octets: int = 0
    seconds: float = 0
    carried: int = 0
    resumptions: int = 0
    struck: Sequence[str] = field(default_factory=tuple)

    def row(self) -> str:
        """Write one line of the table."""
        return (
            f"| {self.name} | {self.octets / 1e6:.1f} | {self.seconds:.0f} "
            f"| {self.octets / 1e6 / self.seconds:.2f} | {len(self.struck)} | {self.resumptions} "
            f"| {self.carried / self.octets:.3f} |"
        )


@dataclass
class World:
    """Where journeys happen, and what they left to be compared."""

    folder: Path
    network: Network
    sites: Sites
    sent: Counter[str] = field(default_factory=Counter)  # digests

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
    return _send(world, "send, nothing breaks", 48 * MIB, [])


def send_through_kills(world: World) -> Figures:
    """`send`, that is tuspy, while relays are killed at four places of the way."""
    places = (Place.CLIENT_GUARD, Place.RENDEZVOUS, Place.SERVICE_MIDDLE, Place.CLIENT_MIDDLE)
    blows = [Blow((2 + 4 * number) * MIB, place) for number, place in enumerate(places)]
    return _send(world, "send (tuspy), relays killed", 20 * MIB, blows)


def send_through_restart(world: World) -> Figures:
    """`send`, while the service is restarted as an upgrade does, and killed as a power cut does."""
    before = world.sites.arrived()

    def troubles() -> None:
        wait_until(lambda: world.sites.arrived() > before + 2 * MIB, "the first octets")
        world.sites.stop()
        world.sites.start()
        wait_until(lambda: world.sites.arrived() > before + 6 * MIB, "octets after the restart")
        world.sites.kill()
        world.sites.start()

    with ThreadPoolExecutor(1) as pool:
        troubled = pool.submit(troubles)
        figures = _send(world, "send, service restarted and killed", 12 * MIB, [])
        troubled.result()
    figures.struck = ("restart", "kill")
    return figures


def _send(world: World, name: str, octets: int, blows: list[Blow]) -> Figures:
    folder = world.new_folder(name)
    path = world.file(folder, "видео.mp4", octets)
    saboteur = Saboteur(world.network, world.network.source)
    before = world.sites.arrived()
    with Meter(world.network.source.socks_port) as meter:
        begun = time.monotonic()
        with people.send(folder, world.sites.base, meter.port, path) as program:
            arrived = lambda: world.sites.arrived() - before  # noqa: E731
            accompany(program.has_ended, arrived, saboteur, blows)
        seconds = time.monotonic() - begun
    return Figures(name, octets, seconds, meter.given, meter.resumptions, saboteur.struck)


def fetch_through_kills(world: World) -> Figures:
    """`fetch`, while relays are killed; then what lies on the stick is what the desk has."""
    name = "fetch, relays killed"
    folder = world.new_folder(name)
    octets, saboteur = world.sites.arrived(), Saboteur(world.network, world.network.staff)
    blows = [Blow(4 * MIB, Place.CLIENT_GUARD), Blow(octets // 2, Place.SERVICE_MIDDLE)]
    with Meter(world.network.staff.socks_port) as meter:
        begun = time.monotonic()
        with people.fetch(folder, world.sites, meter.port) as program:
            accompany(program.has_ended, lambda: meter.got, saboteur, blows)
        seconds = time.monotonic() - begun
    _compare_stick(folder / "stick", world.sites.uploads)
    return Figures(name, octets, seconds, meter.got, meter.resumptions, saboteur.struck)


def _compare_stick(stick: Path, uploads: Path) -> None:
    def digests(folder: Path) -> dict[str, str]:
        return {p.name: people.digest(p.read_bytes()) for p in folder.rglob("*.tar.gpg")}

    if digests(stick) != digests(uploads):
        raise OnionError("what lies on the stick is not what the desk has")


def tell(words: str) -> None:
    """Say how far it is, with the time."""
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)
