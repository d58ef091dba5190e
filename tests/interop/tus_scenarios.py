"""What can befall one file on its way: data for test_tus_clients."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.proxy import IN_HEAD, Fault, Kind

MIB = 1 << 20
CHUNK = 1 << 16
LENGTH = 20 * MIB + 12_345
NO_STALL = 60_000  # milliseconds
STALL = 2_500


@dataclass(frozen=True, slots=True)
class Scenario:
    """Faults on the way of one file of `length` octets, sent `chunk` octets at a time."""

    faults: Sequence[Fault]
    length: int = LENGTH
    chunk: int = MIB
    stall: int = NO_STALL
    together: bool = False


SCENARIOS = {
    "cut early": Scenario([Fault(Kind.CUT, after=1)]),
    "cut in the middle": Scenario([Fault(Kind.CUT, skip=9, after=500_000)]),
    "cut late": Scenario([Fault(Kind.CUT, skip=20, after=12_344)]),
    "ended in the middle": Scenario([Fault(Kind.END, skip=9, after=500_000)]),
    "cut before the body": Scenario([Fault(Kind.CUT, skip=4)]),
    "cut during creation": Scenario([Fault(Kind.CUT, "POST", after=IN_HEAD)]),
    "cut during creation with upload": Scenario(
        [Fault(Kind.CUT, "POST", after=200_000), Fault(Kind.LOSE, skip=2)], together=True
    ),
    "lost creation answer": Scenario([Fault(Kind.LOSE, "POST")]),
    "lost 204": Scenario([Fault(Kind.LOSE, skip=4)]),
    "lost final 204": Scenario([Fault(Kind.LOSE, skip=20)]),
    "resumption cut and lost": Scenario(
        [
            Fault(Kind.CUT, skip=2, after=700_000),
            Fault(Kind.CUT, "HEAD", after=IN_HEAD),
            Fault(Kind.LOSE, "HEAD"),
            Fault(Kind.GHOST, after=10_000),
        ]
    ),
    "half-open": Scenario([Fault(Kind.GHOST, skip=5, after=300_000)]),
    "stalled": Scenario([Fault(Kind.STALL, skip=5, after=300_000)], stall=STALL),
    "answer held": Scenario([Fault(Kind.HOLD, skip=5, after=300_000)], stall=STALL),
    "slow, then late": Scenario(
        [Fault(Kind.SLOW, skip=2, amount=2 * MIB), Fault(Kind.DELAY, after=CHUNK, amount=0.5)]
    ),
    "one after the other": Scenario(
        [
            Fault(Kind.LOSE, "POST"),
            Fault(Kind.GHOST, skip=1, after=900_000),
            Fault(Kind.CUT, after=1_000),
            Fault(Kind.GHOST, after=70_000),
            Fault(Kind.GHOST, after=5),
            Fault(Kind.LOSE, skip=3),
            Fault(Kind.END, after=CHUNK),
            Fault(Kind.STALL, skip=2, after=720_897),
            Fault(Kind.CUT, "HEAD", after=IN_HEAD),
            Fault(Kind.CUT, skip=6, after=3),
        ],
        length=60 * MIB + 1,
        chunk=2 * MIB,
        stall=STALL,
    ),
    "one octet": Scenario(
        [Fault(Kind.GHOST), Fault(Kind.CUT, "HEAD", after=IN_HEAD), Fault(Kind.LOSE)], length=1
    ),
    "nothing at all": Scenario(
        [Fault(Kind.CUT, "POST", after=IN_HEAD), Fault(Kind.LOSE, "POST")], length=0
    ),
    "ending on a chunk's edge": Scenario(
        [Fault(Kind.CUT, skip=3, after=8 * CHUNK), Fault(Kind.LOSE, skip=16)], length=320 * CHUNK
    ),
}
