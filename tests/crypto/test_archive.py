"""The tar around a file: the exact name where a file can have it, harmless where none can."""

import datetime as dt
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.archive import Entry, encode_head, encode_receipt, writable_path
from tests import reader
from tests.crypto.sealing import SESSION_KEY, Upload, tar_x

DAY = dt.date(2024, 2, 29)

WRITABLE = {
    "Cyrillic": "видео-17.mp4",
    "Arabic": "شهادة السجين.mov",
    "right to left override": "photo\u202egnp.exe",
    "emoji": "🎥🧑🏽‍🦱 interview.mkv",
    "decomposed letters": "Ame\u0301lie.txt",
    "255 octets": "ф" * 125 + ".mp4" + "x",
    "a line end": "first\nsecond.txt",
    "a carriage return": "first\rsecond.txt",
    "a terminal's escape": "\x1b[2J\x1b]0;title\x07.txt",
    "a reserved name of Windows": "CON",
    "a reserved device": "aux.txt",
    "a name that looks like an option": "--checkpoint-action=exec=sh x.sh",
    "markup": "<img src=x onerror=alert(1)>.jpg",
    "a backslash": "..\\..\\x",
    "white space": " ",
    "quotes": "\"';`$(id)`.txt",
    "a folder": "2023/11/камера 4/0001.mp4",
    "a longer path than an old tar header has": "/".join(["folder" * 10] * 20),
    "a percent sign": "%2e%2e%2fx",
    "a record of the pax header": "27 path=é.txt\n30 mtime=1\n",
    "100 octets": "n" * 100,
    "101 octets": "n" * 101,
}
UNWRITABLE = {
    "climbing": ("../../x", "__/__/x"),
    "climbing from within": ("a/../../../.bashrc", "a/__/__/__/.bashrc"),
    "only dots": ("..", "__"),
    "one dot": (".", "_"),
    "a dot within": ("a/./b", "a/_/b"),
    "from the root": ("/etc/passwd", "etc/passwd"),
    "from the root, twice": ("//etc//passwd", "etc/passwd"),
    "a folder's name": ("folder/", "folder"),
    "NUL": ("clip\0.mp4", "clip_.mp4"),
    "300 octets": ("n" * 296 + ".mp4", "n" * 251 + ".mp4"),
    "256 octets": ("n" * 256, "n" * 255),
    "300 octets of Cyrillic": ("ф" * 150 + ".mp4", "ф" * 125 + ".mp4"),
    "two dots": ("n" * 150 + "." + "m" * 150 + ".mp4", "n" * 150 + "." + "m" * 100 + ".mp4"),
    "an ending of 30 octets": ("n" * 250 + "." + "e" * 30, "n" * 224 + "." + "e" * 30),
    "an ending of 31 octets": ("n" * 250 + "." + "e" * 31, "n" * 250 + "." + "e" * 4),
    "a long ending": ("n" * 200 + "." + "e" * 100, "n" * 200 + "." + "e" * 54),
    "empty": ("", "nameless"),
    "only slashes": ("///", "nameless"),
    "a path of 5000 octets": ("/".join(["f" * 250] * 20) + "/clip.mp4", "clip.mp4"),
}


def entry(
    path: str, modified: int | None = 1_700_000_000_123, filetype: str | None = None
) -> Entry:
    """What is known of a file with this path."""
    return Entry(path, modified, DAY, filetype, "a" * 26, "quiet harbour")


def unpacked(path: str, content: bytes, folder: Path) -> reader.Opened:
    """Seal a file, open it with the second reader, and let tar unpack what gpg would give."""
    upload = Upload(len(content), path=path)
    opened = reader.read(upload.seal(content), SESSION_KEY)
    assert opened.receipt["path"] == path
    tar = upload.head + content + bytes(upload.layout.archive_end)
    inner = folder / "in" / "here"
    inner.mkdir(parents=True)
    done = tar_x(tar, inner)
    assert (done.returncode, done.stderr) == (0, b"")
    return opened


def files_below(folder: Path) -> list[bytes]:
    """Every file's path below a folder, in octets."""
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return [os.fsencode(path.relative_to(folder)) for path in found]


@pytest.mark.parametrize("path", WRITABLE.values(), ids=WRITABLE)
def test_a_name_that_a_file_can_have_is_exact_on_disk(path: str, tmp_path: Path) -> None:
    """Finding werkzeug#2376: what the source called it is what `tar x` writes, octet for octet."""
    opened = unpacked(path, b"content", tmp_path)
    assert opened.name == path
    assert files_below(tmp_path / "in" / "here") == [path.encode()]
    assert files_below(tmp_path) == [b"in/here/" + path.encode()]


@pytest.mark.parametrize(("path", "written"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_a_name_that_no_file_can_have_is_harmless_on_disk(
    path: str, written: str, tmp_path: Path
) -> None:
    """`../../x` and its kin stay exact in the receipt, and nothing is written outside."""
    unpacked(path, b"content", tmp_path)
    assert files_below(tmp_path) == [b"in/here/" + written.encode()]


@pytest.mark.parametrize("path", ["clip.mp4", "../../x"])
def test_what_is_unpacked_can_be_read_by_its_owner_and_run_by_nobody(
    path: str, tmp_path: Path
) -> None:
    """Finding SD#2238: a file that arrives is data; no bit lets it be executed or read by others."""
    unpacked(path, b"#!/bin/sh", tmp_path)
    [name] = files_below(tmp_path)
    assert (tmp_path / os.fsdecode(name)).stat().st_mode & 0o7777 == 0o600


@pytest.mark.parametrize("modified", [0, 1, 999, 1_700_000_000_123, 253_402_300_799_999])
def test_the_time_is_exact_to_the_millisecond(modified: int, tmp_path: Path) -> None:
    """A file's own time is evidence: tar writes it as the source's program gave it."""
    upload = Upload(1, modified=modified)
    tar = upload.head + b"x" + bytes(upload.layout.archive_end)
    assert tar_x(tar, tmp_path).returncode == 0
    on_disk = (tmp_path / "clip.mp4").stat().st_mtime_ns
    # A file system of this machine may end before the year 9999; the entry does not.
    assert on_disk == modified * 10**6 or modified > 1 << 43
    assert reader.read(upload.seal(b"x"), SESSION_KEY).receipt["modified"] == modified


def test_without_a_time_the_entry_has_the_day_it_arrived(tmp_path: Path) -> None:
    """A file without a time gets midnight of its day: nothing finer is known to us at rest."""
    upload = Upload(1, modified=None)
    assert "modified" not in reader.read(upload.seal(b"x"), SESSION_KEY).receipt
    tar_x(upload.head + b"x" + bytes(upload.layout.archive_end), tmp_path)
    midnight = dt.datetime(2023, 11, 15, tzinfo=dt.UTC).timestamp()
    assert (tmp_path / "clip.mp4").stat().st_mtime == midnight


def test_midnight_is_that_of_utc_wherever_the_server_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server's own time zone must not show in a file."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        elsewhere = encode_head(entry("x", None), 1)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert elsewhere == encode_head(entry("x", None), 1)
    midnight = dt.datetime(2024, 2, 29, tzinfo=dt.UTC).timestamp()
    assert reader.entry(elsewhere + bytes(1024)).mtime == midnight


def test_the_receipt_has_every_fact_in_its_order() -> None:
    """The receipt of docs/format.md, with everything that can be known."""
    receipt = encode_receipt(entry("видео.mp4", filetype="video/mp4"))
    assert receipt == (
        '{"nightferry":1,"upload":"aaaaaaaaaaaaaaaaaaaaaaaaaa","source":"quiet harbour",'
        '"received":"2024-02-29","path":"\\u0432\\u0438\\u0434\\u0435\\u043e.mp4",'
        '"modified":1700000000123,"filetype":"video/mp4"}'
    )


def test_the_receipt_leaves_out_what_is_not_known() -> None:
    """A fact that nobody gave is absent, and an empty name is a name."""
    receipt = json.loads(encode_receipt(entry("", None, None)))
    assert list(receipt) == ["nightferry", "upload", "source", "received", "path"]
    assert receipt["path"] == ""


def test_a_time_of_zero_is_a_time() -> None:
    """The first millisecond of 1970 is what some cameras say, and it is not the same as nothing."""
    assert json.loads(encode_receipt(entry("x", 0)))["modified"] == 0


@settings(max_examples=200)
@given(st.text(max_size=400))
def test_any_name_becomes_one_that_can_be_written(path: str) -> None:
    """Whatever text a name is, the entry's is relative, short enough and climbs nowhere."""
    written = writable_path(path)
    assert reader.is_writable(written)
    assert reader.is_right_name(written, path)
    assert writable_path(written) == written


@settings(max_examples=100)
@given(st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=30))
def test_any_path_becomes_one_that_can_be_written(parts: list[str]) -> None:
    """The same for paths of many parts, up to more than a system can hold."""
    path = "/".join(parts)
    assert reader.is_right_name(writable_path(path), path)
    assert reader.is_writable(writable_path(path))


@settings(max_examples=100)
@given(st.text(max_size=200), st.integers(0, 1 << 38))
def test_any_head_is_whole_blocks_and_fits_the_first_chunk(path: str, length: int) -> None:
    """A head has whole blocks of 512 octets, and even the longest leaves the stream its form."""
    head = encode_head(entry(path), length)
    assert len(head) % 512 == 0
    assert reader.entry(head + bytes(1024)).size == length


def test_the_longest_head_fits_the_first_chunk() -> None:
    """Path and type as long as an upload's metadata may be, all of it escaped in the receipt."""
    longest = entry("\x01/" * 2048, 253_402_300_799_999, "\x01" * 255)
    assert len(encode_head(longest, 1 << 38)) + 12 <= 65_536


@pytest.mark.parametrize("octets", [3840, 3841])
def test_a_path_at_the_limit(octets: int) -> None:
    """3840 octets of path are written with their folders; one more, and the name alone is."""
    path = "/".join(["f" * 239] * 16)[: 3840 - 9] + "/clip.mp4" + "4" * (octets - 3840)
    assert len(path) == octets
    assert writable_path(path) == (path if octets == 3840 else "clip.mp44")
