"""Take both onion addresses from one host to another.

Rule 1: a bundle is read and proved whole before the first change.
Rule 2: an address that would be lost by it is kept beside the new one until the sysadmin removes it.
"""

import os
from pathlib import Path
from typing import Final

from crypto.codename import choose_words
from deploy.amend import amend_list
from deploy.errors import DeployError
from deploy.host import Host, sync_folder
from deploy.onion.bundle import LARGEST, Bundle, collect, open_bundle, seal_bundle
from deploy.onion.store import SITES, Addresses, addresses, has_keys, load_keys, save_keys
from deploy.onion.units import reload_tor, restart_sites, stop_tor
from deploy.places import DESK_CLIENTS, SETTINGS, TOR_DATA, TOR_USER

_WORDS: Final = 8  # 103 bits


def export(host: Host, to: Path) -> str:
    """Write both services into a new file, sealed; give the passphrase, which is nowhere else.

    Raises DeployError.
    """
    passphrase = choose_words(_WORDS)
    sealed = seal_bundle(host, collect(host), passphrase)
    try:
        descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(to.absolute().parent)
    except FileExistsError:
        raise DeployError(f"{to}: is there already, and stays as it is. Name a new file.") from None
    except OSError as error:
        raise DeployError(f"{to}: cannot be written: {error.strerror}. Nothing was kept.") from None
    return passphrase


def read_bundle(host: Host, path: Path, passphrase: str) -> Bundle:
    """Read and prove what `export` wrote. Raises DeployError; nothing is changed."""
    try:
        with path.open("rb") as file:
            sealed = file.read(LARGEST)
    except OSError as error:
        raise DeployError(f"{path}: cannot be read: {error.strerror}") from None
    return open_bundle(host, sealed, " ".join(passphrase.split()))


def put_in_place(host: Host, bundle: Bundle) -> Addresses:
    """Make the addresses of a bundle this host's. What stood here is kept in a folder beside it."""
    stop_tor(host)
    for site, folder in SITES.items():
        if has_keys(host, folder) and load_keys(host, folder) != bundle.keys[site]:
            _keep(host, folder)
        save_keys(host, folder, bundle.keys[site])
    for name, line in bundle.clients.items():
        host.write(DESK_CLIENTS / f"{name}.auth", line, TOR_USER, TOR_USER, 0o600)
    found = addresses(host)
    if host.path(SETTINGS).exists():
        amend_list(host, "hosts", [found.source])
        amend_list(host, "desk_hosts", [found.desk])
        restart_sites(host)
        reload_tor(host)
    return found


def _keep(host: Host, folder: Path) -> None:
    keys = load_keys(host, folder)
    kept = TOR_DATA / f"{folder.name}-{keys.address[:16]}"
    host.path(kept).mkdir(mode=0o700, exist_ok=True)
    host.give(kept, TOR_USER, TOR_USER, 0o700)
    save_keys(host, kept, keys)
