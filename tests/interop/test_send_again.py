"""`./nightferry send`, started again: the same file goes on, and no two files become one."""

import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
import requests

from submit.cli.sameness import describe
from tests.fetch.circuit import Circuit
from tests.live import Live

ROOT = Path(__file__).parents[2]
SAMPLES = Path(__file__).with_name("sample.mjs")
SCRIPT = ROOT / "submit/web/static/sameness.js"
SHORT = 4 << 20  # octets; the page takes a sample of what is longer
LONG = (6 << 20) + 3
HAD = 2 << 20  # octets of the unfinished upload
TIME = 1_700_000_000_123  # milliseconds
HOUR = 3_600_000
NAME = "CLIP0001.MP4"
SAID = "is of another file"


def run(base: str, *arguments: object, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run `send` in a process of its own."""
    return subprocess.run(
        command(base, *arguments),
        env=environment(),
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def command(base: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "submit.cli", "send", "--to", base, *map(str, arguments)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}


def clip(folder: Path, length: int = LONG, modified: int = TIME) -> Path:
    """A file as a recorder writes them: the name and the length of its neighbour, the same head."""
    path = folder / NAME
    folder.mkdir(exist_ok=True)
    path.write_bytes(bytes(4096) + os.urandom(length - 4096))
    touch(path, modified)
    return path


def touch(path: Path, modified: int) -> None:
    """Give it a time, which disks keep finer than a browser tells it."""
    os.utime(path, ns=(0, modified * 1_000_000 + 999_999))


def by_the_page(path: Path) -> dict[str, str]:
    """Give the metadata with which the page's script begins this file."""
    facts = {"filename": path.name, "lastModified": str(TIME), "filetype": "video/mp4"}
    return {key: value for key, value in {**facts, "sample": sample(path)}.items() if value}


def sample(*paths: Path) -> str:
    """Give what the page's script takes of each file, a line each."""
    done = subprocess.run(
        ["node", "--no-warnings", SAMPLES, SCRIPT, *paths],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.removesuffix("\n")


def begin(server: Live, source: requests.Session, path: Path, facts: dict[str, str]) -> str:
    """Leave an upload of a file unfinished; give its URL."""
    metadata = ",".join(f"{key} {b64encode(facts[key].encode()).decode()}" for key in facts)
    url = server.create(source, path.stat().st_size, metadata)
    assert server.append(source, url, 0, path.read_bytes()[:HAD]).ok
    return url


def again(server: Live, source: requests.Session, path: Path) -> str:
    """Send with the same codename; give what was said."""
    codename: str = source.codename  # type: ignore[attr-defined] # tests.live puts it there
    done = run(server.base, path, typed=f"{codename}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything has arrived" in done.stdout
    return done.stdout


def unfinished(server: Live, source: requests.Session) -> list[int]:
    """Give how far each unfinished upload is."""
    drop = source.get(f"{server.base}/drop", timeout=30).json()
    return [one["offset"] for one in drop["unfinished"]]


def arrived(server: Live, folder: Path) -> list[bytes]:
    """Open the clips that have arrived, and clear everything away."""
    sealed = sorted(server.uploads.glob("*.tar.gpg"))
    contents = [one.content for one in server.open_all(folder) if one.name == NAME]
    for one in sealed:
        one.unlink()
    return contents


def is_kept_apart(server: Live, first: Path, second: Path, facts: dict[str, str]) -> None:
    """Begin the first as `facts` say, send the second; both must be as they should be."""
    source = server.new_source()
    url = begin(server, source, first, facts)
    assert SAID in again(server, source, second)
    assert server.offset(source, url) == HAD
    assert unfinished(server, source) == [HAD]
    server.append(source, url, HAD, first.read_bytes()[HAD:])
    contents = arrived(server, first.parent / "opened")
    assert sorted(contents) == sorted([first.read_bytes(), second.read_bytes()])


@pytest.mark.parametrize("length", [SHORT, LONG])
def test_two_files_of_one_name_and_length_are_not_joined(
    server: Live, tmp_path: Path, length: int
) -> None:
    """Clips of two days: the end of one is never put behind the beginning of the other."""
    first = clip(tmp_path / "a", length)
    second = clip(tmp_path / "b", length, TIME + 24 * HOUR)
    is_kept_apart(server, first, second, describe(first))


def test_the_content_is_looked_at_not_only_the_time(server: Live, tmp_path: Path) -> None:
    """Copied by a program that gives all files one time, two clips are still two."""
    first, second = clip(tmp_path / "a"), clip(tmp_path / "b")
    is_kept_apart(server, first, second, describe(first))


@pytest.mark.parametrize("missing", [("lastModified", "sample"), ("sample",), ("lastModified",)])
def test_what_nobody_can_tell_from_another_file_is_not_joined(
    server: Live, tmp_path: Path, missing: tuple[str, ...]
) -> None:
    """Begun by a program that said too little of its file, even if it is this one."""
    path = clip(tmp_path / "a")
    facts = {key: value for key, value in describe(path).items() if key not in missing}
    is_kept_apart(server, path, path, facts)


def test_the_same_file_with_another_time_begins_anew(server: Live, tmp_path: Path) -> None:
    """It may have been written to in between; that it begins anew is said."""
    path = clip(tmp_path / "a")
    facts = describe(path)
    touch(path, TIME + HOUR)
    is_kept_apart(server, path, path, facts)


@pytest.mark.parametrize("length", [SHORT, LONG])
def test_what_the_page_has_begun_goes_on(server: Live, tmp_path: Path, length: int) -> None:
    """The same facts and the same sample: nothing is sent twice, and one file arrives."""
    path = clip(tmp_path / "a", length)
    source = server.new_source()
    begin(server, source, path, by_the_page(path))
    assert SAID not in again(server, source, path)
    assert unfinished(server, source) == []
    assert arrived(server, tmp_path / "opened") == [path.read_bytes()]


def test_of_several_the_right_one_goes_on(server: Live, tmp_path: Path) -> None:
    """Two of one name are unfinished: each is gone on with by its own file."""
    first, second = clip(tmp_path / "a"), clip(tmp_path / "b", modified=TIME + 1)
    source = server.new_source()
    urls = [begin(server, source, path, describe(path)) for path in (first, second)]
    assert SAID not in again(server, source, second)
    assert unfinished(server, source) == [HAD]
    assert server.offset(source, urls[0]) == HAD
    again(server, source, first)
    contents = arrived(server, tmp_path / "opened")
    assert sorted(contents) == sorted([first.read_bytes(), second.read_bytes()])


def test_killed_in_the_middle_it_goes_on(server: Live, tmp_path: Path) -> None:
    """Started again with the codename that it printed, it makes no second upload."""
    path = clip(tmp_path / "a", 12 << 20)
    with Circuit(server.port) as circuit:
        circuit.stall_after = 2200  # octets of answers: some pieces have arrived by then
        with subprocess.Popen(
            command(circuit.base, "--new", path), env=environment(), stdout=subprocess.PIPE
        ) as killed:
            assert circuit.stalled.wait(60)
            killed.kill()
            said = killed.communicate(timeout=30)[0].decode()
    codename = said.splitlines()[1]
    with Circuit(server.port) as circuit:
        done = run(circuit.base, path, typed=f"{codename}\n")
        assert done.returncode == 0, done.stdout + done.stderr
        assert circuit.lines(b"POST /uploads ") == []
        assert len(circuit.asked) < path.stat().st_size
    assert arrived(server, tmp_path / "opened") == [path.read_bytes()]


def test_the_sample_is_the_pages(tmp_path: Path) -> None:
    """At every length, also where the places do not divide it evenly."""
    lengths = (SHORT, SHORT + 1, SHORT + 14, (5 << 20) + 7, (33 << 20) + 11)
    paths = [clip(tmp_path / str(length), length) for length in lengths]
    ours = [describe(path).get("sample", "") for path in paths]
    assert ours == sample(*paths).split("\n")
    assert ours[0] == ""
    assert len(set(ours)) == len(paths)
