"""Both onion services in one file, to be carried to another host.

Form: an OpenPGP message under a passphrase of eight words, around a tar of
`source/` and `desk/` with tor's three files each, and `desk/authorized_clients/NAME.auth`.
`gpg -d FILE | tar x` opens it, too.

Rule 1: the passphrase is shown once; in the file's place there is nothing that opens it.
Rule 2: what is read back is proved before anything is put in place: names, sizes, key pairs.
"""

import io
import re
import tarfile
from dataclasses import dataclass, field
from typing import Final

from crypto.session_key import ISOLATION
from deploy.errors import DeployError
from deploy.host import Host, private_folder
from deploy.onion.keys import PUBLIC_FILE, SECRET_FILE, OnionKeys, read_keys
from deploy.onion.store import SITES, load_keys
from deploy.places import DESK_CLIENTS

LARGEST: Final = 1 << 20  # octets; some kilobytes are usual
_CLIENT: Final = re.compile(r"desk/authorized_clients/([a-z0-9][a-z0-9.-]{0,31})\.auth")
_CLIENT_LINE: Final = re.compile(rb"descriptor:x25519:[A-Z2-7]{52}\n?")
_SYMMETRIC: Final = (
    *ISOLATION,
    "--no-random-seed-file",
    *("--trust-model", "always", "--batch", "--quiet", "--yes"),
    *("--pinentry-mode", "loopback", "--passphrase-fd", "0"),
)
# The count is given because gpg would else ask an agent how fast this machine is.
_SEAL: Final = (
    *("--symmetric", "--cipher-algo", "AES256", "--compress-algo", "none"),
    *("--s2k-digest-algo", "SHA512", "--s2k-count", "65011712"),
)


class BundleError(DeployError):
    """This file does not hold two onion services, or the passphrase is another."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What moves: a key pair for each site, and who is let in at the desk."""

    keys: dict[str, OnionKeys]
    clients: dict[str, bytes] = field(default_factory=dict)


def collect(host: Host) -> Bundle:
    """Take both services from a host. Raises DeployError."""
    clients = {path.stem: path.read_bytes() for path in host.path(DESK_CLIENTS).glob("*.auth")}
    return Bundle({site: load_keys(host, folder) for site, folder in SITES.items()}, clients)


def seal_bundle(host: Host, bundle: Bundle, passphrase: str) -> bytes:
    """Seal a bundle under a passphrase. Raises BundleError if gpg will not."""
    given = passphrase.encode() + b"\n" + _pack(bundle)
    with private_folder(host) as home:
        ran = host.run_raw("gpg", "--homedir", host.as_seen(home), *_SYMMETRIC, *_SEAL, given=given)
    if ran.code != 0 or not ran.said:
        raise BundleError("gpg would not seal the keys. Nothing was written.")
    return ran.said


def open_bundle(host: Host, sealed: bytes, passphrase: str) -> Bundle:
    """Open a bundle and prove what is in it. Raises BundleError, OnionKeyError."""
    given = passphrase.encode() + b"\n" + sealed
    with private_folder(host) as home:
        ran = host.run_raw(
            "gpg", "--homedir", host.as_seen(home), *_SYMMETRIC, "--decrypt", given=given
        )
    if ran.code != 0:
        raise BundleError(
            "this file does not open with this passphrase: one of the two is another, "
            "or the file is damaged. Nothing was changed."
        )
    return _unpack(ran.said)


def _pack(bundle: Bundle) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for site, keys in bundle.keys.items():
            for name, content in keys.files().items():
                _add(tar, f"{site}/{name}", content)
        for name, line in sorted(bundle.clients.items()):
            _add(tar, f"desk/authorized_clients/{name}.auth", line)
    return packed.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    tar.addfile(entry, io.BytesIO(content))


def _unpack(packed: bytes) -> Bundle:
    """Nothing is unpacked to the disk: what has another name than expected is never looked at."""
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as tar:
            found = {entry.name: _content(tar, entry) for entry in tar if entry.isreg()}
        keys = {site: _pair(found, site) for site in SITES}
    except (tarfile.TarError, KeyError):
        raise BundleError(
            "this file holds no two onion services. Nothing was changed. "
            "Make it on the old host with: nightferry onion export FILE"
        ) from None
    return Bundle(keys, dict(_clients(found)))


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(entry)
    return b"" if file is None else file.read(LARGEST)


def _pair(found: dict[str, bytes], site: str) -> OnionKeys:
    return read_keys(found[f"{site}/{SECRET_FILE}"], found[f"{site}/{PUBLIC_FILE}"])


def _clients(found: dict[str, bytes]) -> list[tuple[str, bytes]]:
    matches = ((_CLIENT.fullmatch(name), content) for name, content in found.items())
    named = [(match[1], content) for match, content in matches if match]
    if any(not _CLIENT_LINE.fullmatch(content) for _, content in named):
        raise BundleError("a staff key in this file is not in tor's form. Nothing was changed.")
    return named
