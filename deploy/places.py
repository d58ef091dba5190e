"""What lies where, and who owns it, on a host on which the package is installed."""

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

# What `init` makes and the sysadmin may edit.
SETTINGS_FOLDER = Path("/etc/nightferry")
SETTINGS = SETTINGS_FOLDER / "nightferry.toml"
RECIPIENTS = SETTINGS_FOLDER / "recipients"  # certificates, *.asc
TORRC = SETTINGS_FOLDER / "torrc"

# What is kept.
DATA = Path("/var/lib/nightferry")  # uploads/, run/, gnupg/, codename.salt, nightferry.db
TOR_DATA = Path("/var/lib/nightferry-tor")  # source/, desk/: the two onion services
BACKUPS = Path("/var/backups/nightferry")
REPORTS = Path("/var/lib/nightferry-report")  # latest.asc, sealed

# What lives until the next start. Tor's user may go through this folder; the sockets let it in.
SOCKETS = Path("/run/nightferry")
SOURCE_SOCKET = SOCKETS / "http.sock"
DESK_SOCKET = SOCKETS / "desk.sock"
