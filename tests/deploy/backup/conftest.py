"""A sysadmin with a running service."""

from pathlib import Path

import pytest

from tests.deploy.backup.sysadmin import Sysadmin
from tests.live import Live


@pytest.fixture
def sysadmin(server: Live, tmp_path: Path) -> Sysadmin:
    return Sysadmin(server, tmp_path)
