"""The two onion services: their names agree with the settings, and the desk asks for a key."""

from collections.abc import Iterator
from pathlib import Path

from deploy.doctor.finding import Finding, wrong
from deploy.doctor.patient import Patient
from deploy.places import DESK_CLIENTS, DESK_ONION, SETTINGS, SOURCE_ONION

_KEY = "hs_ed25519_secret_key"


def judge(patient: Patient) -> Iterator[Finding]:
    """Find sites that refuse their own name, and a desk that lets everybody in."""
    settings = patient.settings
    yield from _judge_one(patient, SOURCE_ONION, "hosts", settings.hosts)
    if settings.desk_hosts:
        yield from _judge_one(patient, DESK_ONION, "desk_hosts", settings.desk_hosts)
    clients = patient.host.path(DESK_CLIENTS)
    # Tor asks for a key if there is at least one: none, and anybody who has the address is let in.
    if not any(clients.glob("*.auth") if clients.is_dir() else ()):
        yield wrong(
            "the desk asks nobody for a client key: whoever learns its address sees its login",
            "nightferry onion staff-key NAME, then systemctl reload nightferry-tor",
        )


def _judge_one(
    patient: Patient, folder: Path, key: str, hosts: tuple[str, ...]
) -> Iterator[Finding]:
    name = patient.read(folder / "hostname").strip()
    if not name or not patient.host.path(folder / _KEY).exists():
        yield wrong(
            f"{folder} holds no onion address: tor makes a new one, which nobody knows",
            "bring the old one back (nightferry onion import FILE, or nightferry restore); on a "
            "new host nightferry init makes it",
        )
    elif name not in hosts:
        yield wrong(
            f"the site at {name} refuses everybody: {key} does not name that address",
            f'put "{name}" into {key} in {SETTINGS}, then restart the services',
        )
