"""What staff delete is gone; what they did not mean is not."""

import re
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from submit.intake.refusals import NoSessionError, WrongCodenameError
from submit.tus.refusals import AppendSupersededError, UploadNotFoundError
from submit.tus.requests import Append
from tests.desk.conftest import House, Member
from tests.intake.conftest import Source
from tests.intake.world import DeafBody, ScriptedBody


def sealed_id(house: House, source: Source) -> str:
    """Send a message, and give the id of its sealed file."""
    source.writes("first")  # brings the certificate along
    before = house.sealed()
    source.writes("hello")
    [name] = house.sealed() - before
    return name.removesuffix(".tar.gpg")


def test_what_was_fetched_is_deleted(house: House, staff: Member) -> None:
    """File and row; the rest of the source stays."""
    upload = sealed_id(house, house.new_source())
    others = house.sealed() - {f"{upload}.tar.gpg"}
    staff.post(f"/sealed/{upload}/fetched")
    assert staff.post(f"/sealed/{upload}/delete").status_code == 303
    assert house.sealed() == others
    assert staff.get(f"/sealed/{upload}.tar.gpg").status_code == 404
    assert staff.post(f"/sealed/{upload}/delete").status_code == 404


def test_what_was_not_fetched_is_deleted_only_knowingly(house: House, staff: Member) -> None:
    """There is no other copy."""
    upload = sealed_id(house, house.new_source())
    for fields in ({}, {"unfetched": "no"}, {"unfinished": "yes"}):
        assert staff.post(f"/sealed/{upload}/delete", **fields).status_code == 409
        assert f"{upload}.tar.gpg" in house.sealed()
    assert staff.post(f"/sealed/{upload}/delete", unfetched="yes").status_code == 303
    assert f"{upload}.tar.gpg" not in house.sealed()


def test_what_is_unfinished_is_deleted_only_knowingly(house: House, staff: Member) -> None:
    """Its source may be about to go on; then it is told that there is nothing any more."""
    source = house.new_source()
    upload = source.begins("clip.mp4", bytes(200_000))
    append = Append(0, 90_000, None)
    source.intake.uploads.append(source.session, upload, append, ScriptedBody(bytes(90_000)))
    assert {f"{upload}.tar.gpg", f"{upload}.tail"} <= house.sealed()
    assert staff.post(f"/sealed/{upload}/delete", unfetched="yes").status_code == 409
    assert staff.post(f"/sealed/{upload}/delete", unfinished="yes").status_code == 303
    assert not [name for name in house.sealed() if name.startswith(upload)]
    with pytest.raises(UploadNotFoundError):
        source.intake.uploads.status(source.session, upload)


@pytest.mark.parametrize("body", [ScriptedBody, DeafBody])
def test_a_deleted_upload_does_not_come_back(
    house: House, staff: Member, body: type[ScriptedBody]
) -> None:
    """Whoever is in the middle of appending to it stops, also on a connection that is half open."""
    source = house.new_source()
    upload = source.begins("clip.mp4", bytes(300_000))
    token = staff.token()

    def delete() -> None:
        answer = staff.post(f"/sealed/{upload}/delete", token, unfinished="yes")
        assert answer.status_code == 303

    append = Append(0, 300_000, None)
    with pytest.raises((AppendSupersededError, UploadNotFoundError)):
        source.intake.uploads.append(
            source.session, upload, append, body(bytes(300_000), between=delete)
        )
    assert not [name for name in house.sealed() if name.startswith(upload)]
    assert house.world.row(source.session, upload) is None


def form_that_deletes(staff: Member, address: str, designation: str) -> Callable[[], TestResponse]:
    """Look at a source's page and fill in what deletes it; give what submits the form."""
    page = staff.get(address).text
    [shown] = re.findall(r'name="shown" value="([^"]+)"', page)
    token = staff.token(address)
    fields = {"designation": designation, "shown": shown}
    return lambda: staff.post(f"{address}/delete", token, **fields)


def test_a_source_is_deleted_by_its_two_words(house: House, staff: Member) -> None:
    """Everything of it, sessions and all, and nothing of anybody else's."""
    source, other = house.new_source(), house.new_source()
    other.writes("hello")
    others, kept = house.sealed(), house.scene.designation(other)
    source.sends("clip.mp4", bytes(100_000))
    source.begins("other.mp4", bytes(100_000))
    address, words = staff.address_of(source), house.scene.designation(source)
    for typed, status in ((kept, 400), ("", 400), (f" {words.upper()} ", 303)):
        assert form_that_deletes(staff, address, typed)().status_code == status
    assert house.sealed() == others
    assert words.encode() not in house.scene.at_rest()
    assert staff.get(address).status_code == 404
    with pytest.raises(NoSessionError):
        house.scene.intake.sources.recall(source.cookie)
    with pytest.raises(WrongCodenameError):
        source.comes_back()
    assert kept in staff.page("/")


def test_a_source_that_is_sending_is_deleted_all_the_same(house: House, staff: Member) -> None:
    """What is on its way leaves no file that nobody knows of."""
    source = house.new_source()
    upload = source.begins("clip.mp4", bytes(300_000))
    address, words = staff.address_of(source), house.scene.designation(source)
    session, submit = source.session, form_that_deletes(staff, address, words)

    def delete() -> None:
        assert submit().status_code == 303

    body = ScriptedBody(bytes(300_000), between=delete)
    with pytest.raises((AppendSupersededError, UploadNotFoundError)):
        source.intake.uploads.append(session, upload, Append(0, 300_000, None), body)
    assert house.sealed() == set()


def test_a_crash_in_the_middle_of_deleting_leaves_nothing_behind(
    house: House, staff: Member
) -> None:
    """The row says that it is gone; the daily work takes the file."""
    upload = sealed_id(house, house.new_source())
    rows = house.scene.intake.housekeeping.rows
    assert rows.condemn(upload, unfinished=False, unfetched=True)
    assert f"{upload}.tar.gpg" in house.sealed()
    assert staff.get(f"/sealed/{upload}.tar.gpg").status_code == 404
    house.tidies()
    assert f"{upload}.tar.gpg" not in house.sealed()
    assert rows.known(upload) is None


def fetch_all(house: House, staff: Member) -> None:
    """Mark everything that is at the desk."""
    for name in house.sealed():
        staff.post(f"/sealed/{name.removesuffix('.tar.gpg')}/fetched")


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(lambda source, _: source.writes("new"), id="message"),
        pytest.param(lambda source, _: source.sends("new.mp4", b"new"), id="file"),
        pytest.param(lambda source, _: source.begins("new.mp4", bytes(9)), id="begun"),
        pytest.param(
            lambda source, upload: source.intake.uploads.append(
                source.session, upload, Append(0, 9, None), ScriptedBody(bytes(9))
            ),
            id="completed",
        ),
    ],
)
def test_what_arrives_after_the_page_was_read_is_not_deleted_with_its_source(
    house: House, staff: Member, happens: Callable[[Source, str], object]
) -> None:
    """There is no other copy, and nobody knew of it when they typed the two words."""
    source = house.new_source()
    source.writes("first")
    upload = source.begins("old.mp4", bytes(9))
    fetch_all(house, staff)
    address, words = staff.address_of(source), house.scene.designation(source)
    submit = form_that_deletes(staff, address, words)
    happens(source, upload)
    before = house.sealed()
    refused = submit()
    assert refused.status_code == 409
    assert "Since you opened the page of this source" in refused.text
    assert house.sealed() == before
    assert source.session.source  # it is logged in still
    assert form_that_deletes(staff, address, words)().status_code == 303


def test_the_page_says_what_would_be_deleted_unfetched_and_unfinished(
    house: House, staff: Member
) -> None:
    """Beside the button, before the two words are typed."""
    source = house.new_source()
    source.writes("first")
    source.begins("clip.mp4", bytes(9))
    page = staff.page(staff.address_of(source))
    assert "1 of its files and messages nobody has fetched." in page
    assert "1 unfinished: its source could still go on." in page


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 409),
        ({"unfetched": "yes"}, 409),
        ({"unfinished": "yes"}, 409),
        ({"unfetched": "no", "unfinished": "yes"}, 409),
        ({"shown": "0" * 64, "unfetched": "yes", "unfinished": "yes"}, 409),
        ({"unfetched": "yes", "unfinished": "yes"}, 303),
    ],
)
def test_who_shows_no_page_says_in_words_what_they_know(
    house: House, staff: Member, said: dict[str, str], status: int
) -> None:
    """A program, or a form of before: what is unfetched or unfinished goes only knowingly."""
    source = house.new_source()
    source.writes("first")
    source.begins("clip.mp4", bytes(9))
    before = house.sealed()
    address, words = staff.address_of(source), house.scene.designation(source)
    answer = staff.post(f"{address}/delete", designation=words, **said)
    assert answer.status_code == status
    assert house.sealed() == (before if status == 409 else set())


def test_what_was_fetched_goes_without_a_word(house: House, staff: Member) -> None:
    """Staff have a copy of all of it."""
    source = house.new_source()
    source.writes("first")
    fetch_all(house, staff)
    address, words = staff.address_of(source), house.scene.designation(source)
    assert staff.post(f"{address}/delete", designation=words).status_code == 303


def test_a_program_deletes_what_it_was_shown(house: House, staff: Member) -> None:
    """`outstanding` is what the page sends; it is another one as soon as something arrives."""
    source = house.new_source()
    source.writes("first")
    address, words = staff.address_of(source), house.scene.designation(source)
    shown = str(staff.asks(address)["outstanding"])
    source.writes("second")
    assert shown != staff.asks(address)["outstanding"]
    fields = {"designation": words, "shown": shown}
    assert staff.post(f"{address}/delete", **fields).status_code == 409
    fields["shown"] = str(staff.asks(address)["outstanding"])
    assert staff.post(f"{address}/delete", **fields).status_code == 303
