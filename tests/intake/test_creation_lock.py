"""A worker is killed while it makes an upload that can be asked for again: asked again, it is made."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from submit.intake.uploads import Status
from submit.store.errors import TakenError
from submit.store.owners import SharedOwners
from submit.store.records import State, UploadRow
from submit.tus.metadata import Facts
from submit.tus.refusals import CreationUnderwayError
from submit.tus.requests import Append, Creation
from tests.intake.conftest import Scene, Source
from tests.intake.world import ScriptedBody

CONTENT = bytes(range(256)) * 1000
ASKED = Creation(len(CONTENT), "", Facts(filename="a.mp4"), None, "one-creation-0123456789")


@pytest.fixture
def source(scene: Scene) -> Source:
    return scene.new_source()


def asks(source: Source) -> Status:
    """Ask for the upload, with the key of before."""
    return source.intake.uploads.create(source.session, ASKED, ScriptedBody(b""))


def rows(scene: Scene) -> list[UploadRow]:
    """Give the rows of files."""
    return [row for row in scene.intake.housekeeping.rows.every() if row.kind == "file"]


@contextmanager
def owned_by_another_process(path: Path, upload: str) -> Iterator[int]:
    """Let another process begin to make an upload; killed at the end."""
    ready, begun = os.pipe()
    child = os.fork()
    if child == 0:
        with SharedOwners(path).making(upload):
            os.write(begun, b"!")
            signal.pause()
    os.read(ready, 1)
    os.close(ready)
    os.close(begun)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.parametrize("left", [".part", ""])
def test_a_creation_that_a_killed_worker_left_is_made_anew(
    scene: Scene, source: Source, left: str
) -> None:
    """Its row is there, its file has no name yet or is not there at all; nobody was told of it."""
    made = asks(source)
    if left:
        scene.world.disk.rename(made.id + ".tar.gpg", made.id + left)
    else:
        scene.world.disk.remove(made.id + ".tar.gpg")
    again = asks(source)
    assert (again.id, again.offset, again.again) == (made.id, 0, False)
    assert asks(source).again
    source.intake.uploads.append(
        source.session, made.id, Append(0, len(CONTENT), None), ScriptedBody(CONTENT)
    )
    assert [row.state for row in rows(scene)] == [State.COMPLETE]
    assert [each.content for each in scene.received() if each.name == "a.mp4"] == [CONTENT]


def test_a_creation_that_is_under_way_elsewhere_is_left_alone(scene: Scene, source: Source) -> None:
    """Its worker lives: row and file are its own until it has made them, or has died."""
    made = asks(source)
    scene.world.disk.rename(made.id + ".tar.gpg", made.id + ".part")
    path = scene.world.settings.data / "run" / "owners"
    with owned_by_another_process(path, made.id):
        with pytest.raises(CreationUnderwayError):
            asks(source)
        assert [row.id for row in rows(scene)] == [made.id]
        assert made.id + ".part" in scene.world.disk.names_seen
    assert asks(source).id == made.id


def test_only_one_makes_an_upload(tmp_path: Path) -> None:
    """Between threads and between processes, until it is done or dead; others go on."""
    owners = SharedOwners(tmp_path / "owners")
    with owners.making("a"), owners.making("b"), pytest.raises(TakenError), owners.making("a"):
        pass
    with owned_by_another_process(tmp_path / "owners", "a") as child:
        with pytest.raises(TakenError), owners.making("a"):
            pass
        assert child
    with owners.making("a"):
        pass
