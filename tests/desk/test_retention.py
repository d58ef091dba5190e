"""How long sources are kept, and what never goes without somebody's word."""

import pytest

from submit.intake.desk.retention import Retention
from submit.intake.refusals import WrongCodenameError
from submit.store.records import Kind, SourceRow, State, UploadRow
from tests.desk.conftest import House, Member
from tests.intake.conftest import Source

DAY = 86400  # seconds
DAYS = 30
LATEST = DAYS + DAYS // 10 + 1

kept_thirty_days = pytest.mark.parametrize("retention_days", [DAYS])


@pytest.fixture
def source(house: House) -> Source:
    """Somebody who has sent a file and a message."""
    made = house.new_source()
    made.sends("clip.mp4", bytes(100_000))
    made.writes("hello")
    return made


def fetch_all(house: House) -> None:
    """Let staff have everything that is complete or given up."""
    rows = house.scene.intake.housekeeping.rows
    for row in rows.every():
        rows.mark(row.id, fetched=True)


def comes_back(source: Source) -> bool:
    """Tell whether the source finds its place again."""
    try:
        source.comes_back()
    except WrongCodenameError:
        return False
    return True


@kept_thirty_days
def test_what_was_fetched_goes_with_its_source(house: House, source: Source) -> None:
    """Not before its time, and at the latest a tenth after it."""
    fetch_all(house)
    house.waits(DAYS * DAY)
    house.tidies()
    assert len(house.sealed()) == 3
    house.waits((LATEST - DAYS) * DAY)
    house.tidies()
    assert house.sealed() == set()
    assert not comes_back(source)


@kept_thirty_days
def test_what_was_not_fetched_never_goes(house: House, source: Source, staff: Member) -> None:
    """It is kept, its source with it, and shown as waiting; what was fetched of it goes."""
    rows = house.scene.intake.housekeeping.rows
    [message] = [row for row in rows.every() if row.kind is Kind.MESSAGE]
    rows.mark(message.id, fetched=True)
    house.waits(LATEST * DAY)
    house.tidies()
    assert {row.kind for row in rows.every()} == {Kind.FILE, Kind.CERTIFICATE}
    assert "Waiting" in staff.enters().page("/")
    house.waits(1000 * DAY)
    house.tidies()
    assert {row.kind for row in rows.every()} == {Kind.FILE, Kind.CERTIFICATE}
    fetch_all(house)
    house.tidies()
    assert house.sealed() == set()


@kept_thirty_days
@pytest.mark.parametrize("renewal", ["content", "visit"])
def test_the_clock_begins_anew(house: House, source: Source, renewal: str) -> None:
    """GL#3591: expiry destroyed what had just been added."""
    fetch_all(house)
    house.waits(DAYS * DAY)
    again = source.comes_back()
    if renewal == "content":
        again.writes("more")
        fetch_all(house)
    house.waits(DAYS * DAY)
    house.tidies()
    assert house.sealed()
    assert comes_back(source)


@kept_thirty_days
def test_an_unfinished_upload_keeps_its_source(house: House) -> None:
    """Given up after a month, it waits for the staff like anything else."""
    source = house.new_source()
    source.begins("clip.mp4", bytes(100_000))
    for _ in range(3):
        house.waits(LATEST * DAY)
        house.tidies()
    rows = house.scene.intake.housekeeping.rows
    assert [row.state for row in rows.every() if row.kind is Kind.FILE] == [State.EXPIRED]
    fetch_all(house)
    house.waits(LATEST * DAY)
    house.tidies()
    assert house.sealed() == set()


@kept_thirty_days
def test_a_source_that_never_sent_anything_goes(house: House) -> None:
    """Nothing of it can be lost."""
    source = house.new_source()
    house.waits(LATEST * DAY)
    house.tidies()
    assert not comes_back(source)


def test_without_a_number_of_days_nothing_ever_goes(house: House, source: Source) -> None:
    """The default: staff delete, nobody else."""
    fetch_all(house)
    house.waits(5000 * DAY)
    house.tidies()
    assert len(house.sealed()) == 3


def test_the_day_differs_from_source_to_source() -> None:
    """Within a tenth; and asking every day makes it no shorter."""
    rule, begun = Retention(100), 20_000
    lasted = []
    for number in range(200):
        row = SourceRow(bytes(16), "quiet harbour", begun, public_id=f"{number:026}")
        sent = [UploadRow("a", row.locator, Kind.FILE, State.COMPLETE, begun, fetched=True)]
        over = [day for day in range(130) if rule.is_over(row, sent, begun + day)]
        assert over == list(range(over[0], 130))
        lasted.append(over[0] - 1)
    assert set(lasted) == set(range(100, 111))
