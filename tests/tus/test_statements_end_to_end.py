"""Every sentence of tus 1.0.0 that binds a server, asked of a running one."""

from pathlib import Path

import pytest

from tests.live import Live
from tests.tus.core_statements import CoreStatements
from tests.tus.extension_statements import (
    ChecksumStatements,
    CreationStatements,
    CreationWithUploadStatements,
    ExpirationStatements,
    TerminationStatements,
)
from tests.tus.houses import NOT_FOR_MUTANTS, LiveHouse
from tests.tus.transcripts import Scene, read_exchanges

pytestmark = NOT_FOR_MUTANTS

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


@pytest.fixture(scope="module")
def house(server: Live) -> LiveHouse:
    """The running server, asked as one source."""
    return LiveHouse(server.base, server.new_source())


class TestCore(CoreStatements):
    pass


class TestCreation(CreationStatements):
    pass


class TestCreationWithUpload(CreationWithUploadStatements):
    pass


class TestExpiration(ExpirationStatements):
    pass


class TestChecksum(ChecksumStatements):
    pass


class TestTermination(TerminationStatements):
    pass


def test_conversations_of_the_page_are_what_the_server_answers(server: Live) -> None:
    """Every conversation of docs/protocol.md, in its order, by a source that is new."""
    house = LiveHouse(server.base, None)
    scene = Scene()
    for exchange in read_exchanges(PAGE.read_text("utf-8")):
        scene.play(house, exchange)
