"""./nightferry test-onion: a private Tor network, and everything through it; docs/onion.md."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.onion import browsing, journeys
from tests.onion.journeys import FAST, SLOW, Figures, World, tell
from tests.onion.network import private_network
from tests.onion.sites import both_sites
from tests.onion.tors import OnionError

_LONGEST = 570  # seconds that the whole may take

Journey = Callable[[World], Figures | None]

JOURNEYS: dict[str, tuple[int, Journey]] = {
    "pages": (FAST, journeys.look_at_pages),
    "streams": (FAST, journeys.crowd_a_circuit),
    "speed": (FAST, journeys.send_undisturbed),
    "send": (SLOW, journeys.send_through_kills),
    "script": (SLOW, browsing.browse_with_scripts),
    "form": (SLOW, browsing.browse_without_scripts),
    "restart": (SLOW, journeys.send_through_restart),
    "fetch": (SLOW, journeys.fetch_through_kills),
}


def main() -> int:
    """Travel; give 0 if everything arrived, 1 if not, with words."""
    parser = argparse.ArgumentParser(prog="./nightferry test-onion", description=__doc__)
    parser.add_argument("journey", nargs="*", choices=[*JOURNEYS, []], help="default: all")
    names = parser.parse_args().journey or list(JOURNEYS)
    _limit_time()
    with tempfile.TemporaryDirectory(prefix="onion-") as folder:
        try:
            _travel(Path(folder), names)
        except OnionError as error:
            print(f"BROKEN: {error}", flush=True)
            return 1
        except KeyboardInterrupt:
            print("nightferry: stopped", file=sys.stderr)
            return 130
    tell("everything that was sent has arrived, once, and opens with gpg")
    return 0


def _limit_time() -> None:
    def end(signum: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if signum == signal.SIGALRM:
            raise OnionError(f"not done within {_LONGEST} s")
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, end)
    signal.signal(signal.SIGTERM, end)
    signal.alarm(_LONGEST)


def _travel(folder: Path, names: list[str]) -> None:
    begun = time.monotonic()
    with private_network(folder / "net") as network:
        tell(
            f"the network is there after {time.monotonic() - begun:.0f} s: {len(network.tors)} tors"
        )
        with both_sites(folder / "home", network) as sites:
            world = World(folder, network, sites)
            figures = [line for name in names if (line := _journey(name, world))]
            world.compare()
    print("\n" + journeys.TITLE)
    for line in figures:
        print(line.row())
    print()


def _journey(name: str, world: World) -> Figures | None:
    pace, journey = JOURNEYS[name]
    world.network.throttle(pace)
    figures = journey(world)
    if figures:
        tell(figures.row())
        for place in figures.struck:
            tell(f"    struck: {place}")
    return figures


if __name__ == "__main__":
    sys.exit(main())
