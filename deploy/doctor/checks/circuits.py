"""Tor itself: whether it is on the network, with both onion services announced."""

from collections.abc import Iterator

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
    try:
        with Controller(patient.host, text) as tor:
            found = [*_judge_network(tor)]
            yield from found or _judge_descriptors(patient, tor)
    except ControlError as error:
        raise UnseenError(str(error)) from None


def _judge_network(tor: Controller) -> Iterator[Finding]:
    phase = tor.info("status/bootstrap-phase")
    if "PROGRESS=100" not in phase:
        done = phase.partition("PROGRESS=")[2].partition(" ")[0]
        yield wrong(f"tor has not reached its network: {done or 0} % done", _MEND)
    elif tor.info("status/circuit-established") != "1":
        yield wrong("tor has no circuits: nobody can reach either site", _MEND)


def _judge_descriptors(patient: Patient, tor: Controller) -> Iterator[Finding]:
    for folder in (SOURCE_ONION, DESK_ONION):
        name = patient.read(folder / "hostname").strip().removesuffix(".onion")
        if name and not tor.info(f"hs/service/desc/id/{name}"):
            yield warning(
                f"the onion service '{folder.name}' has made no descriptor: clients cannot find it",
                _MEND,
            )
