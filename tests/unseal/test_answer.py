"""Answering a source: written in memory, encrypted to it alone, put on the stick for `fetch`."""

import os
import secrets
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.reply import ReplyKey, is_message_to, make_reply_key
from crypto.reply_message import open_reply
from tests.crypto.keys.making import Ngo
from tests.unseal.staff import Ran, Staff

TEXT = "Thank you. Which building is it?\n请在周五回来。"
MEMORY = Path("/dev/shm")
NAME = "quiet-harbour"


class Desk:
    """Staff at the offline machine: opened bags, a stick, and an editor that types `text`."""

    def __init__(self, staff: Staff, folder: Path, runtime: Path) -> None:
        self.staff, self.folder, self.runtime = staff, folder, runtime
        self.bags, self.stick = folder / "opened", folder / "stick"
        (self.bags / "reply-certificates").mkdir(parents=True)
        self.stick.mkdir()
        self.key = self.receive(NAME)
        self.types(TEXT)
        staff.surroundings = {"XDG_RUNTIME_DIR": str(runtime), "VISUAL": ""}

    def receive(self, name: str, ending: str = "") -> ReplyKey:
        """A source's certificate, as an opening puts it aside."""
        key = make_reply_key(f"reply to {name}")
        path = self.bags / "reply-certificates" / f"reply-to-{name}{ending}.asc"
        path.write_bytes(key.certificate)
        return key

    def types(self, text: str) -> None:
        (self.folder / "typed").write_bytes(text.encode())
        self.edits_with(f'cat "{self.folder}/typed" >"$1"')

    def edits_with(self, script: str) -> None:
        editor = self.folder / "my editor"
        editor.write_text(
            f'#!/bin/sh\nls -la "$1" "${{1%/*}}" >"{self.folder}/seen"\n'
            f'echo "$1" >"{self.folder}/where"\n{script}\n'
        )
        editor.chmod(0o755)

    def answer(self, *more: object, to: str = NAME, **surroundings: str) -> Ran:
        self.staff.surroundings = {
            **self.staff.surroundings,
            "EDITOR": f"'{self.folder}/my editor'",
            **surroundings,
        }
        return self.staff.run("answer", to, "--stick", self.stick, "--bags", self.bags, *more)

    @property
    def replies(self) -> list[Path]:
        return sorted(p for p in self.stick.rglob("*") if p.is_file())

    @property
    def was_asked(self) -> bool:
        return (self.folder / "where").exists()


@pytest.fixture
def runtime() -> Iterator[Path]:
    """Give a folder in memory."""
    folder = MEMORY / f"test-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def offline(staff: Staff, tmp_path: Path, runtime: Path) -> Desk:
    """Give staff who can answer."""
    return Desk(staff, tmp_path, runtime)


@pytest.mark.parametrize("to", ["quiet-harbour", " quiet  harbour "])
def test_the_source_can_read_it_and_the_desk_takes_it(offline: Desk, to: str) -> None:
    """Proved as the desk proves it, opened as the source's site opens it; where `fetch` looks."""
    ran = offline.answer(to=to)
    assert (ran.code, ran.complained) == (0, "")
    (reply,) = offline.replies
    assert reply.parent == offline.stick / "nightferry/replies" / NAME
    assert reply.name.removesuffix(".asc").isalnum()
    assert reply.stat().st_mode & 0o777 == 0o600
    message = reply.read_bytes()
    assert is_message_to(offline.key.id, message)
    assert open_reply(offline.key.secret, message, 1 << 20) == TEXT + "\n"
    assert "source alone" in ran.said


def test_nothing_of_the_staffs_gnupg_takes_part(offline: Desk, desk: Ngo, runtime: Path) -> None:
    """A gpg.conf that adds a recipient, compresses or signs changes nothing; no keyring is written."""
    conf = desk.home / "gpg.conf"
    conf.write_text(f"encrypt-to {desk.fingerprint}\ncompress-level 9\ncomment hello\n")
    try:
        assert offline.answer().code == 0
    finally:
        conf.unlink()
    message = offline.replies[0].read_bytes()
    assert is_message_to(offline.key.id, message)
    assert b"hello" not in message
    listed = desk.gpg("--list-keys", "--with-colons").stdout.decode()
    assert listed.count("pub:") == 1


def test_the_reply_says_nothing_of_its_length_by_compression(offline: Desk) -> None:
    """10,000 equal letters stay 10,000."""
    offline.types("a" * 10_000)
    assert offline.answer().code == 0
    assert offline.replies[0].stat().st_size > 13_000


def test_the_text_is_in_memory_alone_and_gone(offline: Desk, runtime: Path) -> None:
    """A private file in a private folder in memory; both, and the editor's copies, are removed."""
    offline.edits_with('echo left >"$1~"; echo hello >"$1"')
    assert offline.answer().code == 0
    where = Path((offline.folder / "where").read_text().strip())
    assert where.is_relative_to(runtime)
    seen = (offline.folder / "seen").read_text()
    assert "-rw-------" in seen.splitlines()[0]
    assert "drwx------" in seen
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize("given", ["", "/nonexistent"])
def test_a_runtime_folder_on_a_disk_is_not_used(offline: Desk, tmp_path: Path, given: str) -> None:
    """Without a folder of the session in memory, the machine's shared memory is taken."""
    runtime = given or str(tmp_path)
    assert offline.answer(XDG_RUNTIME_DIR=runtime).code == 0
    where = Path((offline.folder / "where").read_text().strip())
    assert where.is_relative_to(MEMORY)
    assert not where.parent.exists()


@pytest.mark.parametrize("end", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_closed_window_leaves_nothing(offline: Desk, runtime: Path, end: int) -> None:
    """Ended while the editor is open: the text is removed, nothing is on the stick."""
    offline.edits_with(f'echo secret >"$1"; kill -{int(end)} $PPID; sleep 1')
    ran = offline.answer()
    assert (ran.code, offline.replies, list(runtime.iterdir())) == (130, [], [])
    assert "Traceback" not in ran.words


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_an_empty_text_is_no_reply(offline: Desk, text: str) -> None:
    """Nothing is written, and it is said."""
    offline.types(text)
    ran = offline.answer()
    assert (ran.code, offline.replies) == (0, [])
    assert "Nothing was written" in ran.said


def test_a_reply_of_the_greatest_length_fits_and_one_more_does_not(offline: Desk) -> None:
    """The desk's limit is said here and not after the journey."""
    offline.types("a" * (131_072 - 1) + "é")
    ran = offline.answer()
    assert (ran.code, offline.replies) == (4, [])
    assert "too long: 131,073 octets" in ran.words
    offline.types("a" * 131_071)
    assert offline.answer().code == 0
    assert open_reply(offline.key.secret, offline.replies[0].read_bytes(), 131_072)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 7", "ended with an error (7)"),
        ("printf '\\377\\376h\\0' >\"$1\"", "not UTF-8"),
        ('rm "$1"', "No such file"),
    ],
)
def test_what_an_editor_does_wrong_is_said(offline: Desk, script: str, words: str) -> None:
    """Words, and nothing on the stick."""
    offline.edits_with(script)
    ran = offline.answer()
    assert (ran.code, offline.replies) == (4, [])
    assert words in ran.words
    assert "Traceback" not in ran.words


@pytest.mark.parametrize("editor", ["/nonexistent", "'unfinished"])
def test_an_editor_that_is_not_there_is_said(offline: Desk, editor: str) -> None:
    """With the way to name another."""
    ran = offline.answer(VISUAL=editor)
    assert (ran.code, offline.replies) == (4, [])
    assert "EDITOR=nano" in ran.words


def test_before_anybody_writes_all_else_is_checked(offline: Desk) -> None:
    """A wrong designation, stick or certificate is said before the editor opens."""
    certificates = offline.bags / "reply-certificates"
    for to, words in {
        "loud-harbour": "There is no certificate",
        "../../etc": "is no designation",
        "one": "is no designation",
    }.items():
        assert words in offline.answer(to=to).words
    assert "is no folder" in offline.answer("--stick", offline.folder / "none").words
    (certificates / "reply-to-broken-thing.asc").write_text("not a certificate")
    assert "No reply can be encrypted" in offline.answer(to="broken-thing").words
    assert not offline.was_asked
    assert offline.replies == []


def test_of_two_certificates_one_has_to_be_named(offline: Desk) -> None:
    """Somebody may have sent a second one: which is right is for staff to say, not for us to guess."""
    second = offline.receive(NAME, " (2)")
    ran = offline.answer()
    assert (ran.code, offline.was_asked) == (4, False)
    assert "2 different certificates" in ran.words
    path = offline.bags / "reply-certificates" / f"reply-to-{NAME} (2).asc"
    assert offline.answer("--certificate", path).code == 0
    assert is_message_to(second.id, offline.replies[0].read_bytes())


def test_copies_of_one_certificate_are_one(offline: Desk) -> None:
    """The same octets twice are no doubt."""
    path = offline.bags / "reply-certificates" / f"reply-to-{NAME}.asc"
    path.with_name(f"reply-to-{NAME} (2).asc").write_bytes(path.read_bytes())
    assert offline.answer().code == 0


def test_a_file_with_several_keys_is_no_certificate(offline: Desk, desk: Ngo) -> None:
    """gpg would take the first or all: neither is proved."""
    path = offline.bags / "reply-certificates" / f"reply-to-{NAME}.asc"
    path.write_bytes(path.read_bytes() + desk.certificate.read_bytes())
    ran = offline.answer()
    assert (ran.code, offline.replies) == (4, [])
    assert "not one certificate" in ran.words


def test_a_gpg_that_lies_is_not_believed(offline: Desk, desk: Ngo) -> None:
    """What comes out is for somebody else too, or gpg says something new: nothing is put on the stick."""
    real = shutil.which("gpg")
    folder = offline.folder / "liar"
    folder.mkdir()
    liar = folder / "gpg"
    head = '#!/bin/bash\nfor a; do [ "$p" = --status-fd ] && fd=$a; p=$a; done\n'
    head += 'case "$*" in *--encrypt*) made=yes;; esac\n'
    for script in (
        f'[ $made ] && set -- "$@" --recipient-file {desk.certificate}; exec {real} "$@"',
        f'[ $made ] && echo "[GNUPG:] SURPRISE 1" >&"$fd"; exec {real} "$@"',
        f'{real} "$@" || exit; [ -z $made ] || exit 2',
    ):
        liar.write_text(f"{head}{script}\n")
        liar.chmod(0o755)
        ran = offline.answer(PATH=f"{folder}:{os.environ['PATH']}")
        assert (ran.code, offline.replies) == (4, []), script
        assert "for this source alone" in ran.words


def test_without_gpg_there_are_words(offline: Desk) -> None:
    """What to install."""
    ran = offline.answer(PATH="/nonexistent")
    assert ran.code == 4
    assert "apt install gpg" in ran.words


def test_it_says_how_it_is_used(staff: Staff) -> None:
    """The help has every option."""
    ran = staff.run("answer", "--help")
    assert ran.code == 0
    for option in ("--stick", "--bags", "--certificate"):
        assert option in ran.said


def test_two_replies_at_once_do_not_meet(offline: Desk) -> None:
    """Random names: each stays."""
    assert offline.answer().code == 0
    offline.types("Another one.")
    assert offline.answer().code == 0
    texts = {open_reply(offline.key.secret, p.read_bytes(), 1 << 20) for p in offline.replies}
    assert texts == {TEXT + "\n", "Another one.\n"}
