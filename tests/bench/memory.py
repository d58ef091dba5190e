"""Memory: with one very large upload, and with three hundred slow ones at once."""

import argparse
from contextlib import ExitStack, closing
from pathlib import Path

from tests.bench.processes import memory, proportional
from tests.bench.throughput import write_random
from tests.bench.wire import log_in, send
from tests.live import Live, running
from tests.serve.wire import Wire

GIBIBYTE = 1 << 30
SLOW = 300


def run(folder: Path, _options: argparse.Namespace) -> None:
    """Measure and print."""
    content = folder / "content"
    print("\nMemory of master and two workers (MiB)\n\n| | peak resident | proportional |")
    print("| --- | --- | --- |")
    for gibibytes in (0, 1, 5):
        write_random(content, gibibytes * GIBIBYTE)
        (folder / str(gibibytes)).mkdir()
        with running(folder / str(gibibytes)) as live:
            target = log_in(live.base)
            if gibibytes:
                send(target, target.create(content.stat().st_size), content)
            _report(f"one upload of {gibibytes} GiB" if gibibytes else "idle", live)
    content.unlink()
    (folder / "slow").mkdir()
    with running(folder / "slow") as live:
        before = proportional(live.pid)
        _hold(live, before)


def _hold(live: Live, before: int) -> None:
    """Let slow uploads each have half a chunk in memory."""
    source = live.new_source()
    with ExitStack() as stack:
        for _ in range(SLOW):
            url = live.create(source, 1 << 20)
            wire = stack.enter_context(closing(Wire(live)))
            wire.begin_patch(source, url, 0, 1 << 20)
            wire.send(bytes(3 << 15))
        live.answers()
        _report(f"{SLOW} slow uploads", live)
        each = (proportional(live.pid) - before) / SLOW / 1024
    print(f"\nof which each slow upload: {each:.0f} KiB", flush=True)


def _report(name: str, live: Live) -> None:
    peak, shared = memory(live.pid, "VmHWM") >> 20, proportional(live.pid) >> 20
    print(f"| {name} | {peak} | {shared} |", flush=True)
