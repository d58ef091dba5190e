"""What to bring, in which order, and what this stick cannot take: decided before it fills. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from submit.fetch.index import Entry
from submit.fetch.listing import Item, Source

_CLUSTER = 1 << 17  # octets: what a file's end takes more, on a large exFAT stick
_RESERVE = 1 << 25  # octets for the index and the folders
_TAIL = 1 << 17  # octets, with the ciphertext's surplus


class Action(Enum):
    """What an item needs."""

    NOTHING = auto()
    MARK = auto()  # it is here and verified, and the desk does not know
    BRING = auto()


@dataclass(frozen=True, slots=True)
class OnStick:
    """What lies on the stick of an upload. `sealed`, `part`: octets, None if not there."""

    entry: Entry | None
    sealed: int | None
    part: int | None


@dataclass(frozen=True, slots=True)
class Task:
    """An item to bring. `octets`: still to come."""

    source: Source
    item: Item
    octets: int


@dataclass
class Plan:
    """What a run does. `too_large`, `no_room`: what this stick cannot take."""

    bring: list[Task] = field(default_factory=list)
    mark: list[Item] = field(default_factory=list)
    too_large: list[Task] = field(default_factory=list)
    no_room: list[Task] = field(default_factory=list)

    @property
    def octets(self) -> int:
        """Octets to come."""
        return sum(task.octets for task in self.bring)


def decide(item: Item, here: OnStick, *, everything: bool) -> Action:
    """Decide about one item; `everything`: also what was fetched, to another stick or to this one."""
    if here.entry is not None and _is_same(item, here.entry) and not everything:
        if not item.is_final:
            return Action.BRING  # Its tail may have moved: that does not show in its length.
        return Action.NOTHING if item.fetched else Action.MARK
    is_elsewhere = here.entry is None and here.sealed is None
    if item.is_final and item.fetched and not everything and is_elsewhere:
        return Action.NOTHING
    return Action.BRING


def make_plan(
    found: Iterable[tuple[Source, Item, OnStick]],
    free: int,
    largest: int | None,
    *,
    everything: bool,
) -> Plan:
    """Plan a run for a stick with `free` octets that takes no file above `largest`."""
    plan, wanted = Plan(), list[Task]()
    for source, item, here in found:
        action = decide(item, here, everything=everything)
        if action is Action.MARK:
            plan.mark.append(item)
        elif action is Action.BRING:
            wanted.append(Task(source, item, _still_to_come(item, here)))
    left = free - _RESERVE
    for task in sorted(wanted, key=_order):
        needed = _needed(task)
        if largest is not None and task.item.length > largest:
            plan.too_large.append(task)
        elif needed > left:
            plan.no_room.append(task)
        else:
            plan.bring.append(task)
            left -= needed
    return plan


def _is_same(item: Item, entry: Entry) -> bool:
    return (item.state, item.length) == (entry.item.state, entry.digest.length)


def _still_to_come(item: Item, here: OnStick) -> int:
    if here.sealed == item.length:
        return 0  # Of an earlier run, without its line in the index: verified, not fetched again.
    return max(0, item.length - (here.part or 0))


def _needed(task: Task) -> int:
    """Give the octets that an item takes from the stick's room."""
    tail = _TAIL if task.item.tail else 0
    return (task.octets + _CLUSTER if task.octets else 0) + tail


def _order(task: Task) -> tuple[bool, bool, str, int, str]:
    """Words first, then what is complete, the oldest first; of one day the small ones."""
    item = task.item
    return (item.kind == "file", not item.is_final, item.day, item.length, item.id)
