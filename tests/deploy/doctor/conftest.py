"""A healthy host for each test, made once and copied."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.deploy.doctor.healthy import HealthyHost, make_files


@pytest.fixture(scope="session")
def recipient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ngo]:
    """Who reads what is sealed: the kind of key of which a message's length varies most."""
    with new_home() as home:
        yield make_ngo(home, tmp_path_factory.mktemp("ngo"), "rsa2048", "rsa2048")


@pytest.fixture(scope="session")
def template(recipient: Ngo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the files of a healthy host, to be copied."""
    root = tmp_path_factory.mktemp("healthy") / "root"
    make_files(root, recipient.certificate)
    return root


@pytest.fixture
def healthy(template: Path) -> Iterator[HealthyHost]:
    """Give a host on which everything is as it should be, in a short path: sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="nf-") as folder:
        root = Path(folder) / "r"
        shutil.copytree(template, root, symlinks=True)
        with HealthyHost(root) as host:
            yield host
