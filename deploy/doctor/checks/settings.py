"""The settings: read as the service reads them, and in agreement with the units."""

from collections.abc import Iterator
from pathlib import Path

from config.errors import SettingsError
from config.settings import Settings
from deploy.doctor.finding import Finding, wrong
from deploy.doctor.patient import Patient
from deploy.places import DATA, DESK_SOCKET, HOST_SETTINGS, SETTINGS, SOURCE_SOCKET

_EDIT = "edit the file; /usr/lib/nightferry/app/config/example.toml explains every key"


def judge(patient: Patient) -> Iterator[Finding]:
    """Find settings that cannot be read, or that the units were not made for."""
    try:
        settings = patient.settings
    except SettingsError as error:
        yield wrong(f"{error}. The services do not start with this", _mend(patient))
    else:
        yield from _against_units(settings)
    try:
        _ = patient.host_settings
    except SettingsError as error:
        yield wrong(f"{error}. Backups and reports stop", f"edit {HOST_SETTINGS}, or remove it")


def _mend(patient: Patient) -> str:
    there = patient.host.path(SETTINGS).exists()
    return _EDIT if there else "nightferry init makes what is missing"


def _against_units(settings: Settings) -> Iterator[Finding]:
    expected: tuple[tuple[str, object, object], ...] = (
        ("data", settings.data, DATA),
        ("database", settings.database, f"sqlite:///{DATA / 'nightferry.db'}"),
        ("listen", settings.listen, _unix(SOURCE_SOCKET)),
        ("desk_listen", settings.desk_listen, _unix(DESK_SOCKET)),
    )
    for key, value, shipped in expected:
        # A database elsewhere has an address that may hold a password: it is not repeated here.
        shown = "something else" if key == "database" else value
        if value != shipped:
            yield wrong(
                f"{key} is {shown}; the units are made for {shipped}, and shut the rest away",
                f'set {key} = "{shipped}" in {SETTINGS}, then restart the services',
            )


def _unix(socket: Path) -> str:
    return f"unix:{socket}"
