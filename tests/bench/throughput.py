"""1 GiB over loopback: ours, against programs that do less."""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.processes import cpu_seconds
from tests.bench.wire import Target, log_in, send
from tests.live import free_port, running, wait_until

_ROOT = Path(__file__).parents[2]
LENGTH = 1 << 30

Sample = tuple[float, float]  # seconds, CPU seconds
Run = Callable[[], Sample]


def run(folder: Path, options: argparse.Namespace) -> None:
    """Measure in interleaved rounds and print medians."""
    content = folder / "content"
    write_random(content, LENGTH)
    with ExitStack() as stack:
        runs: dict[str, Run] = {}
        (folder / "home").mkdir()
        live = stack.enter_context(running(folder / "home"))
        ours = log_in(live.base)
        runs["Nightferry"] = lambda: _upload(ours, live.pid, content, live.uploads)
        for kind, name in (("discard", "(a) discard"), ("write", "(b) write and fsync")):
            runs[name] = stack.enter_context(_other(folder / kind, content, _plain(kind)))
        runs["(c) gpg --encrypt"] = lambda: _gpg(live.ngo.certificate, content, folder / "c.gpg")
        runs["(d) @tus/server"] = stack.enter_context(_other(folder / "tus", content, _node))
        samples = measure(runs, options.rounds)
    _report(samples)


def measure(runs: dict[str, Run], rounds: int) -> dict[str, list[Sample]]:
    """Run everything once to warm up, then in turn, `rounds` times."""
    samples: dict[str, list[Sample]] = {name: [] for name in runs}
    for round_number in range(rounds + 1):
        for name, once in runs.items():
            sample = once()
            if round_number:
                samples[name].append(sample)
    return samples


def _report(samples: dict[str, list[Sample]]) -> None:
    medians = {
        name: (
            statistics.median(LENGTH / seconds / 1e6 for seconds, _ in taken),
            statistics.median(cpu for _, cpu in taken),
        )
        for name, taken in samples.items()
    }
    limit = medians["(b) write and fsync"][0]
    print(
        "\n1 GiB over loopback, medians\n\n| | MB/s | x (b) | CPU s/GiB |\n| --- | --- | --- | --- |"
    )
    for name, (speed, cpu) in medians.items():
        print(f"| {name} | {speed:.0f} | {speed / limit:.2f} | {cpu:.2f} |", flush=True)


def write_random(path: Path, octets: int) -> None:
    """Write a file that cannot be compressed."""
    with path.open("wb") as file:
        for _ in range(octets >> 20):
            file.write(os.urandom(1 << 20))


def _upload(target: Target, pid: int, content: Path, kept: Path) -> Sample:
    path = target.create(content.stat().st_size)
    before = cpu_seconds(pid)
    seconds = send(target, path, content)
    cpu = cpu_seconds(pid) - before
    for file in kept.iterdir():
        file.unlink()
    return seconds, cpu


def _gpg(certificate: Path, content: Path, sealed: Path) -> Sample:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    command = ["gpg", "--batch", "--yes", "--no-options", "--no-keyring", "--trust-model", "always"]
    command += ["--compress-algo", "none", "--recipient-file", str(certificate)]
    command += ["--output", str(sealed), "--encrypt", str(content)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    with sealed.open("rb") as file:
        os.fsync(file.fileno())
    seconds = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    sealed.unlink()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu


Command = Callable[[int, Path], list[str]]


def _plain(kind: str) -> Command:
    return lambda port, folder: [
        sys.executable,
        "-m",
        "tests.bench.plain",
        kind,
        str(port),
        str(folder),
    ]


def _node(port: int, folder: Path) -> list[str]:
    return ["node", str(_ROOT / "tests/bench/tus_server.mjs"), str(port), str(folder)]


@contextmanager
def _other(folder: Path, content: Path, command: Command) -> Iterator[Run]:
    folder.mkdir()
    port = free_port()
    with subprocess.Popen(command(port, folder), cwd=_ROOT) as process:
        target = Target(f"http://127.0.0.1:{port}/uploads")
        try:
            wait_until(lambda: _answers(target), process)
            yield lambda: _upload(target, process.pid, content, folder)
        finally:
            process.terminate()


def _answers(target: Target) -> bool:
    try:
        target.create(1)
    except OSError:
        return False
    return True
