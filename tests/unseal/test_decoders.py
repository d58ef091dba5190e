"""Decoders and the sandbox: what they may take, what they see, and how what they say is read.

What needs ffmpeg, exiftool and bubblewrap is marked slow and has its own command:
    apt install bubblewrap ffmpeg libimage-exiftool-perl
    python -m pytest tests/unseal/test_decoders.py -m slow
"""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.unseal.media import Looker, Seen, parse_description, parse_exif, parse_time
from crypto.unseal.sandbox import FILE, Limits, Sandbox, find_program
from crypto.unseal.verify import check
from tests.unseal.hand_made import Bag, bag_in, looked
from tests.unseal.staff import Staff

KEYS = ["format", "streams", "tags", "codec_type", "codec_name", "duration", "creation_time"]
KEYS += ["width", "format_name", "disposition", "attached_pic", "DateTimeOriginal"]


@pytest.fixture
def bag(tmp_path: Path) -> Bag:
    """Give an empty bag."""
    return bag_in(tmp_path / "quiet-harbour")


# --- what programs say -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ("2024-05-01T10:22:33.000000Z", "2024-05-01 10:22:33 UTC"),
        ("2024:05:01 10:22:33", "2024-05-01 10:22:33"),
        ("2024:05:01 10:22:33+03:00", "2024-05-01 10:22:33 +03:00"),
        ("2024-05-01T10:22:33 <script>", "2024-05-01 10:22:33"),
        ("1904-01-01T00:00:00.000000Z", ""),
        ("0000:00:00 00:00:00", ""),
        ("<b>", ""),
        (None, ""),
        (20240501, ""),
    ],
)
def test_a_time_of_recording_is_a_time_or_nothing(said: object, time: str) -> None:
    """Only digits and a zone come through."""
    assert parse_time(said) == time


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inside: (
            st.lists(inside) | st.dictionaries(st.sampled_from(KEYS), inside, max_size=4)
        ),
        max_leaves=20,
    )
)
def test_whatever_ffprobe_writes_is_read_or_nothing(said: object) -> None:
    """A decoder that was taken over can write anything: no exception, and no text of its own."""
    seen = parse_description(json.dumps(said).encode())
    assert seen is None or seen.kind in {"video", "image", "audio"}
    parse_exif(json.dumps(said).encode())


@pytest.mark.parametrize(
    "said", [b"", b"\xff", b"[" * 100_000, b"[]", b'{"format":{},"streams":[]}']
)
def test_octets_that_are_no_description_are_none(said: bytes) -> None:
    """Truncated, deep, empty."""
    assert parse_description(said) is None
    assert parse_exif(said) == ""


def test_numbers_have_bounds() -> None:
    """No length of a million years, no width below nothing, no codec with a script in it."""
    stream = {"codec_type": "video", "codec_name": "<b>", "width": -1, "height": 1 << 40}
    for duration in ("inf", "nan", "-1", "1e300", 5, None, "x"):
        said = {"format": {"format_name": "mov", "duration": duration}, "streams": [stream]}
        assert parse_description(json.dumps(said).encode()) == Seen("video")


# --- the sandbox and its limits, with programs that every machine has --------------------------


@pytest.fixture
def open_sandbox() -> Sandbox:
    """Give the limits alone: what the walls do is tested where bubblewrap is."""
    prlimit = find_program("prlimit")
    assert prlimit, "util-linux is on every Debian"
    return Sandbox(None, prlimit)


LIMITS = Limits(seconds=5, memory=1 << 30, output=1000)


@pytest.mark.parametrize(
    "command",
    [
        ["/usr/bin/sh", "-c", "kill -SEGV $$"],
        ["/usr/bin/sh", "-c", "echo something; exit 1"],
        ["/usr/bin/yes"],
        ["/nonexistent"],
    ],
)
def test_a_program_that_crashes_or_babbles_gives_nothing(
    open_sandbox: Sandbox, tmp_path: Path, command: list[str]
) -> None:
    """A crash, an error, endless output, a program that is gone: None, and the run goes on."""
    assert open_sandbox.run(command, tmp_path, LIMITS) is None


def test_a_program_that_hangs_is_ended(open_sandbox: Sandbox, tmp_path: Path) -> None:
    """With all that it has started."""
    command = ["/usr/bin/sh", "-c", "sleep 1000 & sleep 1000"]
    assert open_sandbox.run(command, tmp_path, dataclasses.replace(LIMITS, seconds=1)) is None


def test_a_program_that_takes_much_memory_is_refused_it(
    open_sandbox: Sandbox, tmp_path: Path
) -> None:
    """A picture of a million by a million pixels ends its decoder and nothing else."""
    command = [sys.executable, "-c", "print(len(bytearray(1 << 30)))"]
    small = dataclasses.replace(LIMITS, memory=1 << 28)
    assert open_sandbox.run(command, tmp_path, small) is None
    assert open_sandbox.run([sys.executable, "-c", "print(1)"], tmp_path, small) == b"1\n"


def test_a_name_is_no_option_and_no_command(open_sandbox: Sandbox, tmp_path: Path) -> None:
    """It is given as an absolute path, in one word, to no shell."""
    path = tmp_path / "-rf $(touch x); *"
    path.write_bytes(b"content")
    assert open_sandbox.run(["/usr/bin/cat", FILE], path, LIMITS) == b"content"
    assert open_sandbox.run(["/usr/bin/echo", FILE], path, LIMITS) == f"{path}\n".encode()


# --- with the real programs: its own command, see above ------------------------------------------


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Make a film, a picture and a sound."""
    folder = tmp_path_factory.mktemp("clips")
    said = ["-metadata", "creation_time=2024-05-01T10:22:33Z"]
    for name, words in {
        "film.mp4": ["-i", "testsrc2=size=640x360:rate=10:duration=3", *said],
        "picture.jpg": ["-i", "testsrc=size=800x600", "-frames:v", "1"],
        "sound.mp3": ["-i", "sine=duration=2"],
    }.items():
        command = ["ffmpeg", "-v", "error", "-f", "lavfi", *words, str(folder / name)]
        subprocess.run(command, check=True, timeout=60)
    exif = ["exiftool", "-q", "-overwrite_original", "-DateTimeOriginal=2023:01:02 03:04:05"]
    subprocess.run([*exif, str(folder / "picture.jpg")], check=True, timeout=60)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def walled() -> Iterator[Sandbox]:
    """Give the sandbox as staff have it."""
    sandbox = Sandbox(find_program("bwrap"), find_program("prlimit") or "")
    assert sandbox.works()
    yield sandbox
    sandbox.stop()


@pytest.mark.slow
def test_films_pictures_and_sounds_are_seen(
    bag: Bag, staff: Staff, clips: dict[str, bytes]
) -> None:
    """Length, codec, size, time of recording and thumbnail; a file that is none of them says so."""
    for name, content in {
        **clips,
        "noise.mp4": os.urandom(5000),
        "cut.mp4": clips["film.mp4"][:2000],
    }.items():
        bag.put(name, content)
    ran = looked(bag, staff)
    assert (ran.code, ran.complained) == (0, "")
    rows = {str(row["name"]): row for row in bag.rows}
    film = rows["film.mp4"]
    assert (film["kind"], film["length"], film["pixels"]) == (
        "video",
        "0:00:03",
        "640\N{MULTIPLICATION SIGN}360",
    )
    assert film["recorded"] == "2024-05-01 10:22:33 UTC"
    assert rows["picture.jpg"]["recorded"] == "2023-01-02 03:04:05"
    assert rows["picture.jpg"]["kind"] == "image"
    assert (rows["sound.mp3"]["kind"], rows["sound.mp3"]["codec"]) == ("audio", "mp3")
    assert rows["noise.mp4"]["trouble"]
    for name in ("film.mp4", "picture.jpg"):
        picture = (bag.folder / str(rows[name]["thumbnail"])).read_bytes()
        assert picture.startswith(b"\xff\xd8\xff")
        assert b"Exif" not in picture
    assert check(bag.folder, lambda _octets: None).faults == []


@pytest.mark.slow
def test_a_second_run_looks_at_what_is_new(bag: Bag, staff: Staff, clips: dict[str, bytes]) -> None:
    """By hash: copies once, known ones not again, after a torn line only what it stood for."""
    bag.put("a.mp4", clips["film.mp4"])
    bag.put("b.mp4", clips["film.mp4"])
    assert looked(bag, staff).code == 0
    notes = bag.folder / "index-files/seen.jsonl"
    assert notes.read_text().count("\n") == 1
    first = notes.read_bytes()
    bag.put("c.jpg", clips["picture.jpg"])
    assert looked(bag, staff).code == 0
    assert notes.read_bytes().startswith(first)
    assert notes.read_text().count("\n") == 2
    notes.write_bytes(notes.read_bytes()[:-20])
    assert looked(bag, staff).code == 0
    assert [row["kind"] for row in bag.rows] == ["video", "video", "image"]


@pytest.mark.slow
def test_inside_the_sandbox_there_is_one_file_and_no_network(
    walled: Sandbox, tmp_path: Path
) -> None:
    """No home, no other file of the bag, no interface, no process of ours, nothing to write to."""
    (tmp_path / "one").write_bytes(b"one")
    (tmp_path / "other").write_bytes(b"other")
    script = "cat /in/*; ls -A /in /home /etc 2>/dev/null; ls /proc | grep -c '^[0-9]'"
    script += "; cut -d: -f1 /proc/net/dev | tail -n +3; touch /in/x /usr/x 2>/dev/null || echo no"
    out = walled.run(["/usr/bin/sh", "-c", script], tmp_path / "one", LIMITS)
    assert out
    words = out.decode().split()
    assert words[0].startswith("one")
    assert "other" not in out.decode()
    assert "passwd" not in words
    assert words[-2:] == ["lo", "no"]
    assert walled.run(["/usr/bin/env"], tmp_path / "one", LIMITS) is not None
    leaked = walled.run(["/usr/bin/cat", str(tmp_path / "other")], tmp_path / "one", LIMITS)
    assert leaked is None


@pytest.mark.slow
def test_a_playlist_leads_nowhere(walled: Sandbox, tmp_path: Path) -> None:
    """A film that names other files or addresses is none."""
    looker = Looker(walled, *(find_program(n) for n in ("ffprobe", "ffmpeg", "exiftool")))
    for content in (
        "#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n",
        "ffconcat version 1.0\nfile /etc/hostname\n",
    ):
        (tmp_path / "film.mp4").write_text(content)
        assert looker.look(tmp_path / "film.mp4")[0].kind == "other"


@pytest.mark.slow
def test_without_walls_it_works_too_if_somebody_types_that(
    bag: Bag, staff: Staff, clips: dict[str, bytes]
) -> None:
    """Said each time."""
    bag.put("a.mp4", clips["film.mp4"])
    ran = looked(bag, staff, "--no-sandbox")
    assert ran.code == 0
    assert "WITHOUT A SANDBOX" in ran.words
    assert bag.rows[0]["kind"] == "video"
