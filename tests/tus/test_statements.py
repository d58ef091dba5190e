"""Every sentence of tus 1.0.0 that binds a server, asked of the judge alone."""

import ast
from pathlib import Path

import pytest

from submit.tus.limits import Limits
from tests.tus.core_statements import CoreStatements
from tests.tus.extension_statements import (
    ChecksumStatements,
    CreationStatements,
    CreationWithUploadStatements,
    ExpirationStatements,
    TerminationStatements,
)
from tests.tus.houses import TUS, MemoryHouse, appends, looks, new_upload
from tests.tus.statements import STATEMENTS

HERE = Path(__file__).parent


@pytest.fixture
def house() -> MemoryHouse:
    """Return an empty house."""
    return MemoryHouse(Limits(max_upload_length=10**12))


class TestCore(CoreStatements):
    pass


class TestCreation(CreationStatements):
    pass


class TestCreationWithUpload(CreationWithUploadStatements):
    pass


class TestExpiration(ExpirationStatements):
    def test_refused_patch_can_tell_the_expiry(self, house: MemoryHouse) -> None:
        """Where the clerk knows that the upload lives, a refused PATCH says until when, too."""
        path = new_upload(house, 4)
        reply = appends(house, path, 3, b"a")
        assert (reply.status, "upload-expires" in reply.headers) == (409, True)

    def test_expired_upload_is_410(self, house: MemoryHouse) -> None:
        """What lay unfinished too long can be neither asked about nor continued, only removed."""
        path = new_upload(house, 4)
        house.expire(path)
        assert looks(house, path).status == 410
        assert "upload-offset" not in looks(house, path).headers
        assert appends(house, path, 0, b"ab").status == 410
        assert house.ask("DELETE", path, TUS).status == 204


class TestChecksum(ChecksumStatements):
    pass


class TestTermination(TerminationStatements):
    pass


def functions(*files: str) -> set[str]:
    """Name every function in files of this folder."""
    trees = [ast.parse((HERE / file).read_text("utf-8")) for file in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


def test_every_statement_has_a_test_of_its_name() -> None:
    """The table and the tests know the same sentences, and no sentence is there twice."""
    shared = functions("core_statements.py", "extension_statements.py")
    here = functions("test_statements.py")
    both = {f"test_{statement.id}" for statement in STATEMENTS if statement.end_to_end}
    alone = {f"test_{statement.id}" for statement in STATEMENTS if not statement.end_to_end}
    assert both == {name for name in shared if name.startswith("test_")}
    assert alone <= here
    assert len(both) + len(alone) == len(STATEMENTS)
