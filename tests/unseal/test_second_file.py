"""Two sealed files for one upload: more of the same takes its place, nothing else ever does."""

from pathlib import Path

import pytest

from crypto.session_key import NewMessageKeys
from tests.crypto.sealing import octets
from tests.unseal.staff import Sent, Staff, Stick, chunk_at

CONTENT = octets(250_000)
PASSED_OVER = "1 sealed file held no more than what had been opened before: passed over."


@pytest.fixture
def other(tmp_path: Path, keys: NewMessageKeys) -> Stick:
    """Give another stick."""
    folder = tmp_path / "other"
    folder.mkdir()
    return Stick(folder, keys)


def put_beginning(stick: Stick, sent: Sent, offset: int) -> None:
    """Put an upload on a stick as it was when it was not complete."""
    sealed, tail = sent.until(offset)
    stick.put(sent, sealed)
    stick.tail_of(sent).write_bytes(tail)


def test_an_older_stick_takes_nothing_away(stick: Stick, other: Stick, staff: Staff) -> None:
    """The beginning of a file that is there whole is passed over, with a word; the bag stays as it is."""
    sent = stick.receive(CONTENT)
    assert staff.open(stick.folder).code == 0
    before = staff.everything()
    put_beginning(other, sent, 100_000)
    ran = staff.open(other.folder)
    assert (ran.code, ran.complained, staff.everything()) == (0, "", before)
    assert PASSED_OVER in ran.said


def test_a_shorter_beginning_takes_nothing_away(stick: Stick, other: Stick, staff: Staff) -> None:
    """Of two beginnings of one upload the longer one stays."""
    sent = stick.receive_until(200_000, CONTENT)
    assert staff.open(stick.folder).code == 3
    before = staff.everything()
    put_beginning(other, sent, 100_000)
    ran = staff.open(other.folder)
    assert (ran.code, staff.everything()) == (3, before)
    assert PASSED_OVER in ran.said


def test_an_older_part_takes_nothing_from_a_joined_file(
    stick: Stick, other: Stick, staff: Staff
) -> None:
    """The beginning of a part that was joined is passed over."""
    parts = [
        stick.receive(
            CONTENT[(n - 1) * 100_000 : n * 100_000], f"film.mp4.00{n}", set="s" * 26, part=n
        )
        for n in (1, 2, 3)
    ]
    assert staff.open(stick.folder).code == 0
    before = staff.everything()
    other.put(parts[1], parts[1].until(80_000)[0])
    assert (staff.open(other.folder).code, staff.everything()) == (0, before)


@pytest.mark.parametrize(
    "facts",
    [{"path": "a.txt"}, {"path": "b.txt"}, {"path": "a.txt", "source": "blue lake"}],
    ids=["content", "name", "source"],
)
def test_nobody_overwrites_evidence_with_a_known_id(
    stick: Stick, other: Stick, staff: Staff, facts: dict[str, str]
) -> None:
    """The public key and an id are all that is needed to seal such a file: refused, both are named."""
    genuine = stick.receive(b"the genuine testimony", "a.txt")
    assert staff.open(stick.folder).code == 0
    before = staff.everything()
    forged = Sent(stick.keys, octets(9_000), upload=genuine.upload, **facts)  # type: ignore[arg-type]
    path = other.put(forged, forged.whole())
    ran = staff.open(other.folder)
    assert (ran.code, ran.refused, staff.everything()) == (1, {genuine.upload}, before)
    assert "quiet-harbour/data/files/a.txt" in ran.words
    assert f"This one: {facts['path']}" in ran.words
    assert path.read_bytes() == other.path_of(forged).read_bytes()
    assert staff.leftovers() == []
    assert staff.verify().code == 0


@pytest.mark.parametrize("length", [250_000, 150_000], ids=["whole", "longer beginning"])
def test_a_beginning_is_replaced_by_what_begins_with_it_alone(
    stick: Stick, other: Stick, staff: Staff, length: int
) -> None:
    """A longer file of the same source, name and size, with another content, is refused."""
    genuine = stick.receive_until(100_000, CONTENT)
    assert staff.open(stick.folder).code == 3
    forged = Sent(stick.keys, octets(1) + CONTENT[::-1][1:], upload=genuine.upload)
    if length == len(CONTENT):
        other.put(forged, forged.whole())
    else:
        put_beginning(other, forged, length)
    ran = staff.open(other.folder)
    assert (ran.code, ran.refused) == (1, {genuine.upload})
    assert staff.files() == {"clip.mp4.partial": CONTENT[:100_000]}


def test_a_forged_beginning_is_no_older_stick(stick: Stick, other: Stick, staff: Staff) -> None:
    """A beginning of something else is refused, not passed over as if it were known."""
    genuine = stick.receive(CONTENT)
    assert staff.open(stick.folder).code == 0
    put_beginning(other, Sent(stick.keys, CONTENT[::-1], upload=genuine.upload), 100_000)
    ran = staff.open(other.folder)
    assert (ran.code, ran.refused) == (1, {genuine.upload})
    assert staff.files() == {"clip.mp4": CONTENT}


def test_the_rest_of_a_sealed_file_changes_the_report_alone(stick: Stick, staff: Staff) -> None:
    """All of the content was there: with the whole sealed file the note goes, and the file stays."""
    sent = stick.receive_until(len(CONTENT), CONTENT)
    assert staff.open(stick.folder).code == 0
    stick.put(sent, sent.whole())
    ran = staff.open(stick.folder)
    assert (ran.code, staff.files()) == (0, {"clip.mp4": CONTENT})
    assert "note" not in staff.custody()[0]
    assert staff.verify().code == 0
    assert "1 had been opened before" in staff.open(stick.folder).said


def test_a_good_copy_replaces_what_was_salvaged(stick: Stick, staff: Staff) -> None:
    """Fetched again it has the same length as the damaged one, and is opened all the same."""
    sent = stick.receive(CONTENT)
    stick.change(sent, chunk_at(sent, 2))
    assert staff.open(stick.folder, "--salvage").code == 3
    assert "1 had been opened before" in staff.open(stick.folder, "--salvage").said
    stick.put(sent, sent.whole())
    assert (staff.open(stick.folder).code, staff.files()) == (0, {"clip.mp4": CONTENT})
    assert staff.verify().code == 0


def test_a_file_that_staff_put_there_is_not_overwritten(stick: Stick, staff: Staff) -> None:
    """Its name is taken: what comes from the source gets another one, and the bag is not closed."""
    stick.receive(b"first", "a.txt")
    assert staff.open(stick.folder).code == 0
    notes = staff.into / "quiet-harbour" / "data" / "files" / "notes.txt"
    notes.write_bytes(b"mine")
    stick.receive(b"from the source", "notes.txt")
    ran = staff.open(stick.folder)
    assert ran.code == 4
    assert "data/files/notes.txt" in ran.words
    assert notes.read_bytes() == b"mine"
    notes.unlink()
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"a.txt": b"first", "notes (2).txt": b"from the source"}


def test_a_file_whose_note_was_lost_is_known_by_its_content(stick: Stick, staff: Staff) -> None:
    """A power cut took the note and left the file: it is opened again under the same name."""
    stick.receive(b"first", "a.txt")
    assert staff.open(stick.folder).code == 0
    before = staff.everything()
    (staff.into / ".unseal" / "journal.jsonl").write_bytes(b"")
    assert (staff.open(stick.folder).code, staff.everything()) == (0, before)


def test_two_sticks_at_once_hide_nothing(stick: Stick, other: Stick, staff: Staff) -> None:
    """Two whole files of one upload on two sticks: one is opened, the other refused, in each run."""
    genuine = stick.receive(b"the genuine testimony", "a.txt")
    forged = Sent(stick.keys, octets(9_000), "a.txt", upload=genuine.upload)
    other.put(forged, forged.whole())
    for _ in range(2):
        ran = staff.open(stick.folder, other.folder)
        assert (ran.code, ran.refused) == (1, {genuine.upload})
        assert len(staff.files()) == 1
        assert "(source quiet harbour). This one: a.txt" in ran.words
