"""A disk that forgets what was not synced, dies in mid-write, fills up and fails: all on demand.

It behaves as Linux does: what was written is seen at once (the page cache), is on the platter
after fsync, and a name is there for good after the folder's fsync. A failed fsync drops what
was not synced from the way to the platter, and later ones succeed: that is the trap.

It also remembers every octet that a sealed file ever had at each position, so that a chunk
sealed twice with different content cannot hide behind a truncation.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

SEALED = ".tar.gpg"


class DiedError(BaseException):
    """The process was killed; nothing after this line runs."""


@dataclass
class Inode:
    """A file's content as seen now and as it is on the platter."""

    seen: bytearray = field(default_factory=bytearray)
    platter: bytearray = field(default_factory=bytearray)
    # What was done since the last sync, in order.
    waiting: list[tuple[int, bytes] | int] = field(default_factory=list)
    ever: dict[int, int] = field(default_factory=dict)
    watched: bool = False

    def apply(self, change: tuple[int, bytes] | int, to: bytearray) -> None:
        if isinstance(change, int):
            del to[change:]
            return
        position, data = change
        to.extend(bytes(max(0, position - len(to))))
        to[position : position + len(data)] = data


@dataclass
class Trouble:
    """What goes wrong at the operation that brings `countdown` to zero."""

    countdown: int
    kind: str  # 'die', 'full', 'sync fails'
    torn: float = 0.5  # how much of a write is done before dying


class LossyDisk:
    """One folder; see the module."""

    def __init__(self) -> None:
        self.names_seen: dict[str, Inode] = {}
        self.names_platter: dict[str, Inode] = {}
        self.trouble: Trouble | None = None
        self.history: dict[str, dict[int, bytes]] = {}
        self.room = 1 << 50

    # --- Disk

    def create(self, name: str) -> "LossyFile":
        self._step("create")
        if name in self.names_seen:
            raise FileExistsError(errno.EEXIST, "exists")
        self.names_seen[name] = Inode()
        return LossyFile(self, name, self.names_seen[name])

    def open(self, name: str) -> "LossyFile":
        if name not in self.names_seen:
            raise FileNotFoundError(errno.ENOENT, "missing")
        return LossyFile(self, name, self.names_seen[name])

    def rename(self, name: str, new: str) -> None:
        self._step("rename")
        self.names_seen[new] = self.names_seen.pop(name)

    def remove(self, name: str) -> None:
        self._step("remove")
        self.names_seen.pop(name, None)

    def names(self) -> Iterator[str]:
        return iter(list(self.names_seen))

    def sync_names(self) -> None:
        self._step("sync")
        self.names_platter = dict(self.names_seen)

    def set_day(self, name: str, day: int) -> None:
        assert day >= 0
        if name not in self.names_seen:
            raise FileNotFoundError(errno.ENOENT, "missing")

    def free(self) -> int:
        return self.room

    # --- what a test does to it

    def lose_power(self, keep: Callable[[int], int]) -> None:
        """Forget what was not synced; `keep(n)` tells how many of n waiting changes made it."""
        self.names_seen = dict(self.names_platter)
        for inode in self.names_seen.values():
            for change in inode.waiting[: keep(len(inode.waiting))]:
                inode.apply(change, inode.platter)
            inode.waiting.clear()
            inode.seen = bytearray(inode.platter)
        self.trouble = None

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

    def __init__(self, disk: LossyDisk, name: str, inode: Inode) -> None:
        self._disk, self._name, self._inode = disk, name, inode
        self._locked = False

    def length(self) -> int:
        return len(self._inode.seen)

    def read(self, position: int, octets: int) -> bytes:
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
        self._disk.record(self._name, position, bytes(data))
        change = (position, bytes(data))
        self._inode.apply(change, self._inode.seen)
        self._inode.waiting.append(change)

    def cut(self, length: int) -> None:
        self._disk._step("cut")
        self._inode.apply(length, self._inode.seen)
        self._inode.waiting.append(length)

    def sync(self) -> None:
        trouble = self._disk._step("sync")
        if trouble is not None:
            # The kernel forgets that these pages were dirty: they never reach the platter.
            self._inode.waiting.clear()
            raise OSError(errno.EIO, "fsync")
        for change in self._inode.waiting:
            self._inode.apply(change, self._inode.platter)
        self._inode.waiting.clear()

    def begin_sync(self, position: int, octets: int) -> None:
        pass  # what is only begun may as well never reach the platter

    def forget_cached(self) -> None:
        self._inode.seen = bytearray(self._inode.platter)

    def lock(self) -> None:
        assert not self._locked, "a lock was taken twice"
        self._locked = True

    def unlock(self) -> None:
        self._locked = False

    def close(self) -> None:
        assert not self._locked, "closed under a lock"
