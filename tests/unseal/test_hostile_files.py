"""Sealed files that somebody has made or changed: each is refused, and leaves nothing."""

import os
import resource
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.layout import CHUNK
from crypto.seal import ChunkCipher, Plaintext, data_header
from tests.crypto.sealing import octets
from tests.unseal.staff import Sent, Staff, Stick, chunk_at, new_id
from tests.vectors.sealed import make

# What a reader of docs/format.md refuses, and GnuPG does not show to who asks it to decrypt: the form
# of lengths and of the padding inside. Name and content are the right ones, or the lengths give it away.
UNSEEN = {
    "literal_length_of_two_octets",
    "literal_length_partial",
    "marker_instead_of_padding",
    "packet_behind_padding",
    "padding_not_zero",
    "padding_not_zero_at_the_end",
    "padding_too_short",
    "literal_with_date",
}


def groups() -> dict[str, dict[str, tuple[make.File, str]]]:
    """The vectors, by what a strict reader says of them."""
    return {"ok": make.OPENED, "FramingError": make.FRAMING, **make.OTHERS}


@pytest.fixture
def vectors(stick: Stick, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str, make.File]]:
    """Put every vector on the stick, sealed to our key; give upload, verdict and file by name."""
    monkeypatch.setattr(make, "SESSION_KEY", stick.keys.session_key)
    put = {}
    for expect, group in groups().items():
        for name, (file, _comment) in group.items():
            upload = new_id()
            mine = replace(file, more_facts={"upload": upload, **file.more_facts})
            sealed = make.seal(mine).replace(make.PKESK, stick.keys.pkesks)
            (stick.folder / f"{upload}.tar.gpg").write_bytes(sealed)
            put[name] = (upload, expect, file)
    return put


def test_every_vector_is_opened_or_refused_as_it_should(
    vectors: dict[str, tuple[str, str, make.File]], stick: Stick, staff: Staff
) -> None:
    """LESSONS 9, 36-40: of all vectors exactly the good ones leave a file, with its content."""
    ran = staff.open(stick.folder)
    assert ran.code == 1
    places = {str(entry["upload"]): str(entry["place"]) for entry in staff.custody()}
    opened = {name for name, (upload, _, _) in vectors.items() if upload in places}
    good = {name for name, (_, expect, _) in vectors.items() if expect == "ok"}
    assert good <= opened
    assert opened - good <= UNSEEN
    for name in opened:
        upload, _, file = vectors[name]
        assert (staff.into / "quiet-harbour" / places[upload]).read_bytes() == file.content
    assert (len(staff.opened()), staff.leftovers()) == (len(opened), [])
    refused = ran.refused
    assert refused == {upload for upload, _, _ in vectors.values()} - set(places)
    assert staff.verify().code == 0


def test_what_is_refused_says_what_to_do(stick: Stick, staff: Staff) -> None:
    """Each refusal names its file, what happened, what was kept and what to do next."""
    sent = stick.receive(octets(200_000))
    stick.change(sent, chunk_at(sent, 1))
    ran = staff.open(stick.folder)
    assert ran.code == 1
    assert sent.upload in ran.words
    assert "changed or damaged" in ran.words
    assert "Nothing of it was kept" in ran.words
    assert "Fetch it again" in ran.words
    assert staff.opened() == {}


def test_two_files_that_exchanged_their_names_are_refused(stick: Stick, staff: Staff) -> None:
    """A server cannot pass one upload off as another: the receipt has the id."""
    one, two = stick.receive(b"one", "one.txt"), stick.receive(b"two", "two.txt")
    stick.put(one, two.whole())
    stick.put(two, one.whole())
    ran = staff.open(stick.folder)
    assert (ran.code, staff.opened()) == (1, {})
    assert f"give it back its name, {two.upload}.tar.gpg" in ran.words


def test_a_spliced_file_is_refused(stick: Stick, staff: Staff) -> None:
    """The beginning of one upload with the end of another does not open, even under one key."""
    one, two = Sent(stick.keys, octets(200_000)), Sent(stick.keys, octets(200_000)[::-1])
    edge = one.layout.chunk_begins(1)
    stick.put(one, one.whole()[:edge] + two.whole()[edge:])
    assert (staff.open(stick.folder).code, staff.opened()) == (1, {})


def test_no_changed_bit_gets_through(stick: Stick, staff: Staff) -> None:
    """One flipped bit anywhere, GnuPG 2.2.40 saying DECRYPTION_OKAY or not: refused, nothing left."""
    content = octets(70_000)
    positions = [0, 1, 2, 12, 40, *range(60, 73_000, 4_409)]
    for position in positions:
        sent = stick.receive(content)
        stick.change(sent, position, 1 << position % 8)
    last = stick.receive(content)
    stick.change(last, last.layout.file_length - 1)
    ran = staff.open(stick.folder)
    assert (ran.code, staff.opened(), staff.leftovers()) == (1, {}, [])
    assert len(ran.refused) == len(positions) + 1


def test_a_size_that_the_sealed_file_cannot_hold_is_refused(stick: Stick, staff: Staff) -> None:
    """SDC#3434: a bomb declares more than there is room for; it is refused before a byte is written."""
    sent = Sent(stick.keys, b"small")
    bomb = Sent(stick.keys, b"small", upload=sent.upload)
    layout = bomb.layout
    head = bomb.head.replace(b"00000000005\0", b"77777777777\0")
    assert len(head) == len(bomb.head)
    sealed = seal_with_head(bomb, head)
    assert len(sealed) == layout.file_length
    stick.put(bomb, sealed)
    ran = staff.open(stick.folder)
    assert (ran.code, staff.opened()) == (1, {})
    assert "Nothing of it was kept" in ran.words


def test_a_cut_file_that_inflates_fills_no_disk(stick: Stick, staff: Staff) -> None:
    """SDC#3434: without its end, a compressed packet could be 100 MB. None of it is written."""
    bomb = Film(stick.keys, bytes(1))
    stick.put(bomb, sealed_bomb(bomb))
    stick.receive(b"good", "good.txt")
    done = subprocess.run(
        staff.command(stick.folder, "--into", staff.into),
        capture_output=True,
        check=False,
        env=staff.environment,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)),
    )
    assert (done.returncode, done.stderr.count(b"REFUSED")) == (1, 1)
    assert b"GnuPG gave more than there is" in b" ".join(done.stderr.split())
    assert (staff.files(), staff.leftovers()) == ({"good.txt": b"good"}, [])


class Film(Sent):
    """An upload that says that it has a gigabyte."""

    @property
    def head(self) -> bytes:
        return checksummed(super().head.replace(b"00000000001\0", b"10000000000\0"))


def sealed_bomb(bomb: Sent) -> bytes:
    """Seal a compressed packet of 100 MiB, and after it what is not read; leave out the end."""
    layout = replace(bomb.layout, length=1 << 30)
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    plain = b"\xa3\x01"  # compressed data of no stated length, ZIP (RFC 9580, 4.2.2.4 and 5.6)
    plain += packed.compress(bytes(layout.literal.frame(0, b"b" + bytes(5) + bomb.head)))
    plain += b"".join(packed.compress(bytes(1 << 20)) for _ in range(100))
    plain += packed.flush(zlib.Z_FULL_FLUSH)
    plain += os.urandom(-len(plain) % CHUNK)
    iv = os.urandom(15)
    cipher = ChunkCipher(bomb.keys.session_key, iv)
    chunks = [
        bytes(cipher.seal(at // CHUNK, Plaintext(plain[at : at + CHUNK])))
        for at in range(0, len(plain), CHUNK)
    ]
    return b"".join([bomb.keys.pkesks, data_header(layout, iv), *chunks])


def seal_with_head(sent: Sent, head: bytes) -> bytes:
    """Seal with another head, its checksum made right."""

    class Other(Sent):
        @property
        def head(self) -> bytes:
            return checksummed(head)

    return Other(sent.keys, sent.content, upload=sent.upload).whole()


def checksummed(head: bytes) -> bytes:
    """Make the checksum of the last header block right."""
    block = bytearray(head[-512:])
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return head[:-512] + bytes(block)


def test_what_is_no_sealed_file_never_reaches_gpg(
    stick: Stick, staff: Staff, tmp_path: Path
) -> None:
    """Armor, a signed text, a passphrase's message, a tar: refused by their first octets."""
    outside = {
        "armor": b"-----BEGIN PGP MESSAGE-----\n\nwQ0D\n-----END PGP MESSAGE-----\n",
        "passphrase": bytes.fromhex("8c0d04090308") + bytes(9) + b"\xd4\xff\0\0\0\1\0",
        "tar": b"note.txt" + bytes(600),
        "zeros": bytes(5000),
        "many": stick.keys.pkesks * 2000,
    }
    for content in outside.values():
        (stick.folder / f"{new_id()}.tar.gpg").write_bytes(content)
    watcher = tmp_path / "bin"
    watcher.mkdir()
    (watcher / "gpg").write_text(f"#!/bin/sh\necho ran >>{tmp_path}/ran\nexit 2\n")
    (watcher / "gpg").chmod(0o755)
    staff.surroundings = {"PATH": f"{watcher}:/usr/bin:/bin"}
    ran = staff.open(stick.folder)
    assert (ran.code, len(ran.refused)) == (1, len(outside))
    assert not (tmp_path / "ran").exists()


def test_links_on_a_stick_are_not_followed(stick: Stick, staff: Staff, tmp_path: Path) -> None:
    """OS 2.6.4: a link on the stick leads nowhere."""
    sent = Sent(stick.keys, b"x")
    (tmp_path / "elsewhere.tar.gpg").write_bytes(sent.whole())
    stick.path_of(sent).symlink_to(tmp_path / "elsewhere.tar.gpg")
    stick.receive(b"here", "here.txt")
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"here.txt": b"here"}
