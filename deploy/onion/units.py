"""What systemd does for the onion services' sake."""

from typing import Final

from deploy.errors import DeployError
from deploy.host import Host

TOR_UNIT: Final = "nightferry-tor.service"
SITE_UNITS: Final = ("nightferry-source.service", "nightferry-desk.service")


def reload_tor(host: Host) -> None:
    """Let tor read its settings and keys anew; start it if it does not run. Raises DeployError."""
    _do(host, "reload-or-restart", TOR_UNIT)


def restart_tor(host: Host) -> None:
    """Start tor anew: nobody gets in any more by what it announced before. Raises DeployError."""
    _do(host, "restart", TOR_UNIT)


def stop_tor(host: Host) -> None:
    """Stop tor: it writes into its folders while it runs. Raises DeployError."""
    _do(host, "stop", TOR_UNIT)


def restart_sites(host: Host) -> None:
    """Let both sites read their settings; uploads that run go on after it. Raises DeployError."""
    _do(host, "restart", *SITE_UNITS)


def is_active(host: Host, unit: str) -> bool:
    """Tell whether a unit runs, or a socket listens."""
    return host.run("systemctl", "is-active", "--quiet", unit).code == 0


def _do(host: Host, verb: str, *units: str) -> None:
    ran = host.run("systemctl", verb, *units)
    if ran.code != 0:
        raise DeployError(
            f"systemd could not {verb} {' '.join(units)}: {ran.complained.strip()}\n"
            f"  Look at: systemctl status {units[0]}\n"
            f"  and at:  journalctl --namespace=nightferry --unit={units[0]}"
        )
