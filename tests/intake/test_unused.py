"""Sources that a stranger can make without sending anything: not below the reserve, not for ever."""

import pytest

from submit.intake.desk.retention import UNUSED_DAYS
from submit.intake.refusals import WrongCodenameError
from submit.store.errors import DiskFullError
from submit.store.records import Sources
from tests.intake.conftest import Scene
from tests.intake.world import DAY

CONTENT = bytes(1000)


def number(scene: Scene) -> int:
    """Count the sources."""
    return len(Sources(scene.world.database).every())


def waits(scene: Scene, days: int) -> None:
    """Let days go by, and do the daily work."""
    scene.world.now += days * DAY
    scene.world.do_daily_work()


def test_below_the_reserve_no_source_is_made(scene: Scene) -> None:
    """Making sources is cheap for a stranger: it must not take the room of those who send."""
    scene.world.disk.room = scene.world.settings.disk_reserve
    with pytest.raises(DiskFullError):
        scene.intake.sources.create()
    assert number(scene) == 0
    scene.world.disk.room += 1 << 20
    scene.intake.sources.create()
    assert number(scene) == 1


def test_a_source_that_nobody_used_goes_after_three_months(scene: Scene) -> None:
    """However many there are; until then its codename, written down and typed nowhere, is good."""
    for _ in range(3):
        scene.new_source()
    kept = scene.new_source()
    waits(scene, UNUSED_DAYS)
    kept.comes_back()
    assert number(scene) == 4
    waits(scene, 1)
    assert number(scene) == 1
    kept.comes_back()


def test_more_go_than_one_transaction_takes(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty thousand keep nobody waiting, and all of them go."""
    monkeypatch.setattr("submit.intake.desk.retention._AT_ONCE", 2)
    for _ in range(5):
        scene.new_source()
    waits(scene, UNUSED_DAYS + 1)
    assert number(scene) == 0


@pytest.mark.parametrize("use", ["confirms", "comes back", "began", "sent", "sent and deleted"])
def test_a_source_that_did_anything_is_kept(scene: Scene, use: str) -> None:
    """Its codename goes on opening its place: only staff delete it, or their rule."""
    source = scene.new_source()
    if use == "confirms":
        scene.intake.sources.confirm(source.session, source.codename)
    elif use == "comes back":
        source.comes_back()
    elif use == "began":
        scene.intake.uploads.terminate(source.session, source.begins("a.mp4", CONTENT))
    else:
        source.sends("a.mp4", CONTENT)
    if use == "sent and deleted":
        erasing = scene.intake.housekeeping.retiring.erasing
        for row in scene.intake.housekeeping.rows.every():
            assert erasing.erase_upload(row.id, unfinished=True, unfetched=True)
    waits(scene, 1000)
    assert source.comes_back().session.source
    assert number(scene) == 1


def test_a_source_that_goes_is_told_what_one_is_told_that_never_was(scene: Scene) -> None:
    """Nothing tells that it existed."""
    source = scene.new_source()
    waits(scene, UNUSED_DAYS + 1)
    with pytest.raises(WrongCodenameError):
        source.comes_back()
