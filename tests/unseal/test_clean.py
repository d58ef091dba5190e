"""Copies for publishing: what has no copy, what is said, and that originals stay as they are.

What needs mat2 and bubblewrap is marked slow and has its own command:
    apt install mat2 bubblewrap ffmpeg libimage-exiftool-perl
    python -m pytest tests/unseal/test_clean.py -m slow
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from crypto.unseal.clean import Cleaned, as_text, choose
from crypto.unseal.entries import Entry
from crypto.unseal.troubles import NotInBagError
from crypto.unseal.verify import check
from tests.unseal.hand_made import Bag, bag_in
from tests.unseal.staff import Ran, Staff

SECRET = b"made by Maria, camera 7"


@pytest.fixture
def bag(tmp_path: Path) -> Bag:
    """Give a bag with two files."""
    bag = bag_in(tmp_path / "quiet-harbour")
    bag.put("a.mp4", b"not really")
    bag.put("folder/b.txt", b"text")
    bag.put("message.txt", b"hello", what="message")
    return bag


@pytest.fixture
def bare(staff: Staff, tmp_path: Path) -> Staff:
    """Give staff whose machine has Python and nothing else."""
    (tmp_path / "bin").mkdir()
    staff.surroundings = {"PATH": str(tmp_path / "bin")}
    return staff


def clean(bag: Bag, staff: Staff, *more: object) -> Ran:
    return staff.run("clean", bag.folder, "--into", bag.folder.parent / "copies", *more)


def test_without_mat2_it_is_said(bag: Bag, bare: Staff) -> None:
    """What to install; nothing is made."""
    ran = clean(bag, bare)
    assert ran.code == 4
    assert "mat2, which takes metadata out, is not on this machine" in ran.words
    assert not (bag.folder.parent / "copies").exists()


@pytest.mark.parametrize("walls", ["", "/usr/bin/false"])
def test_without_walls_nothing_is_run(bag: Bag, bare: Staff, walls: str) -> None:
    """No sandbox, or one that does not start: words, and no program at a stranger's file."""
    folder = Path(bare.surroundings["PATH"])
    (folder / "mat2").symlink_to("/usr/bin/yes")
    if walls:
        (folder / "bwrap").symlink_to(walls)
    ran = clean(bag, bare)
    assert ran.code == 4
    assert "is not on this machine or does not start" in ran.words
    assert not (bag.folder.parent / "copies").exists()


def test_copies_do_not_go_among_the_evidence(bag: Bag, bare: Staff) -> None:
    """Inside the bag is refused, by whatever way it is named."""
    (Path(bare.surroundings["PATH"]) / "mat2").symlink_to("/usr/bin/false")
    (bag.folder.parent / "link").symlink_to(bag.folder)
    for into in (bag.folder, bag.folder / "data" / "copies", bag.folder.parent / "link" / "x"):
        ran = bare.run("clean", bag.folder, "--into", into, "--no-sandbox")
        assert ran.code == 4
        assert "among the evidence" in ran.words
    assert check(bag.folder, lambda _octets: None).faults == []


def test_what_cannot_be_cleaned_has_no_copy(bag: Bag, bare: Staff) -> None:
    """A mat2 that fails leaves nothing half clean, and the words say so for each file."""
    (Path(bare.surroundings["PATH"]) / "mat2").symlink_to("/usr/bin/false")
    ran = clean(bag, bare, "--no-sandbox")
    assert ran.code == 1
    assert ran.words.count("NO COPY") == 2
    copies = bag.folder.parent / "copies"
    assert [path.name for path in copies.rglob("*")] == ["quiet-harbour-cleaned.txt"]


def test_what_no_program_can_remove_is_said(bag: Bag, bare: Staff) -> None:
    """Each time, on the terminal and in the report."""
    (Path(bare.surroundings["PATH"]) / "mat2").symlink_to("/usr/bin/false")
    said = " ".join(clean(bag, bare, "--no-sandbox").said.split())
    report = (bag.folder.parent / "copies/quiet-harbour-cleaned.txt").read_text()
    for words in ("faces", "voices", "screens", "the sound of a place", "names of files"):
        assert words in said
        assert words in report


def test_files_are_named_in_three_ways(bag: Bag, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the source named them, as the custody report does, and as a path on this machine."""
    monkeypatch.chdir(bag.folder.parent)
    every = ["folder/b.txt", "data/files/folder/b.txt", "quiet-harbour/data/files/folder/b.txt"]
    for name in [*every, str(bag.folder / "data/files/folder/b.txt")]:
        assert [e.place for e in choose(bag.folder, [name])] == ["data/files/folder/b.txt"]
    assert [e.path for e in choose(bag.folder, [])] == ["a.mp4", "folder/b.txt"]
    for name in ("c.txt", "/etc/passwd", "../quiet-harbour/bagit.txt"):
        with pytest.raises(NotInBagError):
            choose(bag.folder, [name])


def test_a_hostile_name_is_written_out() -> None:
    """In the report, too, nothing turns text around or acts in a terminal."""
    entry = Entry(
        "data/files/a\u202eb\x1b[2J", "0" * 64, 1, "a", "file", "", None, is_partial=False
    )
    for each in (Cleaned(entry, trouble="no"), Cleaned(entry, "a", "1" * 64, ["x"], ["y"], ["z"])):
        text = as_text("quiet-harbour", [each])
        assert not set(text) & {"\u202e", "\x1b"}
        assert "<U+202E>" in text


# --- with the real programs: its own command, see above -----------------------------------------


@pytest.fixture
def full(tmp_path: Path) -> Bag:
    """Give a bag with a film, a picture and a text that say who made them."""
    bag = bag_in(tmp_path / "quiet-harbour")
    made = tmp_path / "made"
    made.mkdir()
    words = [
        "-metadata",
        f"comment={SECRET.decode()}",
        "-metadata",
        "creation_time=2024-05-01T10:22:33Z",
    ]
    film = ["-i", "testsrc2=size=320x180:rate=5:duration=2", *words, str(made / "film.mp4")]
    picture = ["-i", "testsrc=size=320x180", "-frames:v", "1", str(made / "picture.jpg")]
    for command in (film, picture):
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", *command], check=True, timeout=60)
    exif = [
        "exiftool",
        "-q",
        "-overwrite_original",
        f"-Artist={SECRET.decode()}",
        "-GPSLatitude=10",
    ]
    subprocess.run([*exif, str(made / "picture.jpg")], check=True, timeout=60)
    for path in sorted(made.iterdir()):
        assert SECRET in path.read_bytes()
        bag.put(f"день 1/{path.name}", path.read_bytes())
    return bag


@pytest.mark.slow
def test_copies_have_no_metadata_and_originals_keep_it(full: Bag, staff: Staff) -> None:
    """Neither name, place nor time is in the copies; every original is what it was."""
    ran = clean(full, staff)
    assert (ran.code, ran.complained) == (0, "")
    copies = full.folder.parent / "copies"
    made = sorted(path for path in (copies / "quiet-harbour").rglob("*") if path.is_file())
    assert [path.name for path in made] == ["film.mp4", "picture.jpg"]
    for path in made:
        assert SECRET not in path.read_bytes()
        assert (path.stat().st_mode & 0o777, path.stat().st_mtime) == (0o600, 946_684_800)
        shown = subprocess.run(["exiftool", path], capture_output=True, check=True).stdout
        assert b"2024:05:01" not in shown
        assert b"GPS" not in shown
    assert check(full.folder, lambda _octets: None).faults == []
    report = (copies / "quiet-harbour-cleaned.txt").read_text()
    assert re.search(r"removed: .*(Artist).*GPSLatitude", report)
    assert SECRET.decode() not in report
    assert not list(copies.glob(".cleaning*"))


@pytest.mark.slow
def test_a_kind_that_mat2_does_not_know_has_no_copy(full: Bag, staff: Staff) -> None:
    """Noise, a film that is none, a script: said, and the others are made."""
    for name in ("noise.dav", "noise.mp4", "run.desktop"):
        full.put(name, os.urandom(2000))
    ran = clean(full, staff)
    assert ran.code == 1
    assert ran.words.count("NO COPY") == 3
    copies = full.folder.parent / "copies" / "quiet-harbour"
    assert {path.name for path in copies.rglob("*.*")} == {"film.mp4", "picture.jpg"}


@pytest.mark.slow
def test_one_file_can_be_named(full: Bag, staff: Staff) -> None:
    """Only that one is copied."""
    assert clean(full, staff, "день 1/picture.jpg").code == 0
    copies = full.folder.parent / "copies" / "quiet-harbour"
    assert [path.name for path in copies.rglob("*.*")] == ["picture.jpg"]
