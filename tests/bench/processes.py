"""What a server's processes cost: CPU seconds and memory, read from /proc."""

import os
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> Iterator[int]:
    """Give a process and all that it has started."""
    yield pid
    # The master and its workers start processes from their first thread only; gpg comes and goes.
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """Give the CPU seconds that a process and its children have used, ended children included."""
    ticks = 0
    for process in tree(pid):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / _TICKS


def memory(pid: int, kind: str) -> int:
    """Give the sum of `kind` (VmHWM: peak resident; VmRSS: resident) of a tree, in octets."""
    total = 0
    for process in tree(pid):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(f"{kind}:"):
                total += int(line.split()[1]) * 1024
    return total


def proportional(pid: int) -> int:
    """Give the sum of the proportional set sizes of a tree, in octets."""
    total = 0
    for process in tree(pid):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total
