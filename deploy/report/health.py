"""One word about this host, for a monitor: quickly, and with nothing in it."""

import shutil
from enum import IntEnum

from config.errors import SettingsError
from deploy.doctor import systemd
from deploy.doctor.checks.sites import fault_of
from deploy.doctor.patient import Patient
from deploy.places import DESK_SOCKET, SOURCE_SOCKET

_PATIENCE = 0.3  # seconds for each site


class Health(IntEnum):
    """The word, and with it the exit status."""

    FINE = 0
    FULL = 1  # uploads wait for room; all else works
    DOWN = 2  # a site or tor does not answer
    UNKNOWN = 3  # whoever asks may not see enough


def health(patient: Patient) -> Health:
    """Ask both sites, tor's unit and the disk."""
    try:
        settings = patient.settings
        places = [(SOURCE_SOCKET, settings.hosts[0])]
        if settings.desk_hosts:
            places.append((DESK_SOCKET, settings.desk_hosts[0]))
        if any(fault_of(patient.host.path(place), host, _PATIENCE) for place, host in places):
            return Health.DOWN
        if patient.host.run("systemctl", "is-active", "--quiet", systemd.TOR).code != 0:
            return Health.DOWN
        free = shutil.disk_usage(patient.host.path(settings.data)).free
    except (SettingsError, OSError):
        return Health.UNKNOWN
    return Health.FULL if free < settings.disk_reserve else Health.FINE
