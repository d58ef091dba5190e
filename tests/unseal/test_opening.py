"""Opening a stick: everything under its own name in a bag for each source."""

import os
import stat
from pathlib import Path

from tests.crypto.keys.making import Ngo
from tests.crypto.sealing import octets
from tests.unseal.staff import MODIFIED, Staff, Stick


def test_everything_is_opened_under_its_name(stick: Stick, staff: Staff) -> None:
    """Content, name, folder and time are what the source sent, in a bag for each source."""
    stick.receive(b"one", "папка/видео 1.mp4")
    stick.receive(octets(300_000), "clip.mp4", source="blue lantern", filetype="video/mp4")
    ran = staff.open(stick.folder)
    assert (ran.code, ran.complained) == (0, "")
    assert staff.opened() == {
        "quiet-harbour/data/files/папка/видео 1.mp4": b"one",
        "blue-lantern/data/files/clip.mp4": octets(300_000),
    }
    clip = staff.into / "blue-lantern" / "data" / "files" / "clip.mp4"
    assert clip.stat().st_mtime_ns == MODIFIED * 1_000_000
    assert "2 sealed files opened and verified" in ran.said


def test_a_file_of_no_octets_is_a_file(stick: Stick, staff: Staff) -> None:
    """An empty file is evidence too."""
    stick.receive(b"", "empty.txt")
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"empty.txt": b""}


def test_nothing_that_is_opened_can_be_run_or_read_by_others(stick: Stick, staff: Staff) -> None:
    """SD#2238: a real attack was a launcher file; all files are 0600, all folders 0700."""
    stick.receive(b"[Desktop Entry]\nExec=sh\n", "holiday.desktop")
    old = os.umask(0)
    try:
        assert staff.open(stick.folder).code == 0
    finally:
        os.umask(old)
    modes = {
        stat.S_IMODE(path.lstat().st_mode) | stat.S_IFMT(path.lstat().st_mode)
        for path in [staff.into, *staff.into.rglob("*")]
    }
    assert modes == {stat.S_IFREG | 0o600, stat.S_IFDIR | 0o700}


def test_messages_can_be_read_in_one_place(stick: Stick, staff: Staff) -> None:
    """All messages of a source stand in messages.txt; escapes of a terminal do not act there."""
    stick.receive_message("Meet me \x1b[2J\x1b]0;owned\x07 at noon.\n Привет")
    stick.receive_message("Second.")
    assert staff.open(stick.folder).code == 0
    text = (staff.into / "quiet-harbour" / "messages.txt").read_text()
    assert "Meet me <U+001B>[2J<U+001B>]0;owned<U+0007> at noon." in text
    assert "Привет" in text
    assert "Second." in text
    assert "\x1b" not in text
    assert set(staff.opened().values()) == {
        "Meet me \x1b[2J\x1b]0;owned\x07 at noon.\n Привет".encode(),
        b"Second.",
    }


def test_a_file_called_message_is_a_file(stick: Stick, staff: Staff) -> None:
    """A file that a source's program sent is no message, whatever its name."""
    stick.receive(b"not typed here", "message.txt")
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"message.txt": b"not typed here"}


def test_reply_certificates_are_put_where_gpg_imports_them(
    stick: Stick, staff: Staff, desk: Ngo
) -> None:
    """Staff can answer: `gpg --import` is told, and takes what lies there."""
    certificate = desk.certificate.read_bytes()
    stick.receive(certificate, "reply-to-quiet-harbour.asc", modified=None)
    ran = staff.open(stick.folder)
    assert "gpg --import" in ran.said
    aside = staff.into / "reply-certificates" / "reply-to-quiet-harbour.asc"
    assert aside.read_bytes() == certificate
    assert desk.gpg("--show-keys", str(aside)).returncode == 0
    assert staff.verify().code == 0


def test_single_files_can_be_given(stick: Stick, staff: Staff) -> None:
    """Not only a stick: what is named is opened, and nothing else."""
    one, _other = stick.receive(b"one", "one.txt"), stick.receive(b"two", "two.txt")
    assert staff.open(stick.path_of(one)).code == 0
    assert staff.files() == {"one.txt": b"one"}


def test_a_stick_is_only_read(stick: Stick, staff: Staff) -> None:
    """Nothing is written beside the sealed files."""
    stick.receive()
    before = [(path, path.stat().st_mtime_ns) for path in stick.folder.rglob("*")]
    stick.folder.chmod(0o500)
    assert staff.open(stick.folder).code == 0
    stick.folder.chmod(0o700)
    assert [(path, path.stat().st_mtime_ns) for path in stick.folder.rglob("*")] == before


def test_two_copies_of_one_upload_are_one(stick: Stick, staff: Staff) -> None:
    """The same upload on two sticks, one copy cut off, is opened once and whole."""
    sent = stick.receive(octets(200_000))
    second = stick.folder / "copy"
    second.mkdir()
    (second / stick.path_of(sent).name).write_bytes(sent.whole()[:90_000])
    assert staff.open(stick.folder, second).code == 0
    assert staff.files() == {"clip.mp4": octets(200_000)}


def test_a_folder_without_sealed_files_is_said(staff: Staff, tmp_path: Path) -> None:
    """The wrong folder, or no stick: words, and an exit code of its own."""
    ran = staff.open(tmp_path)
    assert ran.code == 4
    assert "There is no sealed file" in ran.words


def test_who_opened_it_is_on_record(stick: Stick, staff: Staff, desk: Ngo) -> None:
    """The custody report has the sealed file's hash and the fingerprints that GnuPG reported."""
    sent = stick.receive(b"one", "one.txt", filetype="text/plain")
    assert staff.open(stick.folder).code == 0
    (entry,) = staff.custody()
    assert isinstance(entry["sealed"], dict)
    assert entry["sealed"]["name"] == f"{sent.upload}.tar.gpg"
    assert entry["sealed"]["size"] == sent.layout.file_length
    assert isinstance(entry["opened_with"], dict)
    assert entry["opened_with"]["certificate"] == desk.fingerprint
    assert (entry["received"], entry["path"]) == ("2026-03-01", "one.txt")
    text = (staff.into / "quiet-harbour" / "custody.txt").read_text()
    assert desk.fingerprint in text
    assert str(entry["sha512"])[:64] in text


def test_a_report_can_be_signed_later(stick: Stick, staff: Staff, desk: Ngo) -> None:
    """`--sign` adds a signature that gpg verifies, and opens nothing again; then it stays."""
    stick.receive(b"one", "one.txt")
    assert staff.open(stick.folder).code == 0
    assert staff.open(stick.folder, "--sign", desk.fingerprint).code == 0
    bag = staff.into / "quiet-harbour"
    checked = desk.gpg("--verify", str(bag / "custody.txt.asc"), str(bag / "custody.txt"))
    assert checked.returncode == 0
    signed = staff.everything()
    assert staff.verify().code == 0
    assert staff.open(stick.folder, "--sign", desk.fingerprint).code == 0
    assert staff.everything() == signed


def test_a_report_that_changed_is_no_longer_signed(stick: Stick, staff: Staff, desk: Ngo) -> None:
    """What arrives later changes the report: the old signature goes, the bag stays valid."""
    stick.receive(b"one", "one.txt")
    assert staff.open(stick.folder, "--sign", desk.fingerprint).code == 0
    stick.receive(b"two", "two.txt")
    assert staff.open(stick.folder).code == 0
    assert not (staff.into / "quiet-harbour" / "custody.txt.asc").exists()
    assert staff.verify().code == 0


def test_a_key_that_cannot_sign_is_said(stick: Stick, staff: Staff) -> None:
    """The bag is whole without its signature, and the words say what to do."""
    stick.receive()
    ran = staff.open(stick.folder, "--sign", "nobody@nowhere.example")
    assert ran.code == 4
    assert "did not sign" in ran.words
    assert staff.verify().code == 0
