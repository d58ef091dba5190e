"""A source in Firefox ESR, the base of Tor Browser, through the onion while relays are killed."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from selenium.webdriver.common.by import By

from tests.browser.firefox import Firefox, firefox
from tests.browser.person import BrokenConnectionError, awaits, watches
from tests.browser.steps import begin, count
from tests.onion.journeys import MIB, Figures, World, figures, tell
from tests.onion.meter import Meter
from tests.onion.trouble import Blow, Place, Saboteur, Troubles

_CLIPS = ("clip 1.mp4", "видео.mp4", "صور.jpg")
_DONE = "Done. All that you have chosen has arrived."
_ON_ITS_WAY = "still on their way, or the connection broke"
_TRIES = 5  # of opening a page, when the browser could not
_PATIENCE = 120.0  # seconds for a form that was sent to come to its end

T = TypeVar("T")
Way = Callable[[Firefox, World, Sequence[Path], Callable[[Callable[[], bool]], None]], None]


def browse_with_scripts(world: World) -> Figures:
    """All files are chosen once in the page's own tool, tus-js-client; nobody touches it again."""
    saboteur = Saboteur(world.network, world.network.source)
    blows = [saboteur.kill(3 * MIB, Place.RENDEZVOUS), saboteur.kill(8 * MIB, Place.CLIENT_GUARD)]
    return _browse(world, "Firefox, tus-js-client", (14 * MIB, MIB, 1000), blows, _by_script)


def browse_without_scripts(world: World) -> Figures:
    """The plain form, as at Safest; what an error page has cost is sent again, as the pages say."""
    saboteur = Saboteur(world.network, world.network.source)
    blows = [saboteur.kill(5 * MIB, Place.CLIENT_MIDDLE)]
    return _browse(world, "Firefox, plain form", (2 * MIB, 3 * MIB, 3 * MIB), blows, _by_form)


def _browse(
    world: World, name: str, lengths: Sequence[int], blows: list[Blow], way: Way
) -> Figures:
    folder, client = world.new_folder(name), world.network.source
    clips = [world.file(folder, *clip) for clip in zip(_CLIPS, lengths, strict=True)]
    troubles, scripts = Troubles(blows), way is _by_script
    with (
        Meter(client, "written") as meter,
        firefox(folder, scripts=scripts, socks_port=meter.port) as person,
    ):
        _patiently(lambda: begin(person, world.sites.base))
        before = world.sites.arrived()
        meter.begin()

        def until(done: Callable[[], bool]) -> None:
            troubles.accompany(done, lambda: world.sites.arrived() - before)

        way(person, world, clips, until)
    troubles.require_all()
    return figures(name, sum(lengths), meter, troubles)


def _by_script(
    person: Firefox,
    world: World,
    clips: Sequence[Path],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    awaits(person, "Send files and folders")
    field = person.driver.find_element(By.ID, "send-files")
    field.send_keys("\n".join(map(str, clips)))
    until(lambda: _DONE in person.reads())


def _by_form(
    person: Firefox,
    world: World,
    clips: Sequence[Path],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    while (arrived := _patiently(lambda: _look(person, world.sites.base))) < len(clips):
        person.chooses(clips[arrived:])
        person.presses("Send files")
        until(lambda: "In all we now have" in person.reads() or person.is_refused() is not None)
        if refused := person.is_refused():
            tell(f"    the browser says: {refused[:80]}")


def _look(person: Firefox, base: str) -> int:
    """Open the source's page until nothing is on its way; give how many files have arrived."""

    def settled(shown: str) -> bool:
        if "What has arrived" in shown and _ON_ITS_WAY in shown:
            person.goes(f"{base}/drop")
            return False
        return "What has arrived" in shown

    person.goes(f"{base}/drop")
    shown = watches(person, settled, "the end of the last form", _PATIENCE)
    return 0 if "Nothing yet." in shown else count(shown, "file")


def _patiently(step: Callable[[], T]) -> T:
    for _ in range(_TRIES - 1):
        with suppress(BrokenConnectionError):
            return step()
    return step()
