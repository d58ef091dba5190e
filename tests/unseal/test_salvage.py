"""Uploads that are not complete, and damaged files: what holds is kept, clearly marked."""

from collections.abc import Callable

from crypto.layout import CHUNK
from tests.crypto.sealing import octets
from tests.unseal.staff import Sent, Staff, Stick, chunk_at

CONTENT = octets(400_000)
OFFSETS = [1, 100, 60_000, 63_000, 70_000, 128_000, 262_144, 399_999]
MISSING = [1, 16, 17, 1000, 65_000, 70_000, 140_000]


def test_every_octet_that_arrived_is_salvaged(stick: Stick, staff: Staff) -> None:
    """Whole chunks and the tail beside them: up to the very octet that the source's program sent."""
    for offset in OFFSETS:
        stick.receive_until(offset, CONTENT, f"{offset}.mp4")
    ran = staff.open(stick.folder)
    assert ran.code == 3, ran.complained
    assert staff.files() == {f"{offset}.mp4.partial": CONTENT[:offset] for offset in OFFSETS}
    assert ran.said.count("PARTIAL") == len(OFFSETS)
    for entry in staff.custody():
        assert isinstance(entry["partial"], dict)
        offset = int(str(entry["path"]).removesuffix(".mp4"))
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


def test_noise_is_never_taken_for_a_message(stick: Stick, staff: Staff) -> None:
    """With no whole chunk there is nothing for GnuPG to misread: many such uploads, not one refused."""
    for number in range(60):
        stick.receive_until(2_000, CONTENT, f"{number}.mp4")
    ran = staff.open(stick.folder)
    assert (ran.code, ran.complained) == (3, "")
    assert set(staff.files().values()) == {CONTENT[:2_000]}


def test_a_wrong_tail_is_never_added(stick: Stick, staff: Staff) -> None:
    """A tail of another moment or upload, or a damaged one, adds nothing, and that is said."""
    faults: dict[str, Callable[[Sent, bytes], bytes]] = {
        "stale": lambda sent, _: sent.until(100_000)[1],
        "torn": lambda _, tail: tail[:-1],
        "changed": lambda _, tail: tail[:50] + bytes([tail[50] ^ 1]) + tail[51:],
        "zeros": lambda _, tail: bytes(len(tail)),
    }
    for name, fault in faults.items():
        sent = stick.receive_until(300_000, CONTENT, name)
        tail = stick.tail_of(sent)
        tail.write_bytes(fault(sent, tail.read_bytes()))
    assert staff.open(stick.folder).code == 3
    assert set(staff.files()) == {f"{name}.partial" for name in faults}
    for content in staff.files().values():
        assert CONTENT.startswith(content)
        assert 300_000 - CHUNK < len(content) < 300_000
    for entry in staff.custody():
        assert isinstance(entry["partial"], dict)
        assert "damaged, or of another moment" in entry["partial"]["note"]


def test_a_cut_copy_of_a_complete_upload_is_salvaged(stick: Stick, staff: Staff) -> None:
    """Half a copy is marked as partial; every octet in it is right, and less than a chunk more is lost."""
    for missing in MISSING:
        sent = Sent(stick.keys, CONTENT, f"{missing}.mp4")
        stick.put(sent, sent.whole()[:-missing])
    assert staff.open(stick.folder).code == 3
    files = staff.files()
    assert set(files) == {f"{missing}.mp4.partial" for missing in MISSING}
    for missing in MISSING:
        content = files[f"{missing}.mp4.partial"]
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
    assert "Too little of this upload has arrived" in ran.words


def test_a_damaged_file_is_salvaged_on_request(stick: Stick, staff: Staff) -> None:
    """With --salvage what stands before the damage is kept as partial, and every octet of it is right."""
    damaged = {chunk: stick.receive(CONTENT, f"{chunk}.mp4") for chunk in range(6)}
    for chunk, sent in damaged.items():
        stick.change(sent, chunk_at(sent, chunk))
    assert (staff.open(stick.folder).code, staff.opened()) == (1, {})
    ran = staff.open(stick.folder, "--salvage")
    assert (ran.code, ran.refused) == (1, {damaged[0].upload})
    expected = {
        f"{chunk}.mp4.partial": CONTENT[: sent.layout.offset_at(chunk * CHUNK)]
        for chunk, sent in damaged.items()
        if chunk
    }
    assert staff.files() == expected
    assert all(entry["partial"]["damaged"] for entry in staff.custody())  # type: ignore[index]


def test_a_cut_and_damaged_file_is_refused_without_request(stick: Stick, staff: Staff) -> None:
    """An upload that is not complete, with a changed chunk in its middle, is no ordinary beginning."""
    sent = stick.receive_until(300_000, CONTENT)
    stick.change(sent, chunk_at(sent, 2))
    assert (staff.open(stick.folder).code, staff.opened(), staff.leftovers()) == (1, {}, [])
    assert staff.open(stick.folder, "--salvage").code == 3
    (content,) = staff.files().values()
    assert CONTENT.startswith(content)
    assert len(content) <= sent.layout.offset_at(2 * CHUNK)
