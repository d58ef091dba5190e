"""A server in a hurry, for each file of tests that needs one."""

from collections.abc import Iterator

import pytest

from tests.live import Live, running


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Give a server that drops silent senders after three seconds, and forms that are so far behind."""
    with running(tmp_path_factory.mktemp("impatient"), body_idle_seconds=3) as live:
        yield live
