"""Resuming: from the loss of a connection to the first new octet that is durable."""

import argparse
import os
import statistics
import time
from contextlib import closing
from pathlib import Path

from tests.live import Live, running, wait_until
from tests.serve.wire import Wire

LENGTH = 1 << 20
_CHUNK = 1 << 16


def run(folder: Path, options: argparse.Namespace) -> None:
    """Measure and print."""
    with running(folder) as live:
        for name, reset in (("the old connection was closed", True), ("it is half-open", False)):
            taken = [_once(live, reset=reset) for _ in range(options.rounds * 4)]
            median, worst = statistics.median(taken) * 1000, max(taken) * 1000
            print(f"\nResume when {name}: median {median:.0f} ms, worst {worst:.0f} ms", flush=True)


def _once(live: Live, *, reset: bool) -> float:
    source, content = live.new_source(), os.urandom(LENGTH)
    url = live.create(source, LENGTH)
    with closing(Wire(live)) as old:
        old.begin_patch(source, url, 0, LENGTH)
        old.send(content[: LENGTH // 2])
        wait_until(lambda: live.sealed(url).stat().st_size > LENGTH // 2 - _CHUNK)
        if reset:
            old.close()
        begun = time.monotonic()
        offset = live.offset(source, url)
        live.append(source, url, offset, content[offset : offset + 1]).raise_for_status()
        return time.monotonic() - begun
