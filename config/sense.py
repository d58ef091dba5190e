"""What a value must be like to make sense, and the words when it does not.

Each judge returns in silence or raises `AbsurdValueError`.
"""

import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path

from config.errors import AbsurdValueError

HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
TCP_ADDRESS = re.compile(r"(?P<host>[0-9.]+|\[[0-9a-f:]+\]):(?P<port>[1-9][0-9]{0,4})")
UNIX_ADDRESS = re.compile(r"unix:(?P<path>/.+)")

# sun_path has 108 octets, the last of them a NUL: unix(7).
LONGEST_UNIX_PATH = 107


def within(key: str, value: int, least: int, most: int) -> None:
    """Refuse a number outside `least` to `most`, both included."""
    if not least <= value <= most:
        raise AbsurdValueError(f"{key}: is {value}; expected {least} to {most}")


def absolute(key: str, path: Path) -> None:
    """Refuse a path whose meaning depends on where the service was started."""
    if not path.is_absolute():
        raise AbsurdValueError(f"{key}: is {str(path)!r}; expected a path that begins with /")


def at_least_one(key: str, values: Sequence[object]) -> None:
    """Refuse an empty list."""
    if not values:
        raise AbsurdValueError(f"{key}: is empty; expected at least one")


def all_different(key: str, values: Sequence[object]) -> None:
    """Refuse a list that names something twice: the second was meant to be another."""
    for place, value in enumerate(values):
        if value in values[:place]:
            raise AbsurdValueError(f"{key}: names {str(value)!r} twice; expected once")


def apart(key: str, names: Sequence[str], others: Sequence[str]) -> None:
    """Refuse an onion address that the other site has, too: each site is reached by its own."""
    for name in names:
        if name in others and name.endswith(".onion"):
            raise AbsurdValueError(
                f"{key}: names {name!r}, which is the other site's; expected another onion address"
            )


def host_name(key: str, name: str) -> None:
    """Refuse anything but a lower-case host name or IPv4 address without port."""
    if not HOST_NAME.fullmatch(name):
        raise AbsurdValueError(
            f"{key}: names {name!r}; expected lower-case host names without scheme or port, "
            "such as abc.onion"
        )


def database_address(key: str, address: str) -> None:
    """Refuse databases that forget, depend on the working directory, or were never tried."""
    if not re.fullmatch(r"sqlite:////.+|postgresql(\+[a-z0-9]+)?://.+", address):
        raise AbsurdValueError(
            f"{key}: is no address of a database that lasts; "
            "expected sqlite:////absolute/path or postgresql://..."
        )


def listening(key: str, address: str) -> None:
    """Refuse addresses that others than this machine can reach."""
    if unix := UNIX_ADDRESS.fullmatch(address):
        socket_path(key, unix["path"])
    elif tcp := TCP_ADDRESS.fullmatch(address):
        loopback(key, tcp["host"].strip("[]"))
        within(key, int(tcp["port"]), 1, 65535)
    else:
        raise AbsurdValueError(
            f"{key}: is {address!r}; expected unix:/absolute/path or 127.0.0.1:PORT"
        )


def socket_path(key: str, path: str) -> None:
    """Refuse a path that no Unix socket can have."""
    if len(path.encode()) > LONGEST_UNIX_PATH:
        raise AbsurdValueError(
            f"{key}: has a path of {len(path.encode())} octets; "
            f"expected at most {LONGEST_UNIX_PATH}, which is all that a Unix socket can have"
        )


def loopback(key: str, host: str) -> None:
    """Refuse an address that is not loopback: the site would be reachable without Tor."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise AbsurdValueError(
            f"{key}: is {host}; expected a loopback address such as 127.0.0.1, "
            "because sources reach the site through Tor only"
        )
