"""A large file in parts, through the front door: recognised, counted, bound together for the NGO."""

from collections.abc import Callable, Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submit.intake.parts import PartSet, _is_complete, _may_be, _proof
from submit.intake.refusals import PartSetNotFoundError
from submit.intake.sessions import Session
from tests.intake.conftest import Scene, Source
from tests.intake.world import DAY

Send = Callable[[Source, str, bytes], None]
BY: dict[str, Send] = {"by tus": Source.sends, "by a form": Source.sends_by_form}


@pytest.fixture(params=BY)
def send(request: pytest.FixtureRequest) -> Send:
    """Give both ways of sending: what holds for one holds for the other."""
    return BY[request.param]


@pytest.fixture
def source(scene: Scene) -> Source:
    return scene.new_source()


def shown(source: Source) -> PartSet:
    """Give the one file that waits for parts."""
    (found,) = source.intake.drop.show(source.session).parts
    return found


def test_missing_parts_are_named_and_the_next_one_too(source: Source, send: Send) -> None:
    """Whoever sends parts one by one is told exactly what is not there yet."""
    for number in (1, 2, 5):
        send(source, f"камера.mp4.{number:03}", b"12345")
    waiting = shown(source)
    assert (waiting.name, waiting.arrived) == ("камера.mp4", 3)
    assert waiting.missing == ("камера.mp4.003", "камера.mp4.004")
    assert waiting.next == "камера.mp4.006"


def test_a_set_closes_by_itself_at_its_shorter_last_part(source: Source, send: Send) -> None:
    """The last part of a split file is the short one: then nothing is waited for any more."""
    for name, content in (("c.001", b"12345"), ("c.003", b"12"), ("c.002", b"12345")):
        assert len(source.intake.drop.show(source.session).parts) == (name != "c.001")
        send(source, name, content)
    assert source.intake.drop.show(source.session).parts == ()


def test_parts_of_one_length_wait_for_the_sources_word(source: Source, send: Send) -> None:
    """If the last part happens to be as long as the others, only the source knows that it is."""
    for name in ("clip.aa", "clip.ab"):
        send(source, name, b"12345")
    source.intake.parts.close(source.session, shown(source).id)
    assert source.intake.drop.show(source.session).parts == ()
    with pytest.raises(PartSetNotFoundError):
        source.intake.parts.close(source.session, "x" * 26)


CLIPS = (90_000, 80_000, 95_000, 85_000, 70_000)
ORDERS = ((1, 2, 3, 4, 5), (5, 4, 3, 2, 1), (3, 1, 2, 5, 4), (2, 4, 1, 3, 5))


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_clips_that_are_counted_like_parts_are_not_missed(
    scene: Scene, source: Source, send: Send, order: tuple[int, ...]
) -> None:
    """A camera's `gate.001`, `gate.002` … have any length: no arrived clip is called missing."""
    for sent, number in enumerate(order, start=1):
        send(source, f"gate.{number:03}", bytes(CLIPS[number - 1]))
        for each in source.intake.drop.show(source.session).parts:
            arrived = {f"gate.{number:03}" for number in order[:sent]}
            assert not arrived & set(each.missing)
    assert source.intake.drop.show(source.session).parts == ()
    assert "set" not in scene.received()[order[-1] - 1].facts
    assert len(scene.intake.parts._rows.arrived(sole_set(source))) <= len("123")


def sole_set(source: Source) -> str:
    """Give the id of the one set that has rows."""
    (row,) = source.intake.parts._rows.of(source.session.source)
    return row.id


def test_two_parts_alone_wait_for_the_sources_word(source: Source, send: Send) -> None:
    """The second may be the last of a file, or the second clip of a camera: both are shorter."""
    send(source, "c.001", b"12345")
    send(source, "c.002", b"123")
    assert (shown(source).arrived, shown(source).missing) == (2, ())
    source.intake.parts.close(source.session, shown(source).id)
    assert source.intake.drop.show(source.session).parts == ()


@given(st.integers(1, 30), st.integers(1, 5), st.integers(0, 40), st.randoms())
def test_whatever_order_parts_come_in_they_may_be_of_one_file(
    parts: int, last: int, left: int, random: Random
) -> None:
    """What split and 7-Zip make is never taken for clips, and complete only when it is."""
    numbers = list(range(1, parts + 1))
    random.shuffle(numbers)
    lengths = {number: 5 if number < parts else last for number in numbers}
    some = {number: lengths[number] for number in numbers[:left]}
    assert _may_be(some)
    assert _is_complete(some) == (len(some) == parts > 2 and last < 5)


@given(st.dictionaries(st.integers(0, 30), st.integers(0, 3), min_size=2))
def test_a_few_lengths_show_what_all_of_them_show(arrived: dict[int, int]) -> None:
    """What is dropped of clips is not needed to know that they are clips."""
    few = {number: arrived[number] for number in _proof(arrived)} if not _may_be(arrived) else {}
    assert _may_be(few) == _may_be(arrived)
    assert len(few) <= len("123")


def test_a_long_set_is_not_looked_through_for_every_part(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand parts of one length cost each as little as the first; the last one closes."""
    monkeypatch.setattr("submit.intake.parts._FEW", 3)
    looked: list[str] = []
    parts = source.intake.parts
    lengths = parts._lengths

    def look(session: Session, each: str) -> Mapping[int, int]:
        looked.append(each)
        return lengths(session, each)

    monkeypatch.setattr(parts, "_lengths", look)
    for number in range(1, 9):
        source.sends(f"c.{number:03}", b"12345")
    assert len(looked) == 2
    source.sends("c.009", b"1")
    assert parts._rows.of(source.session.source) == []


def test_the_ngo_can_tell_which_parts_belong_together(scene: Scene, source: Source) -> None:
    """Every part bears the same random set and its own number, sealed with it."""
    source.sends("ё/clip.mp4.001", b"12345")
    source.sends("ё/clip.mp4.002", b"12345")
    source.sends("ё/clip.mp4.003", b"1")
    source.sends("other.mp4.001", b"12345")
    source.sends("whole.mp4", b"12345")
    facts = {each.facts["path"]: each.facts for each in scene.received()}
    clips = [facts[f"ё/clip.mp4.00{number}"] for number in (1, 2, 3)]
    assert [each["part"] for each in clips] == [1, 2, 3]
    assert len({each["set"] for each in clips}) == 1
    assert facts["other.mp4.001"]["set"] not in {each["set"] for each in clips}
    assert "set" not in facts["whole.mp4"]
    assert "part" not in facts["whole.mp4"]


def test_an_unfinished_part_has_not_arrived(source: Source) -> None:
    """What is on its way counts when it is whole, and not before."""
    source.sends("c.001", b"12345")
    upload = source.begins("c.002", b"12345")
    assert shown(source).arrived == 1
    assert shown(source).next == "c.002"
    source.goes_on(upload, b"12345")
    assert shown(source).arrived == 2


def test_a_set_of_which_nothing_arrived_is_not_shown(source: Source) -> None:
    """An upload that has only begun makes no promise."""
    source.begins("c.001", b"12345")
    assert source.intake.drop.show(source.session).parts == ()


def test_the_same_part_twice_counts_once(source: Source, send: Send) -> None:
    """Whoever is not sure and sends a part again spoils nothing."""
    for name in ("c.001", "c.003", "c.001"):
        send(source, name, b"12345")
    assert shown(source).arrived == 2
    assert shown(source).missing == ("c.002",)


def test_parts_may_come_by_both_ways_and_in_two_sessions(source: Source) -> None:
    """Started with scripts, gone on with without them, after coming back."""
    source.sends("c.001", b"12345")
    source.comes_back().sends_by_form("c.002", b"12345")
    assert shown(source).arrived == 2


def test_parts_counted_from_0_have_no_part_before(source: Source) -> None:
    """`split -d` begins with 000."""
    for name in ("c.001", "c.000", "c.002"):
        source.sends(name, b"12345")
    assert (shown(source).arrived, shown(source).missing) == (3, ())


def test_behind_999_comes_1000(source: Source) -> None:
    """7-Zip goes on with a fourth digit; `.1000` alone would be no part."""
    source.sends("c.7z.001", b"12345")
    source.sends("c.7z.1000", b"12345")
    assert shown(source).arrived == 2
    assert shown(source).missing[-1] == "c.7z.999"
    assert shown(source).next == "c.7z.1001"


@pytest.mark.parametrize("name", ["video.ts", "report.2024", "192.168.1.100", "c.ab", "a.mov"])
def test_names_that_only_look_like_parts_are_whole_files(
    scene: Scene, source: Source, name: str
) -> None:
    """Nobody is told that 2023 parts of a report are missing."""
    source.sends(name, b"12345")
    assert source.intake.drop.show(source.session).parts == ()
    assert all("set" not in each.facts for each in scene.received())


def test_another_source_neither_sees_nor_closes_a_set(scene: Scene, source: Source) -> None:
    """Two sources may send parts with the same names and share nothing."""
    source.sends("c.001", b"12345")
    stranger = scene.new_source()
    stranger.sends("c.003", b"12345")
    assert shown(source).missing == ()
    with pytest.raises(PartSetNotFoundError):
        stranger.intake.parts.close(stranger.session, shown(source).id)
    sets = {each.facts.get("set") for each in scene.received()} - {None}
    assert len(sets) == 2


def test_what_waits_for_parts_survives_a_restart(scene: Scene, source: Source) -> None:
    """The server may be killed between two parts."""
    source.sends("c.001", b"12345")
    source.intake = scene.world.start(clean=False)
    source.sends("c.002", b"12345")
    assert shown(source).arrived == 2


def test_nobody_waits_for_ever(scene: Scene, source: Source) -> None:
    """A set that nobody moved for a month is forgotten; a part that comes later opens another."""
    source.sends("c.001", b"12345")
    scene.world.now += 29 * DAY
    scene.world.do_daily_work()
    source = source.comes_back()
    source.sends("c.002", b"12345")
    scene.world.now += 29 * DAY
    scene.world.do_daily_work()
    source = source.comes_back()
    assert shown(source).arrived == 2
    scene.world.now += 2 * DAY
    scene.world.do_daily_work()
    source = source.comes_back()
    assert source.intake.drop.show(source.session).parts == ()


def test_a_part_that_ends_after_its_set_was_closed_is_kept(scene: Scene, source: Source) -> None:
    """The source's word "these are all" costs no upload that is on its way."""
    source.sends("c.001", b"12345")
    upload = source.begins("c.002", b"12345")
    source.intake.parts.close(source.session, shown(source).id)
    source.goes_on(upload, b"12345")
    assert source.intake.drop.show(source.session).files == 2
    assert len({each.facts.get("set") for each in scene.received()} - {None}) == 1


def test_no_name_of_a_part_is_at_rest(scene: Scene, source: Source) -> None:
    """Open sets hold names, numbers and lengths under the source's key; closed ones hold nothing."""
    source.sends("prison/камера-4.mp4.001", b"12345")
    source.sends("prison/камера-4.mp4.003", b"12345")
    for secret in ("prison", "камера", "mp4"):
        assert secret.encode() not in scene.at_rest()
    row = scene.intake.parts._rows.of(source.session.source)[0]
    assert row.id.encode() in scene.at_rest()
    source.intake.parts.close(source.session, row.id)
    for remains in (row.id.encode(), row.mark, row.wrapped):
        assert remains not in scene.at_rest()
