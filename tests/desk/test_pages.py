"""What staff see of a source: two words, days, counts, padded sizes. No content and no names."""

import re

import pytest

from submit.intake.identifiers import new_upload_id
from submit.store.records import Kind, State, UploadRow
from submit.tus.requests import Append
from submit.web.desk.figures import PER_PAGE
from tests.desk.conftest import House, Member
from tests.intake.conftest import Source
from tests.intake.world import ScriptedBody

DAY = 86400  # seconds
SECRETS = ("film-of-the-cell.mp4", "ward 7", "they beat him")


def begin(source: Source, length: int, sent: int) -> str:
    """Begin an upload and send a part of it; give its id."""
    upload = source.begins("clip.mp4", bytes(length))
    append = Append(0, sent, None)
    source.intake.uploads.append(source.session, upload, append, ScriptedBody(bytes(sent)))
    return upload


def test_the_list_says_what_there_is(house: House, staff: Member) -> None:
    """Counts of what arrived whole, and how much nobody has fetched."""
    source = house.new_source()
    assert "Nothing has arrived yet" in staff.page("/")
    source.sends("a.mp4", bytes(2_000_000))
    source.writes("hello")
    page = staff.page("/")
    assert f"{house.scene.designation(source)} 2 unread 1 file, 1 message, 2" in page
    house.waits(3 * DAY)
    staff.enters()
    assert "Last change 3 days ago, on October 4, 2024" in staff.page("/")


@pytest.mark.parametrize(
    ("sent", "words"),
    [(10_000, "less than 10 % arrived"), (620_000, "60 % arrived"), (999_999, "90 % arrived")],
)
def test_an_unfinished_upload_shows_its_share(
    house: House, staff: Member, sent: int, words: str
) -> None:
    """In whole tenths, and the day it last moved."""
    source = house.new_source()
    begin(source, 1_000_000, sent)
    address = staff.address_of(source)
    house.waits(3 * DAY)
    staff.enters()
    assert f"Unfinished: {words}, last moved 3 days ago" in staff.page("/")
    assert f"unfinished: {words}" in staff.page(address)


def test_a_complete_upload_has_no_share_at_rest(house: House, staff: Member) -> None:
    """The size then says all there is to say, and a share would narrow it down."""
    source = house.new_source()
    upload = source.begins("clip.mp4", bytes(100_000))
    append = Append(0, 60_000, None)
    house.scene.intake.uploads.append(source.session, upload, append, ScriptedBody(bytes(60_000)))
    row = house.world.row(source.session, upload)
    assert row is not None
    assert row.tenths == 6
    append = Append(60_000, 40_000, None)
    house.scene.intake.uploads.append(source.session, upload, append, ScriptedBody(bytes(40_000)))
    row = house.world.row(source.session, upload)
    assert row is not None
    assert row.tenths is None


def test_nothing_of_the_content_is_shown(house: House, staff: Member) -> None:
    """No name, no text, no codename, no locator: nothing here could know most of it."""
    source = house.new_source()
    source.sends(f"{SECRETS[1]}/{SECRETS[0]}", b"content")
    source.writes(SECRETS[2])
    address = staff.address_of(source)
    seen = [
        staff.get(page, Accept=accepted).text
        for page in ("/", address)
        for accepted in ("text/html", "application/json")
    ]
    hidden = [*SECRETS, source.codename, source.session.source.hex()]
    assert [(text, page) for text in hidden for page in seen if text in page] == []


def test_a_source_is_addressed_by_a_random_id(house: House, staff: Member) -> None:
    """HL V-003: no counting on to the next one; and not by its locator."""
    found = []
    for _ in range(3):
        source = house.new_source()
        source.writes("hello")
        found.append(staff.address_of(source))
    assert all(re.fullmatch(r"/sources/[a-z2-7]{26}", address) for address in found)
    assert len(set(found)) == 3


def test_marks_come_and_go(house: House, staff: Member) -> None:
    """Fetched, and unread after all; the form leads back to the source's page."""
    source = house.new_source()
    source.writes("hello")
    address = staff.address_of(source)
    [message] = [item for item in items(staff, address) if item["kind"] == "message"]
    answer = staff.post(f"/sealed/{message['id']}/fetched", back=address)
    assert answer.headers["Location"] == address
    assert "unread" not in staff.page("/")
    answer = staff.post(f"/sealed/{message['id']}/unread", back="//evil.example")
    assert answer.headers["Location"] == "/"
    assert "1 unread" in staff.page("/")


def test_what_is_unfinished_is_fetched_by_nobody(house: House, staff: Member) -> None:
    """It may grow: a mark from before would hide what came after."""
    source = house.new_source()
    upload = begin(source, 100_000, 70_000)
    assert staff.post(f"/sealed/{upload}/fetched").status_code == 409
    append = Append(70_000, 30_000, None)
    house.scene.intake.uploads.append(source.session, upload, append, ScriptedBody(bytes(30_000)))
    assert "1 unread" in staff.page("/")


def test_thousands_of_files_come_in_pages(house: House, staff: Member) -> None:
    """The certificate stands first; a program gets everything at once."""
    source = house.new_source()
    source.writes("hello")
    rows, day = house.scene.intake.housekeeping.rows, int(house.world.now) // DAY
    for _ in range(PER_PAGE):
        rows.add(UploadRow(new_upload_id(), source.session.source, Kind.FILE, State.OPEN, day))
    address = staff.address_of(source)
    first, second = (staff.get(f"{address}?page={page}").text for page in ("1", "2"))
    assert first.index("Certificate") < first.index("unfinished")
    assert "Page 1 of 2" in first
    assert "Page 2 of 2" in second
    assert len(items(staff, address)) == PER_PAGE + 2
    seen = re.findall(r"/sealed/([a-z2-7]{26})\.tar\.gpg", first + second)
    assert len(set(seen)) == PER_PAGE + 2
    assert "Page 2 of 2" in staff.page(f"{address}?page=99999")
    assert "Page 1 of 2" in staff.page(f"{address}?page=-1")


def items(staff: Member, address: str) -> list[dict[str, object]]:
    """Give a source's items as a program sees them."""
    found = staff.asks(address)["items"]
    assert isinstance(found, list)
    return found
