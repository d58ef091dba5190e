"""A host on which the package is installed, and an NGO's key."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.init.asking import Words
from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.deploy.init.machine import Machine, Sites, make_machine


@pytest.fixture(scope="session")
def ngo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ngo]:
    folder = tmp_path_factory.mktemp("certificates")
    with new_home() as home:
        yield make_ngo(home, folder, "ed25519", "cv25519")


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    """Give a host on which nothing answers."""
    return make_machine(tmp_path / "h")


@pytest.fixture
def machine(bare: Machine) -> Iterator[Machine]:
    """Give a host on which the sites answer as soon as somebody asks."""
    sites = Sites(bare.root)
    yield bare
    sites.close()


@pytest.fixture
def given(ngo: Ngo) -> Words:
    """Give what a sysadmin says who wants no account yet."""
    return Words(key=ngo.certificate, fingerprint=ngo.fingerprint)
