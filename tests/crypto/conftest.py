"""The keys that this room's tests seal to: `ngo` when any will do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.crypto.keys.making import Ngo, make_ngo, new_home

KINDS = {
    "cv25519": ("ed25519", "cv25519"),
    "rsa3072": ("rsa3072", "rsa3072"),
    "nistp256": ("nistp256", "nistp256"),
}

settings.register_profile("crypto", deadline=None)  # other work on the machine is no failure
settings.load_profile("crypto")


@pytest.fixture(scope="session")
def ngos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ngo]]:
    """One NGO for each kind of key, all in one home."""
    folder = tmp_path_factory.mktemp("certificates")
    with new_home() as home:
        yield {name: make_ngo(home, folder, *kinds) for name, kinds in KINDS.items()}


@pytest.fixture(scope="session")
def ngo(ngos: dict[str, Ngo]) -> Ngo:
    """Give an NGO with a GNUPGHOME that can open, a certificate file, and a fingerprint."""
    return ngos["cv25519"]


@pytest.fixture
def empty_home(tmp_path: Path) -> Path:
    """Give the empty directory in which the service lets GnuPG run."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    return home
