"""Files that came in parts are joined; a part that is missing is named."""

import shutil
from pathlib import Path

import pytest

from submit.intake.part_names import recognise
from tests.crypto.sealing import octets
from tests.unseal.staff import Sent, Staff, Stick, digest

WHOLE = octets(250_000)


def parts(stick: Stick, numbers: list[int], size: int = 100_000) -> list[Sent]:
    """Put parts of one file on the stick."""
    return [
        stick.receive(
            WHOLE[(number - 1) * size : number * size],
            f"videos/cell 4.mp4.{number:03}",
            set="s" * 26,
            part=number,
        )
        for number in numbers
    ]


def test_parts_are_joined_in_their_order(stick: Stick, staff: Staff) -> None:
    """Whatever order they came in, one file results; the report has the hash of every part."""
    parts(stick, [3, 1, 2])
    ran = staff.open(stick.folder)
    assert (ran.code, staff.files()) == (0, {"videos/cell 4.mp4": WHOLE})
    assert "joined from 3 parts" in ran.said
    assert sorted(entry["part"] for entry in staff.custody()) == [1, 2, 3]  # type: ignore[type-var]
    assert staff.verify().code == 0


def test_a_missing_part_is_named(stick: Stick, staff: Staff) -> None:
    """What is there is kept as parts; when the rest has come, they are joined."""
    parts(stick, [1, 3])
    ran = staff.open(stick.folder)
    assert ran.code == 3
    assert "part 2 is missing" in ran.said
    assert set(staff.files()) == {"videos/cell 4.mp4.001", "videos/cell 4.mp4.003"}
    assert staff.verify().code == 0
    parts(stick, [2])
    ran = staff.open(stick.folder)
    assert (ran.code, staff.files()) == (0, {"videos/cell 4.mp4": WHOLE})
    assert "1 sealed file opened and verified, 2 had been opened before" in ran.said
    assert staff.verify().code == 0


def test_a_later_part_is_added_to_what_was_joined(stick: Stick, staff: Staff) -> None:
    """Two parts of one length may be all there is, or not: a third one is joined to them."""
    parts(stick, [1, 2])
    ran = staff.open(stick.folder)
    assert staff.files() == {"videos/cell 4.mp4": WHOLE[:200_000]}
    assert "more of it may still come" in ran.said
    parts(stick, [3])
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"videos/cell 4.mp4": WHOLE}
    assert staff.verify().code == 0


def test_what_is_joined_is_not_opened_again(stick: Stick, staff: Staff) -> None:
    """A part that lies in a joined file counts as opened."""
    parts(stick, [1, 2, 3])
    staff.open(stick.folder)
    before = staff.everything()
    assert "0 sealed files opened" in staff.open(stick.folder).said
    assert staff.everything() == before


def test_a_part_that_is_not_complete_is_missing(stick: Stick, staff: Staff) -> None:
    """The beginning of a part is no part."""
    parts(stick, [1, 3])
    second = Sent(stick.keys, WHOLE[100_000:200_000], "videos/cell 4.mp4.002", set="s" * 26, part=2)
    stick.put(second, second.until(80_000)[0])
    ran = staff.open(stick.folder)
    assert ran.code == 3
    assert "part 2 is missing" in ran.said


def test_a_part_that_changed_on_the_disk_is_not_joined(stick: Stick, staff: Staff) -> None:
    """Each part is verified once more while it is joined."""
    parts(stick, [1, 3])
    staff.open(stick.folder)
    first = staff.into / "quiet-harbour" / "data" / "files" / "videos" / "cell 4.mp4.001"
    first.write_bytes(b"x" * 100_000)
    changed = digest(first)
    parts(stick, [2])
    ran = staff.open(stick.folder)
    assert ran.code == 4
    assert "no longer what was opened" in ran.words
    assert digest(first) == changed
    assert "videos/cell 4.mp4" not in staff.files()
    first.unlink()
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"videos/cell 4.mp4": WHOLE}


def parts_from_zero(stick: Stick, numbers: list[int]) -> list[Sent]:
    """Put parts on the stick as `split -d -a 3` names them, and as the service numbers those."""
    sent = []
    for number in numbers:
        name = f"film.mp4.{number:03}"
        read = next(recognise(name))
        content = WHOLE[number * 100_000 : (number + 1) * 100_000]
        sent.append(stick.receive(content, name, set="z" * 26, part=read.number))
    return sent


def test_parts_counted_from_0_are_joined(stick: Stick, staff: Staff) -> None:
    """`split -d` begins with 000: it is the beginning of the film, and no forgery."""
    parts_from_zero(stick, [2, 0, 1])
    ran = staff.open(stick.folder)
    assert (ran.code, staff.files()) == (0, {"film.mp4": WHOLE})
    assert "joined from 3 parts" in ran.said
    assert staff.verify().code == 0


def test_a_part_behind_part_0_can_be_missing(stick: Stick, staff: Staff) -> None:
    """With part 0 the first one is 0, and what is missing is counted from there."""
    parts_from_zero(stick, [0, 2])
    ran = staff.open(stick.folder)
    assert ran.code == 3
    assert "part 1 is missing" in ran.said
    assert set(staff.files()) == {"film.mp4.000", "film.mp4.002"}


@pytest.mark.parametrize("killed", [False, True])
def test_part_0_is_put_in_front_of_what_was_joined(
    stick: Stick, staff: Staff, *, killed: bool
) -> None:
    """It comes last, and a run may be killed before it has noted that all are joined."""
    parts_from_zero(stick, [1, 2])
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"film.mp4": WHOLE[100_000:]}
    parts_from_zero(stick, [0])
    assert staff.open(stick.folder).code == 0
    if killed:
        (staff.into / "quiet-harbour" / "bagit.txt").unlink()
        (staff.into / "quiet-harbour" / "data" / "files" / "film.mp4.000").write_bytes(
            WHOLE[:100_000]
        )
        journal = staff.into / ".unseal" / "journal.jsonl"
        journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
        assert staff.open(stick.folder).code == 0
    assert staff.files() == {"film.mp4": WHOLE}
    assert staff.verify().code == 0


def test_a_part_that_came_twice_leaves_the_joined_one_in_its_place(
    stick: Stick, staff: Staff, tmp_path: Path
) -> None:
    """The first stick is gone, a part is sent once more and the last one comes: all is joined."""
    parts(stick, [1, 2])
    assert staff.open(stick.folder).code == 0
    shutil.rmtree(stick.folder)
    second = Stick(tmp_path / "second", stick.keys)
    second.folder.mkdir()
    parts(second, [1, 3])
    assert staff.open(second.folder).code == 0
    assert staff.files() == {
        "videos/cell 4.mp4": WHOLE,
        "videos/cell 4.mp4 (2).001": WHOLE[:100_000],
    }
    assert staff.verify().code == 0


@pytest.mark.parametrize("lengths", [(90, 80, 95), (80, 90), (90, 80, 80)])
def test_clips_that_are_counted_like_parts_stay_as_they_came(
    stick: Stick, staff: Staff, lengths: tuple[int, ...]
) -> None:
    """A camera counts its clips `.001`, `.002`: joined, two testimonies would be one broken file."""
    for part, length in enumerate(lengths, 1):
        stick.receive(bytes([part]) * length, f"gate.{part:03}", set="g" * 26, part=part)
    ran = staff.open(stick.folder)
    assert (ran.code, "they are no parts of one file" in ran.said) == (0, True), ran.said
    assert staff.files() == {
        f"gate.{part:03}": bytes([part]) * length for part, length in enumerate(lengths, 1)
    }


def test_a_part_of_a_forged_number_ends_no_run(stick: Stick, staff: Staff) -> None:
    """Anybody can seal a part number 10^15: the first few that are missing are named, not all."""
    stick.receive(b"far", "film.mp4.001", set="f" * 26, part=10**15)
    ran = staff.open(stick.folder)
    assert ran.code == 3
    assert "part 1, 2, 3, 4, 5, … is missing" in ran.said


def test_many_sets_are_joined_one_after_the_other(stick: Stick, staff: Staff) -> None:
    """Each set's parts go as soon as it is joined; no file beside them does."""
    for number in range(20):
        for part in (1, 2):
            content = b"%d %d" % (number, part)
            stick.receive(content, f"{number}/a.001", set=f"{number:026}", part=part)
    stick.receive(b"beside", "0/b.txt")
    assert staff.open(stick.folder).code == 0
    joined = {f"{number}/a": b"%d 1%d 2" % (number, number) for number in range(20)}
    assert staff.files() == {**joined, "0/b.txt": b"beside"}
    assert staff.verify().code == 0
