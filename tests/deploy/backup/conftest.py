"""A sysadmin with a running service, the same for all tests here: each makes sources of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.backup.sysadmin import Sysadmin
from tests.live import Live, running


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("live"), workers=1) as live:
        yield live


@pytest.fixture
def sysadmin(server: Live, tmp_path: Path) -> Sysadmin:
    return Sysadmin(server, tmp_path)
