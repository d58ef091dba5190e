"""What a source has sent, if it wants to be told: only for itself, and gone when it says so."""

import pytest

from submit.intake.sent import SentFile
from tests.intake.conftest import Scene, Source

CLIP = SentFile("камера/клип.mp4", 5, 1_700_000_000_000)


@pytest.fixture
def source(scene: Scene) -> Source:
    """Give a source that has asked to be told."""
    source = scene.new_source()
    source.intake.sent.begin(source.session)
    return source


def known(source: Source, *files: SentFile) -> list[bool]:
    return source.intake.sent.known(source.session, files)


def test_what_was_sent_is_known_weeks_later(source: Source) -> None:
    """A folder can be gone on with in another session without sending a clip twice."""
    source.sends(CLIP.path, b"12345", CLIP.modified)
    later = source.comes_back()
    assert known(later, CLIP) == [True]
    assert later.intake.drop.show(later.session).remembers


@pytest.mark.parametrize(
    "other",
    [
        SentFile("камера/клип.mp4", 6, CLIP.modified),
        SentFile("камера/клип.mp4", 5, 1_700_000_000_001),
        SentFile("камера/клип.mp4", 5, None),
        SentFile("камера/клип2.mp4", 5, CLIP.modified),
        SentFile("клип.mp4", 5, CLIP.modified),
        SentFile("камера/клип.mp45", 51, CLIP.modified),
    ],
)
def test_another_file_of_the_same_name_is_not_known(source: Source, other: SentFile) -> None:
    """A clip that would be skipped by mistake would be evidence lost."""
    source.sends(CLIP.path, b"12345", CLIP.modified)
    assert known(source, other, CLIP, other) == [False, True, False]


def test_what_has_not_arrived_whole_is_not_known(source: Source) -> None:
    """A value promises that the file is durable here: an upload that goes on has none."""
    upload = source.begins(CLIP.path, b"12345", CLIP.modified)
    assert known(source, CLIP) == [False]
    source.goes_on(upload, b"12345")
    assert known(source, CLIP) == [True]


def test_a_form_is_remembered_too(source: Source) -> None:
    """Without scripts the browser tells no time: name and length are what there is."""
    source.sends_by_form("клип.mp4", b"12345")
    assert known(source, SentFile("клип.mp4", 5, None)) == [True]


def test_nothing_is_remembered_unasked(scene: Scene) -> None:
    """The default is to know nothing, and nothing from before the asking is known after it."""
    source = scene.new_source()
    source.sends(CLIP.path, b"12345", CLIP.modified)
    assert not source.intake.drop.show(source.session).remembers
    source.intake.sent.begin(source.session)
    assert known(source, CLIP) == [False]


def test_forget_leaves_no_value_in_database_or_log(scene: Scene, source: Source) -> None:
    """One press of a button, and a seized codename proves nothing any more."""
    source.sends(CLIP.path, b"12345", CLIP.modified)
    (value,) = values(scene)
    assert value in scene.at_rest()
    source.intake.sent.forget(source.session)
    assert value not in scene.at_rest()
    assert known(source, CLIP) == [False]
    assert not source.intake.drop.show(source.session).remembers
    source.sends(CLIP.path, b"12345", CLIP.modified)
    assert values(scene) == []


def test_another_source_is_told_nothing(scene: Scene, source: Source) -> None:
    """Who holds the same clip and another codename cannot ask whether somebody sent it."""
    source.sends(CLIP.path, b"12345", CLIP.modified)
    stranger = scene.new_source()
    stranger.intake.sent.begin(stranger.session)
    assert known(stranger, CLIP) == [False]
    stranger.sends(CLIP.path, b"12345", CLIP.modified)
    assert len(set(values(scene))) == 2


def test_the_same_file_twice_is_one_value(scene: Scene, source: Source) -> None:
    """Values say how many different files there were, at most."""
    for _ in range(2):
        source.sends(CLIP.path, b"12345", CLIP.modified)
    assert len(values(scene)) == 1


def test_values_go_with_their_source(scene: Scene, source: Source) -> None:
    """When a source is removed, so are its values, sets and replies."""
    source.sends("c.001", b"12345")
    locator = source.session.source
    with scene.world.database.writer.begin() as connection:
        connection.exec_driver_sql("DELETE FROM sources WHERE locator = ?", (locator,))
    for table in ("sent", "part_sets", "parts", "sessions", "uploads", "replies"):
        assert count(scene, table) == 0


def values(scene: Scene) -> list[bytes]:
    with scene.world.database.reader.begin() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT mark FROM sent")]


def count(scene: Scene, table: str) -> int:
    with scene.world.database.reader.begin() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0)
