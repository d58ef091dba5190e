"""The index that `fetch` leaves on a stick: what was lost or exchanged on the way is found."""

import hashlib
import json
from pathlib import Path

import pytest

from crypto.session_key import NewMessageKeys
from tests.unseal.staff import Sent, Staff, Stick


@pytest.fixture
def carrier(tmp_path: Path, keys: NewMessageKeys) -> Stick:
    """Give a stick as `fetch` lays it out."""
    folder = tmp_path / "usb" / "nightferry" / "sources" / "quiet-harbour"
    folder.mkdir(parents=True)
    return Stick(folder, keys)


def write_index(stick: Stick, *sent: Sent) -> Path:
    """Write what `fetch` would write when these are on the stick."""
    items = [
        {"id": one.upload, "sha256": hashlib.sha256(stick.path_of(one).read_bytes()).hexdigest()}
        for one in sent
    ]
    index = stick.folder.parents[1] / "index.json"
    index.write_text(json.dumps({"nightferry": 1, "sources": [{"items": items}]}))
    return index


def usb(stick: Stick) -> Path:
    return stick.folder.parents[2]


@pytest.mark.parametrize("level", [0, 1, 2], ids=["sources", "nightferry", "the stick"])
def test_a_stick_that_lost_nothing_is_said_to_be_whole(
    carrier: Stick, staff: Staff, level: int
) -> None:
    """Whichever of its folders is named; a second run says it again."""
    write_index(carrier, carrier.receive(b"one", "1.mp4"), carrier.receive(b"two", "2.mp4"))
    for _ in range(2):
        ran = staff.open(carrier.folder.parents[level])
        assert (ran.code, ran.complained) == (0, "")
        assert "All that fetch had put on the stick is here: 2 sealed files." in ran.said


def test_what_the_stick_lost_is_named(carrier: Stick, staff: Staff) -> None:
    """The rest is opened; what is missing is no silence."""
    lost, kept = carrier.receive(b"one", "1.mp4"), carrier.receive(b"two", "2.mp4")
    write_index(carrier, lost, kept)
    carrier.path_of(lost).unlink()
    ran = staff.open(usb(carrier))
    assert ran.code == 3
    assert "MISSING: 1 sealed file" in ran.complained
    assert ran.refused == {lost.upload}
    assert staff.files() == {"2.mp4": b"two"}


def test_what_was_opened_before_is_not_missing(carrier: Stick, staff: Staff) -> None:
    """Staff may tidy a stick up when it was opened."""
    sent = carrier.receive(b"one", "1.mp4"), carrier.receive(b"two", "2.mp4")
    write_index(carrier, *sent)
    assert staff.open(usb(carrier)).code == 0
    carrier.path_of(sent[0]).unlink()
    assert staff.open(usb(carrier)).code == 0


def test_another_file_in_its_place_is_named(carrier: Stick, staff: Staff) -> None:
    """Whoever has the certificate can seal something else under the same id: it opens, and is told."""
    sent = carrier.receive(b"the testimony", "1.mp4")
    write_index(carrier, sent)
    forged = Sent(carrier.keys, b"another one", "1.mp4", upload=sent.upload)
    carrier.put(forged, forged.whole())
    # The second run opens nothing, and is as loud.
    for _ in range(2):
        ran = staff.open(usb(carrier))
        assert ran.code == 3
        assert "NOT WHAT WAS FETCHED: 1 sealed file" in ran.complained
        assert sent.upload in ran.refused


@pytest.mark.parametrize("together", [True, False])
def test_an_older_stick_is_no_alarm(
    carrier: Stick, staff: Staff, tmp_path: Path, *, together: bool
) -> None:
    """Its index has the digest of an upload that was not complete, and is honest."""
    sent = carrier.receive(b"the testimony" * 10_000, "1.mp4")
    write_index(carrier, sent)
    older = Stick(tmp_path / "older" / "nightferry" / "sources" / "quiet-harbour", carrier.keys)
    older.folder.mkdir(parents=True)
    older.put(sent, sent.until(70_000)[0])
    index = write_index(older, sent)
    index.write_text(index.read_text().replace('"id"', '"state": "open", "id"'))
    runs = [[usb(carrier), usb(older)]] if together else [[usb(carrier)], [usb(older)]]
    for sticks in runs:
        ran = staff.open(*sticks)
        assert (ran.code, ran.complained) == (0, "")
    assert staff.files() == {"1.mp4": b"the testimony" * 10_000}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"nightferry": 2, "sources": []}',
        '{"nightferry": 1, "sources": [1]}',
        '{"nightferry": 1, "sources": [{"items": [{"id": "../../x", "sha256": ""}]}]}',
        "[" * 100_000,
    ],
    ids=["empty", "list", "bare", "newer", "no source", "hostile", "deep"],
)
def test_an_index_that_cannot_be_read_costs_nothing(
    carrier: Stick, staff: Staff, content: str
) -> None:
    """Each file is verified by itself; that nobody can say what is missing is said."""
    write_index(carrier, carrier.receive(b"one", "1.mp4")).write_text(content)
    ran = staff.open(usb(carrier))
    assert ran.code == 0
    assert "cannot be read" in ran.words
    assert staff.files() == {"1.mp4": b"one"}


def test_an_index_of_somebody_elses_is_left_alone(stick: Stick, staff: Staff) -> None:
    """A folder of sealed files can hold anything."""
    stick.receive(b"one", "1.mp4")
    (stick.folder / "index.json").write_text("not ours")
    ran = staff.open(stick.folder)
    assert (ran.code, ran.complained) == (0, "")
