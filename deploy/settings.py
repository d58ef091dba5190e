"""What the sysadmin decides about the host itself: /etc/nightferry/host.toml.

Rule 1: every key has a default, so a host without the file is a host with the defaults.
Rule 2: unknown keys, other types and absurd values are refused, as in the service's settings.
"""

import re
from dataclasses import dataclass, fields
from pathlib import Path

from config import sense
from config.errors import AbsurdValueError
from config.settings import read_toml
from config.table import Table
from deploy.host import Host
from deploy.places import HOST_SETTINGS

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")


@dataclass(frozen=True, kw_only=True)
class HostSettings:
    """The settings of one host.

    invariant: an instance that exists makes sense. Raises `AbsurdValueError` on construction.
    """

    # The folder that backups go to, absolute: best on another disk. Empty: none are made.
    backup_to: str = ""

    # The address that the daily sealed report is sent to, by the host's sendmail. Empty: it only
    # lies in /var/lib/nightferry-report.
    report_to: str = ""

    # The port on which the firewall lets SSH in. 0: nobody comes in but through tor.
    ssh_port: int = 22

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        if self.backup_to:
            sense.absolute("backup_to", Path(self.backup_to))
        if self.report_to and not _ADDRESS.fullmatch(self.report_to):
            raise AbsurdValueError(
                f"report_to: is {self.report_to!r}; expected one address such as desk@example.org"
            )
        sense.within("ssh_port", self.ssh_port, 0, 65535)


def load_host_settings(host: Host) -> HostSettings:
    """Read the host's settings; all defaults if there is no such file.

    Raises a `SettingsError` as config.settings.load does.
    """
    path = host.path(HOST_SETTINGS)
    if not path.exists():
        return HostSettings()
    table = Table(read_toml(path))
    table.refuse_unknown([field.name for field in fields(HostSettings)])
    return HostSettings(
        backup_to=table.text("backup_to", HostSettings.backup_to),
        report_to=table.text("report_to", HostSettings.report_to),
        ssh_port=table.integer("ssh_port", HostSettings.ssh_port),
    )
