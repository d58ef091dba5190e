"""The staff's offline tool against plain `gpg -d` of the same files; its memory; the contact sheet."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from crypto.archive import Entry, encode_head
from crypto.layout import Layout
from crypto.seal import ChunkCipher, Sealer, data_header, first_plaintext
from crypto.session_key import NewMessageKeys, SessionKeyMaker
from crypto.unseal.build import zipped
from tests.bench.processes import memory
from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.unseal.staff import MODIFIED, RECEIVED, SOURCE, new_id

FILES, LENGTH = 5000, 200_000
BLOCK = 1 << 20
GPG = ("gpg", "--batch", "--quiet", "--yes")
CLIP = [
    "ffmpeg",
    "-loglevel",
    "error",
    "-y",
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size=1280x720:rate=25",
    "-t",
    "20",
    "-c:v",
    "libx264",
    "-pix_fmt",
    "yuv420p",
]


@dataclass(frozen=True)
class Cost:
    """What a run took: wall and CPU seconds, and the most memory of all its processes, in octets."""

    seconds: float
    cpu: float
    memory: int


@dataclass(frozen=True)
class Desk:
    """Staff's machine: the key, the program, and a folder for everything."""

    ngo: Ngo
    keys: NewMessageKeys
    program: Path
    folder: Path

    def run(self, *command: object) -> Cost:
        """Run a command to its end."""
        environment = {**os.environ, "GNUPGHOME": str(self.ngo.home)}
        begun = time.monotonic()
        with subprocess.Popen(
            list(map(str, command)), env=environment, stdout=subprocess.DEVNULL
        ) as process:
            most = _watch(process)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}")
        cpu = used.ru_utime + used.ru_stime
        return Cost(time.monotonic() - begun, cpu, most)

    def unseal(self, *arguments: object) -> Cost:
        """Run the program as staff do."""
        return self.run(sys.executable, "-I", self.program, *arguments)


def _watch(process: "subprocess.Popen[bytes]") -> int:
    """Look at the memory of a process and its children until it ends."""
    most = 0
    # Not `ru_maxrss`: a new process begins with the memory of the one that started it.
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        with suppress(OSError):  # a child that has just ended
            most = max(most, memory(process.pid, "VmRSS"))
        time.sleep(0.05)
    return most


def run(folder: Path, options: argparse.Namespace) -> None:
    """Measure and print."""
    with _desk(folder) as desk:
        print("\n| what | way | seconds | CPU seconds | memory, MB |\n" + "| --- " * 5 + "|")
        for name, number, length, rounds in (
            (f"{FILES} files of {LENGTH} octets", FILES, LENGTH, options.rounds),
            (
                f"one file of {options.gigabytes} GB",
                1,
                options.gigabytes * 10**9,
                min(2, options.rounds),
            ),
        ):
            stick = folder / f"stick of {number}"
            stick.mkdir()
            for _ in range(number):
                _seal_into(stick, desk.keys, length, os.urandom(min(length, BLOCK)))
            _compare(desk, stick, name, rounds)
            shutil.rmtree(stick)
        _look(desk, options.sheet)


@contextmanager
def _desk(folder: Path) -> Iterator[Desk]:
    empty, program = folder / "empty", folder / "unseal"
    empty.mkdir(mode=0o700)
    program.write_bytes(zipped())
    with new_home() as home:
        ngo = make_ngo(home, folder, "ed25519", "cv25519")
        keys = SessionKeyMaker("gpg", empty, [ngo.certificate]).make()
        yield Desk(ngo, keys, program, folder)


def _compare(desk: Desk, stick: Path, name: str, rounds: int) -> None:
    ways: dict[str, Callable[[Path], Cost]] = {
        "gpg -d": lambda into: desk.run(
            "sh", "-euc", _each(stick, into, '>"{into}/$(basename "$f").tar"')
        ),
        "gpg -d, tar x": lambda into: desk.run(
            "sh", "-euc", _each(stick, into, '| tar x -C "{into}"')
        ),
        "unseal": lambda into: desk.unseal(stick, "--into", into),
    }
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, measure in ways.items():
            into = desk.folder / "into"
            into.mkdir()
            costs[way].append(measure(into))
            shutil.rmtree(into)
    plain = _middle(costs["gpg -d"]).seconds
    for way, runs in costs.items():
        cost = _middle(runs)
        share = f"{cost.seconds:.1f} ({cost.seconds / plain:.2f})"
        print(
            f"| {name} | {way} | {share} | {cost.cpu:.1f} | {cost.memory / 1e6:.0f} |", flush=True
        )


def _each(stick: Path, into: Path, then: str) -> str:
    # Dash tells of a gpg that failed before a pipe only by what gpg prints: it would be seen here.
    opened = f'{" ".join(GPG)} -d "$f" {then.format(into=into)}'
    return f'for f in "{stick}"/*.tar.gpg; do {opened}; done'


def _middle(costs: Sequence[Cost]) -> Cost:
    seconds = median(cost.seconds for cost in costs)
    return min(costs, key=lambda cost: abs(cost.seconds - seconds))


def _seal_into(
    stick: Path, keys: NewMessageKeys, length: int, content: bytes, name: str = "large.mp4"
) -> None:
    """Seal an upload of `length` octets that repeat `content`."""
    upload, iv = new_id(), os.urandom(15)
    head = encode_head(Entry(name, MODIFIED, RECEIVED, "video/mp4", upload, SOURCE), length)
    layout = Layout(len(keys.pkesks), len(head), length)
    sealer = Sealer(ChunkCipher(keys.session_key, iv), layout, 0, first_plaintext(layout, head))
    with (stick / f"{upload}.tar.gpg").open("wb") as file:
        file.write(keys.pkesks + data_header(layout, iv))
        for begin in range(0, length, len(content)):
            file.writelines(sealer.add(content[: length - begin]))
        file.writelines(sealer.end())


def _look(desk: Desk, number: int) -> None:
    if not shutil.which("ffmpeg"):
        print("\nthere is no ffmpeg here: the contact sheet was not measured")
        return
    stick, clip = desk.folder / "clips", desk.folder / "clip.mp4"
    stick.mkdir()
    desk.run(*CLIP, clip)
    content = clip.read_bytes()
    for place in range(number):
        different = content + os.urandom(64)
        _seal_into(stick, desk.keys, len(different), different, f"clip {place:04}.mp4")
    desk.unseal(stick, "--into", desk.folder / "looked")
    cost = desk.unseal("look", desk.folder / "looked" / SOURCE.replace(" ", "-"))
    print(
        f"\ncontact sheet of {number} clips (720p, 20 s, {len(content) / 1e6:.1f} MB): "
        f"{cost.seconds:.0f} s, {cost.seconds / number:.2f} s a clip, {cost.cpu / number:.2f} s of CPU"
    )
