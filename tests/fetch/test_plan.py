"""What a run decides before it writes anything."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from submit.fetch.index import Entry
from submit.fetch.listing import STATES, Digest, Item, Source
from submit.fetch.plan import Action, OnStick, Plan, decide, make_plan
from submit.fetch.stick import LARGEST_ON_FAT, filesystem_of

FILE = Item("a" * 26, "file", "complete", "2026-11-22", 1_000_000, tail=False, fetched=False)
SOURCE = Source("s" * 26, "quiet harbour", (FILE,))
NOTHING = OnStick(None, None, None)
ROOM = 1 << 40


def entry(item: Item) -> OnStick:
    """An item that lies verified on the stick."""
    noted = Entry(SOURCE.id, SOURCE.designation, item, Digest(item.length, "0" * 64))
    return OnStick(noted, item.length, None)


def planned(*items: tuple[Item, OnStick], free: int = ROOM, largest: int | None = None) -> Plan:
    """Plan for one source."""
    found = [(SOURCE, item, here) for item, here in items]
    return make_plan(found, free, largest, everything=False)


def test_what_is_nowhere_yet_is_brought() -> None:
    """New is what nobody fetched and what is not on this stick."""
    assert decide(FILE, NOTHING, everything=False) is Action.BRING


def test_what_another_stick_has_is_not_brought_again() -> None:
    """Forty gigabytes are not fetched twice, unless somebody asks for everything."""
    fetched = replace(FILE, fetched=True)
    assert decide(fetched, NOTHING, everything=False) is Action.NOTHING
    assert decide(fetched, NOTHING, everything=True) is Action.BRING


def test_what_is_here_and_not_marked_is_marked() -> None:
    """A run that was killed between the stick and the mark."""
    assert decide(FILE, entry(FILE), everything=False) is Action.MARK
    assert decide(replace(FILE, fetched=True), entry(FILE), everything=False) is Action.NOTHING


def test_what_is_here_is_looked_at_again_when_all_is_asked_for() -> None:
    """It may have rotted since."""
    assert decide(replace(FILE, fetched=True), entry(FILE), everything=True) is Action.BRING


def test_an_unfinished_upload_is_looked_at_every_time() -> None:
    """Its tail may have moved, and that does not show in its length."""
    unfinished = replace(FILE, state="open", tail=True)
    assert decide(unfinished, entry(unfinished), everything=False) is Action.BRING


def test_an_upload_that_moved_on_replaces_what_is_here() -> None:
    """Even when a colleague has marked its complete form as fetched."""
    complete = replace(FILE, length=2_000_000, fetched=True)
    earlier = entry(replace(FILE, state="open"))
    assert decide(complete, earlier, everything=False) is Action.BRING


def test_fat_takes_no_four_gibibytes() -> None:
    """The largest file that FAT32 holds comes; one octet more is named before anything is written."""
    largest = replace(FILE, length=LARGEST_ON_FAT)
    beyond = replace(FILE, id="b" * 26, length=LARGEST_ON_FAT + 1)
    plan = planned((largest, NOTHING), (beyond, NOTHING), largest=LARGEST_ON_FAT)
    assert [task.item for task in plan.bring] == [largest]
    assert [task.item for task in plan.too_large] == [beyond]


def test_words_come_before_files_and_old_before_new() -> None:
    """If the stick is too small or the night too short, the right things have come."""
    new = replace(FILE, id="b" * 26, day="2026-11-23")
    small = replace(FILE, id="c" * 26, length=10)
    unfinished = replace(FILE, id="d" * 26, state="open", day="2026-11-01")
    message = replace(FILE, id="e" * 26, kind="message", day="2026-11-24")
    plan = planned(*((item, NOTHING) for item in (new, unfinished, FILE, message, small)))
    assert [task.item for task in plan.bring] == [message, small, FILE, new, unfinished]


def test_a_part_that_is_here_needs_no_room() -> None:
    """Room is asked for what is still to come."""
    large = replace(FILE, length=1 << 33)
    free = (1 << 26) + (1 << 20)
    assert planned((large, OnStick(None, None, None)), free=free).bring == []
    [task] = planned((large, OnStick(None, None, (1 << 33) - (1 << 20))), free=free).bring
    assert task.octets == 1 << 20


lengths = st.integers(0, 1 << 34)
items = st.builds(
    Item,
    id=st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26),
    kind=st.sampled_from(["file", "message"]),
    state=st.sampled_from(STATES),
    day=st.just("2026-11-22"),
    length=lengths,
    tail=st.booleans(),
    fetched=st.booleans(),
)
parts = st.builds(OnStick, st.none(), st.none(), st.none() | lengths)


@given(st.lists(st.tuples(items, parts), max_size=12), st.integers(0, 1 << 35))
def test_a_stick_is_never_filled_beyond_its_room(
    found: list[tuple[Item, OnStick]], free: int
) -> None:
    """Nothing is planned that does not fit, and nothing wanted is dropped without a word."""
    plan = planned(*found, free=free, largest=LARGEST_ON_FAT)
    assert plan.octets <= free
    assert all(task.item.length <= LARGEST_ON_FAT for task in plan.bring)
    wanted = [item for item, here in found if decide(item, here, everything=False) is Action.BRING]
    told = [task.item for task in plan.bring + plan.too_large + plan.no_room]
    assert sorted(map(repr, told)) == sorted(map(repr, wanted))


MOUNTS = r"""
/dev/sda2 / ext4 rw 0 0
tmpfs /media tmpfs rw 0 0
/dev/sdb1 /media/ana/MY\040STICK vfat rw 0 0
/dev/sdc1 /media/ana/BIG exfat rw 0 0
/dev/sdd1 /media/ana/BIG/inner vfat rw 0 0
/dev/sde1 /media/ana/BIG/inner ext4 rw 0 0
"""


def test_the_kind_of_file_system_is_found() -> None:
    """The nearest mount counts, the last one at its place, and spaces are written as octal."""
    expected = {
        "/media/ana/MY STICK/folder": "vfat",
        "/media/ana/MY STICKS": "tmpfs",
        "/media/ana/BIG": "exfat",
        "/media/ana/BIG/inner/x": "ext4",
        "/home": "ext4",
    }
    assert {place: filesystem_of(Path(place), MOUNTS) for place in expected} == expected
