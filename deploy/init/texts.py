"""The files that `init` writes, from what the host has and shall be."""

from pathlib import Path
from typing import Final

from deploy.host import Host
from deploy.onion.store import Addresses
from deploy.places import (
    DATA,
    DESK_SOCKET,
    SOURCE_SOCKET,
    TOR_DATA,
    TOR_RUN,
    TORRC_D,
    TORRC_TEMPLATE,
)
from deploy.settings import HostSettings

OTHER_TORRC: Final = Path("/etc/tor/torrc")
OTHER_TOR_USER: Final = "debian-tor"

_SERVICE: Final = """\
# Nightferry's settings, made by `nightferry init` and yours from now on: init changes no line here
# but the lists of addresses and recipients. All keys, with their defaults:
# /usr/share/doc/nightferry/examples/nightferry.toml. After a change:
#   systemctl restart nightferry-source nightferry-desk

# The folder of sealed uploads, and the database beside it.
data = "{data}"
database = "sqlite:///{data}/nightferry.db"

# Everything is sealed to all of these certificates. Each of their owners alone can open it.
recipients = ["{recipient}"]

# The onion address of the source's site, and the socket at which tor finds it.
hosts = ["{source}"]
listen = "unix:{source_socket}"

# The same for the desk.
desk_hosts = ["{desk}"]
desk_listen = "unix:{desk_socket}"
"""

_HOST: Final = """\
# The settings of this host, made by `nightferry init` and yours from now on. After a change:
#   nightferry init

# The folder that backups go to, best on another disk. Empty: none are made.
backup_to = "{backup_to}"

# The address that the daily sealed report is sent to by this host's sendmail. Empty: it only lies
# in /var/lib/nightferry-report.
report_to = "{report_to}"

# The port on which the firewall lets SSH in. 0: nobody comes in but through tor.
ssh_port = {ssh_port}
"""

_SSH: Final = """\
# Made by `nightferry init` from ssh_port in /etc/nightferry/host.toml. Change it there.
add element inet nightferry ports_in {{ {port} }}
"""
_OTHER_TOR: Final = """\
# Debian's own tor has lines of yours in /etc/tor/torrc: it is let out, too.
add rule inet nightferry out_more meta skuid {user} meta l4proto tcp accept
"""
_NO_SSH: Final = """\
# Made by `nightferry init` from ssh_port in /etc/nightferry/host.toml: SSH is not let in.
"""


def service_settings(found: Addresses, recipient: str) -> str:
    """Give nightferry.toml."""
    return _SERVICE.format(
        data=DATA,
        recipient=recipient,
        source=found.source,
        source_socket=SOURCE_SOCKET,
        desk=found.desk,
        desk_socket=DESK_SOCKET,
    )


def host_settings(settings: HostSettings) -> str:
    """Give host.toml."""
    return _HOST.format(
        backup_to=settings.backup_to, report_to=settings.report_to, ssh_port=settings.ssh_port
    )


def torrc(host: Host) -> str:
    """Give tor's settings: the package's template with this host's places."""
    text = host.path(TORRC_TEMPLATE).read_text(encoding="utf-8")
    for name, place in (
        ("TOR_DATA", TOR_DATA),
        ("TOR_RUN", TOR_RUN),
        ("TORRC_D", TORRC_D),
        ("SOURCE_SOCKET", SOURCE_SOCKET),
        ("DESK_SOCKET", DESK_SOCKET),
    ):
        text = text.replace(f"@{name}@", str(place))
    return text


def firewall(host: Host, settings: HostSettings) -> str:
    """Give what the firewall lets in and out besides what the package says."""
    ssh = _SSH.format(port=settings.ssh_port) if settings.ssh_port else _NO_SSH
    return ssh + (_OTHER_TOR.format(user=OTHER_TOR_USER) if other_tor_works(host) else "")


def other_tor_works(host: Host) -> bool:
    """Tell whether the sysadmin gave Debian's own tor something to do: SSH by an onion, perhaps."""
    path = host.path(OTHER_TORRC)
    if not path.exists() or host.user_id(OTHER_TOR_USER) is None:
        return False
    lines = (line.strip() for line in path.read_text(errors="replace").splitlines())
    return any(line and not line.startswith("#") for line in lines)
