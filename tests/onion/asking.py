"""What the doctor learns of the service's tor, over the control socket that the shipped settings open."""

from deploy.doctor.checks.circuits import judge_tor
from deploy.doctor.control import Controller
from deploy.doctor.finding import Finding
from deploy.host import Host
from tests.onion.journeys import World, tell
from tests.onion.tors import OnionError, wait_until

_NOBODY = "a" * 55 + "d.onion"


def ask_the_doctor(world: World) -> None:
    """It is content with both sites, and finds one that is not announced."""
    names = {site: world.network.onion(site) for site in ("source", "desk")}
    # Tor makes its descriptors in the seconds after it has reached the network.
    wait_until(lambda: not _ask(world, names), "a doctor that is content")
    found = [each.what for each in _ask(world, {"nobody": _NOBODY})]
    if not any("'nobody' has made no descriptor" in what for what in found):
        raise OnionError("the doctor finds an onion service that nobody has announced")
    tell("doctor: tor has circuits and both sites are announced; one that is not is found")


def _ask(world: World, names: dict[str, str]) -> list[Finding]:
    with Controller(Host(), world.network.service.settings.read_text()) as tor:
        return judge_tor(tor, names)
