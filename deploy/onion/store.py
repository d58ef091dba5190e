"""The two onion services' folders, as they lie on a host."""

from dataclasses import dataclass
from pathlib import Path

from deploy.errors import DeployError
from deploy.host import Host
from deploy.onion.keys import (
    HOSTNAME_FILE,
    PUBLIC_FILE,
    SECRET_FILE,
    OnionKeyError,
    OnionKeys,
    read_keys,
)
from deploy.places import DESK_ONION, SOURCE_ONION, TOR_USER

SITES = {"source": SOURCE_ONION, "desk": DESK_ONION}

_WITHOUT = "{folder}: there is no onion service's key in it yet. Run: nightferry init"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the two sites are reached, each with `.onion`."""

    source: str
    desk: str


def has_keys(host: Host, folder: Path) -> bool:
    """Tell whether there is a secret key. One that is there is never replaced unasked."""
    return host.path(folder / SECRET_FILE).exists()


def load_keys(host: Host, folder: Path) -> OnionKeys:
    """Read a site's keys. Raises DeployError if there are none, or they are damaged."""
    try:
        secret = host.path(folder / SECRET_FILE).read_bytes()
        public = host.path(folder / PUBLIC_FILE).read_bytes()
    except FileNotFoundError:
        raise DeployError(_WITHOUT.format(folder=folder)) from None
    except OSError as error:
        raise DeployError(f"{folder}: cannot be read: {error.strerror}; are you root?") from None
    try:
        return read_keys(secret, public)
    except OnionKeyError as error:
        raise OnionKeyError(f"{folder}: {error}. Bring it back from a backup.") from None


def save_keys(host: Host, folder: Path, keys: OnionKeys) -> None:
    """Put a site's keys where tor finds them. The secret comes last: without it there is no key."""
    files = keys.files()
    for name in (HOSTNAME_FILE, PUBLIC_FILE, SECRET_FILE):
        host.write(folder / name, files[name], TOR_USER, TOR_USER, 0o600)


def are_whole(host: Host, folder: Path) -> bool:
    """Tell whether a site's three files are there, belong together and belong to tor."""
    try:
        keys = load_keys(host, folder)
    except DeployError:
        return False
    owned = all(host.is_owned(folder / name, TOR_USER, TOR_USER, 0o600) for name in keys.files())
    return owned and host.path(folder / HOSTNAME_FILE).read_text().strip() == keys.address


def addresses(host: Host) -> Addresses:
    """Give both addresses, from the keys themselves. Raises DeployError."""
    return Addresses(load_keys(host, SOURCE_ONION).address, load_keys(host, DESK_ONION).address)
