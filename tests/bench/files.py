"""Thousands of clips: 5,000 files of 200 KB from one source, and where the time goes."""

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import requests

from crypto.session_key import SessionKeyMaker
from tests.bench.processes import cpu_seconds
from tests.live import Live, running

COUNT, LENGTH = 5000, 200_000
_TUS = {"Tus-Resumable": "1.0.0"}
_OCTETS = {"Content-Type": "application/offset+octet-stream"}


def run(folder: Path, _options: argparse.Namespace) -> None:
    """Measure and print."""
    content = os.urandom(LENGTH)
    print(f"\n{COUNT} files of {LENGTH} octets, one source\n")
    print("| way | connections | files/s | CPU ms a file |\n| --- | --- | --- | --- |")
    with running(folder) as live:
        for name, connections, way in (
            ("tus, octets with the creation", 1, _with_creation),
            ("tus, octets with the creation", 4, _with_creation),
            ("tus, creation then PATCH", 4, _then_patch),
        ):
            before = cpu_seconds(live.pid)
            seconds = _send(live, connections, partial(way, live, content))
            cpu = (cpu_seconds(live.pid) - before) / COUNT * 1000
            print(f"| {name} | {connections} | {COUNT / seconds:.0f} | {cpu:.1f} |", flush=True)
        _explain(live, folder)


def _send(live: Live, connections: int, once: Callable[[requests.Session], None]) -> float:
    source = live.new_source()
    sessions = [_same(source) for _ in range(connections)]
    begun = time.monotonic()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(lambda number: once(sessions[number % connections]), range(COUNT)))
    return time.monotonic() - begun


def _same(source: requests.Session) -> requests.Session:
    session = requests.Session()
    session.cookies.update(source.cookies)
    return session


def _with_creation(live: Live, content: bytes, source: requests.Session) -> None:
    headers = {**_TUS, **_OCTETS, "Upload-Length": str(LENGTH)}
    source.post(f"{live.base}/uploads", content, headers=headers, timeout=60).raise_for_status()


def _then_patch(live: Live, content: bytes, source: requests.Session) -> None:
    url = live.create(source, LENGTH)
    live.append(source, url, 0, content).raise_for_status()


def _explain(live: Live, folder: Path) -> None:
    """Time the parts of one file: GnuPG's session key, and an fsync."""
    home = folder / "empty"
    home.mkdir(mode=0o700)
    maker = SessionKeyMaker("gpg", home, [live.ngo.certificate])
    print(f"\nof one file: session key by GnuPG {_milliseconds(maker.make):.1f} ms", end="")
    with (folder / "probe").open("wb", buffering=0) as file:

        def write() -> None:
            file.write(bytes(LENGTH))
            os.fsync(file.fileno())

        print(f", write and fsync of {LENGTH} octets {_milliseconds(write):.1f} ms", flush=True)


def _milliseconds(once: Callable[[], object], times: int = 50) -> float:
    begun = time.monotonic()
    for _ in range(times):
        once()
    return (time.monotonic() - begun) / times * 1000
