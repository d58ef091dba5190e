"""Files that came in parts are joined; a part that is missing is named."""

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
