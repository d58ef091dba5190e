"""Uploads that are not complete, and damaged files: what holds is kept, clearly marked."""

import pytest

from crypto.layout import CHUNK
from tests.crypto.sealing import octets
from tests.unseal.staff import Sent, Staff, Stick, chunk_at

CONTENT = octets(400_000)
LAYOUT_EDGES = [1, 100, 60_000, 63_000, 70_000, 128_000, 262_144, 399_999]


@pytest.mark.parametrize("offset", LAYOUT_EDGES)
def test_every_octet_that_arrived_is_salvaged(stick: Stick, staff: Staff, offset: int) -> None:
    """Whole chunks and the tail beside them: up to the very octet that the source's program sent."""
    stick.receive_until(offset, CONTENT)
    ran = staff.open(stick.folder)
    assert ran.code == 3, ran.complained
    assert staff.files() == {"clip.mp4.partial": CONTENT[:offset]}
    assert "PARTIAL" in ran.said
    (entry,) = staff.custody()
    assert isinstance(entry["partial"], dict)
    assert entry["partial"]["missing"] == len(CONTENT) - offset
    assert entry["partial"]["note"] == "its tail was added"
    assert staff.verify().code == 0


def test_a_content_that_is_all_there_is_no_partial_one(stick: Stick, staff: Staff) -> None:
    """If only the end of the sealed file is missing, all of the content authenticates: it is whole."""
    stick.receive_until(len(CONTENT), CONTENT)
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"clip.mp4": CONTENT}
    assert "the end of the sealed file is not" in str(staff.custody()[0]["note"])


def test_without_the_tail_the_whole_chunks_are_salvaged(stick: Stick, staff: Staff) -> None:
    """A tail that is not on the stick costs less than a chunk."""
    sent = stick.receive_until(300_000, CONTENT, tail=False)
    assert staff.open(stick.folder).code == 3
    whole = sent.layout.offset_at(
        sent.layout.whole_chunks(stick.path_of(sent).stat().st_size) * CHUNK
    )
    assert staff.files() == {"clip.mp4.partial": CONTENT[:whole]}
    assert whole > 300_000 - CHUNK


@pytest.mark.parametrize("fault", ["stale", "torn", "changed", "another upload's"])
def test_a_wrong_tail_is_never_added(stick: Stick, staff: Staff, fault: str) -> None:
    """A tail of another moment or upload, or a damaged one, adds nothing, and that is said."""
    sent = stick.receive_until(300_000, CONTENT)
    tail = stick.tail_of(sent).read_bytes()
    other = Sent(stick.keys, CONTENT, upload=sent.upload)
    wrong = {
        "stale": other.until(100_000)[1],
        "torn": tail[:-1],
        "changed": tail[:50] + bytes([tail[50] ^ 1]) + tail[51:],
        "another upload's": bytes(len(tail)),
    }
    stick.tail_of(sent).write_bytes(wrong[fault])
    ran = staff.open(stick.folder)
    assert ran.code == 3
    (content,) = staff.files().values()
    assert CONTENT.startswith(content)
    assert 300_000 - CHUNK < len(content) <= 300_000
    (entry,) = staff.custody()
    assert isinstance(entry["partial"], dict)
    assert "damaged, or of another moment" in entry["partial"]["note"]


@pytest.mark.parametrize("missing", [1, 16, 17, 1000, 65_000, 70_000, 140_000])
def test_a_cut_copy_of_a_complete_upload_is_salvaged(
    stick: Stick, staff: Staff, missing: int
) -> None:
    """Half a copy is marked as partial; every octet in it is right, and less than two chunks are lost."""
    sent = Sent(stick.keys, CONTENT)
    stick.put(sent, sent.whole()[:-missing])
    assert staff.open(stick.folder).code == 3
    ((name, content),) = staff.files().items()
    assert name == "clip.mp4.partial"
    assert CONTENT.startswith(content)
    assert len(content) >= len(CONTENT) - missing - CHUNK


def test_the_whole_file_replaces_its_beginning(stick: Stick, staff: Staff) -> None:
    """Fetched again when it is complete, the file is whole, and the partial one is gone."""
    sent = stick.receive_until(100_000, CONTENT)
    assert staff.open(stick.folder).code == 3
    sealed, tail = sent.until(300_000)
    stick.put(sent, sealed)
    stick.tail_of(sent).write_bytes(tail)
    assert staff.open(stick.folder).code == 3
    assert staff.files() == {"clip.mp4.partial": CONTENT[:300_000]}
    stick.tail_of(sent).unlink()
    stick.put(sent, sent.whole())
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"clip.mp4": CONTENT}
    assert staff.verify().code == 0


def test_a_beginning_is_not_opened_twice(stick: Stick, staff: Staff) -> None:
    """The same partial upload again changes nothing."""
    stick.receive_until(100_000, CONTENT)
    staff.open(stick.folder)
    before = staff.everything()
    ran = staff.open(stick.folder)
    assert (ran.code, staff.everything()) == (3, before)
    assert "0 sealed files opened" in ran.said


def test_an_upload_without_its_head_is_refused(stick: Stick, staff: Staff) -> None:
    """Nothing of it says what it is: words, and nothing kept."""
    stick.receive_until(100, CONTENT, tail=False)
    ran = staff.open(stick.folder)
    assert (ran.code, staff.opened()) == (1, {})
    assert "Too little of this upload has arrived" in ran.complained


@pytest.mark.parametrize("chunk", [0, 1, 3, 5])
def test_a_damaged_file_is_salvaged_on_request(stick: Stick, staff: Staff, chunk: int) -> None:
    """With --salvage what stands before the damage is kept as partial, and every octet of it is right."""
    sent = stick.receive(CONTENT)
    stick.change(sent, chunk_at(sent, chunk))
    assert (staff.open(stick.folder).code, staff.opened()) == (1, {})
    ran = staff.open(stick.folder, "--salvage")
    if chunk == 0:
        assert (ran.code, staff.opened()) == (1, {})
        return
    assert ran.code == 3
    ((name, content),) = staff.files().items()
    assert name == "clip.mp4.partial"
    assert CONTENT.startswith(content)
    assert len(content) >= sent.layout.offset_at((chunk - 1) * CHUNK)
    assert staff.custody()[0]["partial"]["damaged"] is True  # type: ignore[index]


def test_a_cut_and_damaged_file_is_refused_without_request(stick: Stick, staff: Staff) -> None:
    """An upload that is not complete, with a changed chunk in its middle, is no ordinary beginning."""
    sent = stick.receive_until(300_000, CONTENT)
    stick.change(sent, chunk_at(sent, 2))
    assert (staff.open(stick.folder).code, staff.opened(), staff.leftovers()) == (1, {}, [])
    assert staff.open(stick.folder, "--salvage").code == 3
    (content,) = staff.files().values()
    assert CONTENT.startswith(content)
    assert len(content) <= sent.layout.offset_at(2 * CHUNK)
