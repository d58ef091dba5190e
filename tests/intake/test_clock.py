"""A clock that jumps, and a host that was switched off: nothing ends for good because of it."""

import logging

import pytest

from submit.errors import Refusal
from submit.intake.calendar import WAIT
from tests.intake.conftest import Scene, Source
from tests.intake.world import DAY

CONTENT = bytes(300_000)
MONTH = 30


@pytest.fixture
def source(scene: Scene) -> Source:
    return scene.new_source()


def goes_on(scene: Scene, source: Source, upload: str) -> bool:
    """Tell whether the source, coming back, can go on with its upload."""
    again = Source(scene.intake, source.codename, "").comes_back()
    try:
        scene.intake.uploads.status(again.session, upload)
    except Refusal:
        return False
    return True


def boots(scene: Scene, days: float) -> None:
    """Start on a clock that is so many days off."""
    scene.world.now += days * DAY
    scene.world.start(clean=False)


def lives(scene: Scene, days: int) -> None:
    """Let days go by, with the work of each."""
    for _ in range(days):
        scene.world.now += DAY
        scene.intake.housekeeping.daily()


@pytest.mark.parametrize("wrong", [-9000, -60, -1, WAIT + 1, 32, 400, 9000])
def test_a_wrong_clock_at_a_start_ends_nothing(
    scene: Scene, source: Source, wrong: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Put right a minute later, by the network, or only after days: the upload is there."""
    upload = source.begins("a.mp4", CONTENT)
    with caplog.at_level(logging.WARNING):
        boots(scene, wrong)
    assert "clock has jumped" in caplog.text
    scene.intake.housekeeping.daily()
    lives(scene, 2)
    scene.world.now -= wrong * DAY
    scene.intake.housekeeping.daily()
    assert goes_on(scene, source, upload)
    lives(scene, WAIT + 1)
    assert goes_on(scene, source, upload)


def test_a_host_that_was_off_for_a_month_gives_its_sources_a_week(
    scene: Scene, source: Source
) -> None:
    """They could not come while it was off. Then what nobody moved expires after all."""
    upload = source.begins("a.mp4", CONTENT)
    boots(scene, MONTH + 5)
    lives(scene, WAIT - 1)
    assert goes_on(scene, source, upload)
    lives(scene, 1)
    assert not goes_on(scene, source, upload)


def test_days_without_a_jump_are_believed(
    scene: Scene, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    """A host that is switched off over a holiday delays nothing."""
    upload = source.begins("a.mp4", CONTENT)
    with caplog.at_level(logging.WARNING):
        for _ in range(MONTH // 6 + 1):
            boots(scene, 6)
    assert not goes_on(scene, source, upload)
    assert caplog.text == ""


def test_an_upload_never_gets_older_by_moving(scene: Scene, source: Source) -> None:
    """A clock that is behind while octets arrive does not bring their end nearer."""
    upload = source.begins("a.mp4", CONTENT)
    boots(scene, -60)
    source = Source(scene.intake, source.codename, "").comes_back()
    source.goes_on(upload, CONTENT[:-1])
    row = scene.world.row(source.session, upload)
    assert row is not None
    assert row.day == int(scene.world.now) // DAY + 60


def test_nothing_else_ends_while_the_clock_is_in_doubt(scene: Scene, source: Source) -> None:
    """Not what waits for parts, and not what is still answered of a complete upload."""
    source.sends("c.mp4.001", CONTENT)
    boots(scene, 400)
    again = Source(scene.intake, source.codename, "").comes_back()
    assert len(scene.intake.drop.show(again.session).parts) == 1
