"""./nightferry test-onion: a private Tor network, and everything through it; docs/onion.md."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.onion import asking, browsing, journeys
from tests.onion.journeys import BRISK, FAST, SLOW, Figures, World, tell
from tests.onion.network import private_network
from tests.onion.sites import both_sites
from tests.onion.tors import OnionError

_LONGEST = 570  # seconds that the whole may take

Journey = Callable[[World], Figures | None]

JOURNEYS: dict[str, Journey] = {
    "pages": journeys.look_at_pages,
    "defence": journeys.look_at_defence,
    "doctor": asking.ask_the_doctor,
    "streams": journeys.crowd_a_circuit,
    "speed": journeys.send_undisturbed,
    "send": journeys.send_through_kills,
    "script": browsing.browse_with_scripts,
    "form": browsing.browse_without_scripts,
    "restart": journeys.send_through_restart,
    "fetch": journeys.fetch_through_kills,
    "frozen": journeys.send_past_a_frozen_relay,
}
QUICK = {"pages", "defence", "doctor", "streams", "speed"}  # at full speed, and they break nothing
PACE = {"fetch": BRISK}  # everything that the others have sent, at once
LONG = {"frozen"}  # takes three minutes, so only by its name


def main() -> int:
    """Travel; give 0 if everything arrived, 1 if not, with words."""
    parser = argparse.ArgumentParser(prog="./nightferry test-onion", description=__doc__)
    parser.add_argument(
        "journey", nargs="*", choices=[*JOURNEYS, []], help="default: all but frozen"
    )
    names = parser.parse_args().journey or [name for name in JOURNEYS if name not in LONG]
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
    """End in order, once: on Ctrl-C, when asked to, and when it takes too long."""
    ways = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)

    def end(signum: int, _frame: object) -> None:
        for way in ways:
            signal.signal(way, signal.SIG_IGN)
        if signum == signal.SIGALRM:
            raise OnionError(f"not done within {_LONGEST} s")
        raise KeyboardInterrupt

    for way in ways:
        signal.signal(way, end)
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
    if name not in QUICK:
        world.renew()
    world.network.throttle(FAST if name in QUICK else PACE.get(name, SLOW))
    figures = JOURNEYS[name](world)
    if figures:
        tell(figures.row())
        for blow in figures.struck:
            tell(f"    {blow}")
    return figures


if __name__ == "__main__":
    sys.exit(main())
