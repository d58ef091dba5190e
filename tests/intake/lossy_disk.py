"""A disk that forgets what was not synced, dies in mid-write, fills up and fails: all on demand.

It behaves as Linux does: what was written is seen at once (the page cache), is on the platter
after fsync, and a name is there for good after the folder's fsync. What was not synced reaches
the platter in any order, in part, or as a length without octets; names go in the order of their
changes, for file systems keep a journal of them. A failed fsync leaves on the platter what had
reached it, and later ones succeed: that is the trap.

It also remembers every octet that a sealed file ever had at each position, so that a chunk
sealed twice with different content cannot hide behind a truncation.
"""

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import cycle

SEALED = ".tar.gpg"
_BLOCK = 4096


class DiedError(BaseException):
    """The process was killed; nothing after this line runs."""


class Fate(Enum):
    """What becomes of a change that was not synced."""

    LOST = "lost"
    KEPT = "kept"
    TORN = "torn"  # its first half, in whole blocks
    LENGTH = "length"  # the file is as long, and holds zeros there


@dataclass
class Inode:
    """A file's content as seen now and as it is on the platter."""

    name: str
    seen: bytearray = field(default_factory=bytearray)
    platter: bytearray = field(default_factory=bytearray)
    # Octets that the disk cannot read until they are written anew.
    unreadable: range = range(0)
    # What was done since the last sync, in order: octets at a position, or a new length.
    waiting: list[tuple[int, bytes] | int] = field(default_factory=list)

    def change(self, change: tuple[int, bytes] | int) -> None:
        """Do what is seen at once."""
        _apply(change, self.seen)
        self.waiting.append(change)
        begin = change if isinstance(change, int) else change[0]
        if begin <= self.unreadable.start:
            self.unreadable = range(0)

    def settle(self, fates: Sequence[Fate]) -> None:
        """Let what waits meet its fates, in turn; an empty sequence loses all of it."""
        for change, fate in zip(self.waiting, cycle(fates), strict=False):
            _settle(change, fate, self.platter)
        self.waiting.clear()

    def sync(self) -> None:
        """Bring the platter to what waits, and to the length that is seen."""
        self.settle([Fate.KEPT])
        _apply(len(self.seen), self.platter)

    def read_anew(self) -> None:
        """See what is on the platter; what waits was not forgotten."""
        length, self.seen = len(self.seen), bytearray(self.platter)
        _apply(length, self.seen)
        for change in self.waiting:
            _apply(change, self.seen)


def _apply(change: tuple[int, bytes] | int, to: bytearray) -> None:
    if isinstance(change, int):
        del to[change:]
        to.extend(bytes(change - len(to)))
        return
    position, data = change
    to.extend(bytes(max(0, position - len(to))))
    to[position : position + len(data)] = data


def _settle(change: tuple[int, bytes] | int, fate: Fate, to: bytearray) -> None:
    if fate is Fate.LOST:
        return
    if isinstance(change, tuple) and fate is not Fate.KEPT:
        position, data = change
        if fate is Fate.LENGTH:
            change = max(len(to), position + len(data))
        else:
            half = (position + len(data) // 2) // _BLOCK * _BLOCK
            change = position, data[: max(0, half - position)]
    _apply(change, to)


@dataclass
class Trouble:
    """What goes wrong at the operation that brings `countdown` to zero."""

    countdown: int
    kind: str  # 'die', 'full', 'sync fails'
    torn: float = 0.5  # how much of a write is done before dying
    fates: Sequence[Fate] = ()  # of what a failed sync should have brought to the platter


class LossyDisk:
    """One folder; see the module."""

    def __init__(self) -> None:
        self.names_seen: dict[str, Inode] = {}
        self.names_platter: dict[str, Inode] = {}
        self.names_waiting: list[dict[str, Inode]] = []
        self.trouble: Trouble | None = None
        self.history: dict[str, dict[int, bytes]] = {}
        self.room = 1 << 50

    # --- Disk

    def create(self, name: str) -> "LossyFile":
        if self._step("create") is not None:
            raise OSError(errno.ENOSPC, "full")
        if name in self.names_seen:
            raise FileExistsError(errno.EEXIST, "exists")
        self.names_seen[name] = Inode(name)
        self._names_changed()
        return LossyFile(self, self.names_seen[name])

    def open(self, name: str) -> "LossyFile":
        if name not in self.names_seen:
            raise FileNotFoundError(errno.ENOENT, "missing")
        return LossyFile(self, self.names_seen[name])

    def open_to_read(self, name: str) -> "LossyFile":
        return self.open(name)

    def rename(self, name: str, new: str) -> None:
        self._step("rename")
        self.names_seen[new] = self.names_seen.pop(name)
        self.names_seen[new].name = new
        self._names_changed()

    def remove(self, name: str) -> None:
        self._step("remove")
        if self.names_seen.pop(name, None):
            self._names_changed()

    def names(self) -> Iterator[str]:
        return iter(list(self.names_seen))

    def sync_names(self) -> None:
        if self._step("sync") is not None:
            raise OSError(errno.EIO, "fsync")
        self.names_platter = dict(self.names_seen)
        self.names_waiting.clear()

    def set_day(self, name: str, day: int) -> None:
        assert day >= 0
        if name not in self.names_seen:
            raise FileNotFoundError(errno.ENOENT, "missing")

    def free(self) -> int:
        return self.room

    # --- what a test does to it

    def lose_power(self, fates: Sequence[Fate], names: int) -> None:
        """Forget what was not synced, but for what its fate is and for so many changed `names`."""
        if names and self.names_waiting:
            self.names_platter = self.names_waiting[:names][-1]
        self.names_waiting.clear()
        self.names_seen = dict(self.names_platter)
        for name, inode in self.names_seen.items():
            inode.name = name
            inode.settle(fates)
            inode.seen = bytearray(inode.platter)
        self.trouble = None

    def durable(self, name: str) -> bytes:
        """Give what a power cut would leave if it took all it can; empty if there is no file."""
        inode = self.names_platter.get(name)
        return b"" if inode is None else bytes(inode.platter)

    def damage(self, name: str, position: int) -> None:
        """Change an octet that was durable."""
        inode = self.names_seen[name]
        inode.platter[position] ^= 1
        inode.seen[position] ^= 1

    def lose_sector(self, name: str, position: int) -> None:
        """Let no block that holds this octet be read, until what is before it is written anew."""
        begin = position // _BLOCK * _BLOCK
        self.names_seen[name].unreadable = range(begin, begin + _BLOCK)

    def record(self, name: str, position: int, data: bytes) -> None:
        """Assert that no octet of a sealed file is ever another than it once was."""
        if not name.endswith(SEALED):
            return
        past = self.history.setdefault(name, {})
        for begin, old in past.items():
            low, high = max(begin, position), min(begin + len(old), position + len(data))
            if low < high:
                before = old[low - begin : high - begin]
                assert before == data[low - position : high - position], "sealed twice"
        if len(past.get(position, b"")) < len(data):
            past[position] = data

    def _names_changed(self) -> None:
        self.names_waiting.append(dict(self.names_seen))

    def _step(self, operation: str) -> Trouble | None:
        """Count an operation; raise, or give the trouble that the caller must act out."""
        trouble = self.trouble
        if trouble is None:
            return None
        if trouble.kind == "sync fails" and operation != "sync":
            return None
        if trouble.kind == "full" and operation not in {"write", "create"}:
            return None
        trouble.countdown -= 1
        if trouble.countdown > 0:
            return None
        if trouble.kind != "full":
            self.trouble = None
        if trouble.kind == "die" and operation != "write":
            raise DiedError
        return trouble


class LossyFile:
    """An open file of a lossy disk."""

    def __init__(self, disk: LossyDisk, inode: Inode) -> None:
        self._disk, self._inode = disk, inode
        self._locked = False

    def length(self) -> int:
        return len(self._inode.seen)

    def read(self, position: int, octets: int) -> bytes:
        lost = self._inode.unreadable
        if lost and position < lost.stop and lost.start < position + octets:
            raise OSError(errno.EIO, "unreadable sector")
        return bytes(self._inode.seen[position : position + octets])

    def write(self, position: int, pieces: Sequence[bytes]) -> None:
        data = b"".join(pieces)
        trouble = self._disk._step("write")
        if trouble is None:
            return self._write(position, data)
        self._write(position, data[: int(len(data) * trouble.torn)])
        if trouble.kind == "die":
            raise DiedError
        raise OSError(errno.ENOSPC, "full")

    def _write(self, position: int, data: bytes) -> None:
        self._disk.record(self._inode.name, position, bytes(data))
        self._inode.change((position, bytes(data)))

    def cut(self, length: int) -> None:
        self._disk._step("cut")
        self._inode.change(length)

    def sync(self) -> None:
        trouble = self._disk._step("sync")
        if trouble is not None:
            # The kernel forgets that these pages were dirty: the rest never reaches the platter.
            self._inode.settle(trouble.fates)
            raise OSError(errno.EIO, "fsync")
        self._inode.sync()

    def begin_sync(self, position: int, octets: int) -> None:
        pass  # what is only begun may as well never reach the platter

    def forget_cached(self) -> None:
        self._inode.read_anew()

    def lock(self) -> None:
        assert not self._locked, "a lock was taken twice"
        self._locked = True

    def unlock(self) -> None:
        self._locked = False

    def close(self) -> None:
        assert not self._locked, "closed under a lock"
