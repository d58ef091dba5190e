"""What lies where, and who owns it, on a host on which the package is installed."""

from dataclasses import dataclass
from pathlib import Path

# Users. The source's site and the desk are apart; the group lets both at the uploads and the database.
SOURCE_USER = "nightferry"
DESK_USER = "nightferry-desk"
TOR_USER = "nightferry-tor"
GROUP = "nightferry"

# What the package brings, read only.
LIBRARY = Path("/usr/lib/nightferry")  # venv/ (for each Python that Debian has), app/ (the rooms)
SHARE = Path("/usr/share/nightferry")  # unseal, fetch, the firewall's rules, the list of parts
UNITS = Path("/usr/lib/systemd/system")
TORRC_TEMPLATE = SHARE / "torrc.in"

# What `init` makes and the sysadmin may edit.
SETTINGS_FOLDER = Path("/etc/nightferry")
SETTINGS = SETTINGS_FOLDER / "nightferry.toml"
RECIPIENTS = SETTINGS_FOLDER / "recipients"  # certificates, *.asc
TORRC = SETTINGS_FOLDER / "torrc"
TORRC_D = SETTINGS_FOLDER / "torrc.d"  # what the sysadmin adds to it
FIREWALL_D = SETTINGS_FOLDER / "nftables.d"  # what the host lets in besides, *.nft
HOST_SETTINGS = SETTINGS_FOLDER / "host.toml"  # of the host itself: deploy/settings.py

# What is kept.
DATA = Path("/var/lib/nightferry")  # uploads/, run/, gnupg/, codename.salt, nightferry.db
TOR_DATA = Path("/var/lib/nightferry-tor")
SOURCE_ONION = TOR_DATA / "source"  # hostname, hs_ed25519_*
DESK_ONION = TOR_DATA / "desk"  # the same, and:
DESK_CLIENTS = DESK_ONION / "authorized_clients"  # NAME.auth, one for each key that is let in
BACKUPS = Path("/var/backups/nightferry")
REPORTS = Path("/var/lib/nightferry-report")  # latest.asc, sealed

# What lives until the next start. Tor's user may go through this folder; the sockets let it in.
SOCKETS = Path("/run/nightferry")
TOR_RUN = Path("/run/nightferry-tor")  # tor's control socket
SOURCE_SOCKET = SOCKETS / "http.sock"
DESK_SOCKET = SOCKETS / "desk.sock"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that must be there, and what it must be like."""

    path: Path
    mode: int
    user: str
    group: str


FOLDERS = (
    Folder(SETTINGS_FOLDER, 0o755, "root", "root"),
    Folder(RECIPIENTS, 0o755, "root", "root"),
    Folder(TORRC_D, 0o755, "root", "root"),
    Folder(FIREWALL_D, 0o755, "root", "root"),
    Folder(DATA, 0o2770, SOURCE_USER, GROUP),
    Folder(DATA / "uploads", 0o2770, SOURCE_USER, GROUP),
    Folder(DATA / "run", 0o2770, SOURCE_USER, GROUP),
    Folder(DATA / "gnupg", 0o700, SOURCE_USER, GROUP),
    Folder(TOR_DATA, 0o700, TOR_USER, TOR_USER),
    Folder(SOURCE_ONION, 0o700, TOR_USER, TOR_USER),
    Folder(DESK_ONION, 0o700, TOR_USER, TOR_USER),
    Folder(DESK_CLIENTS, 0o700, TOR_USER, TOR_USER),
)
