"""Tor itself: whether it is on the network, with both onion services announced."""

from collections.abc import Iterator, Mapping

from deploy.doctor import systemd
from deploy.doctor.control import ControlError, Controller
from deploy.doctor.finding import Finding, warning, wrong
from deploy.doctor.patient import Patient, UnseenError
from deploy.places import DESK_ONION, SOURCE_ONION, TORRC

_MEND = (
    "look at the clock, at the network, and at journalctl --namespace=nightferry "
    "--unit=nightferry-tor; then systemctl restart nightferry-tor"
)


def judge(patient: Patient) -> Iterator[Finding]:
    """Find a tor that has no circuits, or an onion service that is not announced."""
    text = patient.read(TORRC)
    if not text or patient.units.get(systemd.TOR, {}).get("ActiveState") != "active":
        return  # other checks say so
    names = {
        folder.name: patient.read(folder / "hostname").strip()
        for folder in (SOURCE_ONION, DESK_ONION)
    }
    try:
        with Controller(patient.host, text) as tor:
            yield from judge_tor(tor, {site: name for site, name in names.items() if name})
    except ControlError as error:
        raise UnseenError(str(error)) from None


def judge_tor(tor: Controller, names: Mapping[str, str]) -> list[Finding]:
    """Ask a running tor; `names` are the onion addresses by site."""
    return [*_judge_network(tor)] or [*_judge_descriptors(tor, names)]


def _judge_network(tor: Controller) -> Iterator[Finding]:
    phase = tor.info("status/bootstrap-phase")
    if "PROGRESS=100" not in phase:
        done = phase.partition("PROGRESS=")[2].partition(" ")[0]
        yield wrong(f"tor has not reached its network: {done or 0} % done", _MEND)
    elif tor.info("status/circuit-established") != "1":
        yield wrong("tor has no circuits: nobody can reach either site", _MEND)


def _judge_descriptors(tor: Controller, names: Mapping[str, str]) -> Iterator[Finding]:
    for site, name in names.items():
        if not tor.info(f"hs/service/desc/id/{name.removesuffix('.onion')}"):
            yield warning(
                f"the onion service '{site}' has made no descriptor: clients cannot find it", _MEND
            )
