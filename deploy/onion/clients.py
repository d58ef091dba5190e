"""Who may find the desk: tor's client authorization, one key for each of the staff's machines.

Rule 1: the secret half is printed once and kept nowhere; a lost one is replaced, never recovered.
Rule 2: the desk has at least one key from before tor first knows it: with none, tor lets everyone in.
Source: tor(1), "CLIENT AUTHORIZATION".
"""

import re
from base64 import b32encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.errors import DeployError
from deploy.host import Host
from deploy.places import DESK_CLIENTS, TOR_USER

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}")
_SUFFIX: Final = ".auth"


class ClientKeyError(DeployError):
    """A staff key cannot be made or taken away as asked."""


def client_names(host: Host) -> list[str]:
    """Name the keys that are let in."""
    return sorted(path.stem for path in host.path(DESK_CLIENTS).glob(f"*{_SUFFIX}"))


def require_name(name: str) -> None:
    """Refuse what is no name of a key: it becomes the name of a file."""
    if not _NAME.fullmatch(name):
        raise ClientKeyError(
            f"{name!r} is no name for a key: use small letters, digits, dots and hyphens, at most 32. "
            "Nothing was changed."
        )


def let_in(host: Host, name: str) -> str:
    """Make a key, let it in, and give its secret half, which is nowhere else.

    A key of the same name is replaced. Raises ClientKeyError.
    """
    require_name(name)
    line, secret = make_client_key()
    host.write(DESK_CLIENTS / f"{name}{_SUFFIX}", line.encode(), TOR_USER, TOR_USER, 0o600)
    return secret


def make_client_key() -> tuple[str, str]:
    """Make a key; give the line of NAME.auth, and the secret half in base32."""
    key = X25519PrivateKey.generate()
    line = f"descriptor:x25519:{_base32(key.public_key().public_bytes_raw())}\n"
    return line, _base32(key.private_bytes_raw())


@contextmanager
def unless_tor_refuses(host: Host, name: str) -> Iterator[None]:
    """Put back what was there if tor cannot be told: the new secret half will not be shown."""
    path = DESK_CLIENTS / f"{name}{_SUFFIX}"
    before = host.path(path).read_bytes() if host.path(path).exists() else None
    try:
        yield
    except DeployError:
        if before is None:
            host.path(path).unlink(missing_ok=True)
        else:
            host.write(path, before, TOR_USER, TOR_USER, 0o600)
        raise


def shut_out(host: Host, name: str) -> None:
    """Take a key away. Raises ClientKeyError if there is none, or no other."""
    names = client_names(host)
    if name not in names:
        known = ", ".join(names) or "none"
        raise ClientKeyError(f"there is no key {name!r}; there are: {known}. Nothing was changed.")
    if names == [name]:
        raise ClientKeyError(
            f"{name!r} is the only key, and without any key tor lets everybody in at the desk. "
            "Nothing was changed. Make another key first: nightferry onion staff-key NAME"
        )
    (host.path(DESK_CLIENTS) / f"{name}{_SUFFIX}").unlink()


def secret_line(address: str, secret: str) -> str:
    """Give the line of a file NAME.auth_private in tor's ClientOnionAuthDir."""
    return f"{address.removesuffix('.onion')}:descriptor:x25519:{secret}"


def describe_key(name: str, address: str, secret: str) -> str:
    """Put into words what the key's holder needs."""
    return _SHOWN_ONCE.format(
        name=name, address=address, secret=secret, line=secret_line(address, secret)
    )


def _base32(octets: bytes) -> str:
    return b32encode(octets).decode().rstrip("=")


_SHOWN_ONCE: Final = """\
The key '{name}' to the desk. It is shown once and kept nowhere on this host.
Hand it over in person, then let no copy of it remain.

  In Tor Browser: open http://{address}
  and give this when it asks for the private key of the onion service:

      {secret}

  For a tor of one's own (with ClientOnionAuthDir): a file {name}.auth_private with this line:

      {line}
"""
