"""Replies: made with stock gpg, proved to be for one source alone, opened in memory."""

import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pysequoia
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError
from crypto.layout import Layout
from crypto.reply import ReplyKey, is_message_to, make_reply_key, read_reply_key
from crypto.reply_message import open_reply
from crypto.reply_packets import find_subkey
from crypto.seal import ChunkCipher, data_header
from crypto.session_key import SessionKeyMaker
from tests.crypto.keys.making import generate, gpg, new_home

LIMIT = 131_072
TEXT = "Мы получили всё. Thank you \u200fممنون\n"
PLAIN = TEXT.encode()


class Staff:
    """Somebody with stock gpg, a key of their own, and a source's certificate as a file."""

    def __init__(self, home: Path, key: ReplyKey) -> None:
        self.home, self.key = home, key
        self.certificate = home / "reply-to-happy-otter.asc"
        self.certificate.write_bytes(key.certificate)

    def gpg(self, *arguments: str, given: bytes = PLAIN) -> bytes:
        done = gpg(self.home, *arguments, given=given)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def encrypts(self, *arguments: str, given: bytes = PLAIN) -> bytes:
        """Write to the source as the page for staff says."""
        to = ("--recipient-file", str(self.certificate))
        return self.gpg("--encrypt", *to, *arguments, given=given)


@pytest.fixture(scope="module")
def staff() -> Iterator[Staff]:
    with new_home() as home:
        generate(home)
        yield Staff(home, make_reply_key("happy otter"))


FORMS = {
    "as it comes": (),
    "armored": ("--armor",),
    "with a comment in the armor": ("--armor", "--comment", "from the desk"),
    "not compressed": ("--compress-algo", "none"),
    "zip": ("--compress-algo", "zip"),
    "zlib": ("--compress-algo", "zlib"),
    "bzip2": ("--compress-algo", "bzip2"),
    "as text": ("--textmode",),
    "with a file's name": ("--set-filename", "reply.txt"),
    "signed inside": ("--sign", "--pinentry-mode", "loopback", "--passphrase", ""),
    "AES-128": ("--cipher-algo", "AES128"),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_stock_gpg_makes_is_proved_and_opened(staff: Staff, form: str) -> None:
    """Staff need no special option: armored or not, compressed or not, signed or not."""
    message = staff.encrypts(*FORMS[form])
    assert is_message_to(staff.key.id, message)
    assert open_reply(staff.key.secret, message, LIMIT) == TEXT


@pytest.mark.parametrize("octets", [0, 1, 511, 512, 8191, 8192, 70_000, LIMIT])
@pytest.mark.parametrize("form", ["as it comes", "not compressed"])
def test_a_text_of_any_length_is_opened(staff: Staff, octets: int, form: str) -> None:
    """gpg writes long messages in pieces; up to the limit all of the text is there."""
    message = staff.encrypts(*FORMS[form], given=b"x" * octets)
    assert open_reply(staff.key.secret, message, LIMIT) == "x" * octets


def test_an_imported_certificate_works_by_name(staff: Staff) -> None:
    """Kleopatra and `gpg -r` import the certificate first; its name is the designation."""
    staff.gpg("--import", str(staff.certificate))
    message = staff.gpg("--encrypt", "--trust-model", "always", "-r", "happy otter")
    assert open_reply(staff.key.secret, message, LIMIT) == TEXT


def test_armor_that_went_through_a_mail_program_is_opened(staff: Staff) -> None:
    """Line ends of Windows and blank lines around it change nothing."""
    message = staff.encrypts("--armor").replace(b"\n", b"\r\n")
    assert open_reply(staff.key.secret, b"\r\n\r\n" + message + b"\r\n", LIMIT) == TEXT


def test_ocb_messages_are_opened(staff: Staff, empty_home: Path) -> None:
    """What a newer gpg makes with --force-ocb is opened too (LibrePGP, 5.16)."""
    keys = SessionKeyMaker("gpg", empty_home, [staff.certificate]).make()
    iv, layout = bytes(range(15)), Layout(len(keys.pkesks), 0, 0)
    cipher = ChunkCipher(keys.session_key, iv)
    # As data_header writes it: the fields of the packet stand behind its tag and length.
    fields = bytes([1, 9, 2, 10]) + iv
    assert bytes(data_header(layout, iv)).find(fields) > 0
    content = b"b\0" + bytes(4) + PLAIN
    literal = bytes([0xCB, len(content)]) + content
    body = fields + cipher.seal(0, literal) + cipher.seal_end(1, len(literal))
    message = keys.pkesks + bytes([0xD4, 0xFF]) + len(body).to_bytes(4) + body
    assert is_message_to(staff.key.id, message)
    assert open_reply(staff.key.secret, message, LIMIT) == TEXT
    changed = message[:-20] + bytes([message[-20] ^ 1]) + message[-19:]
    with pytest.raises(CryptoError):
        open_reply(staff.key.secret, changed, LIMIT)


def test_another_library_opens_the_same(staff: Staff) -> None:
    """Sequoia, which made the key, reads what gpg wrote exactly as we do."""
    message = staff.encrypts()
    decryptor = pysequoia.Tsk.from_bytes(staff.key.secret).decryptor()
    opened = pysequoia.decrypt(message, decryptor=decryptor)
    assert opened.bytes is not None
    assert bytes(opened.bytes).decode() == open_reply(staff.key.secret, message, LIMIT)


def test_text_that_is_not_utf_8_is_shown_as_well_as_it_can_be(staff: Staff) -> None:
    """A reply written in another encoding is no reason to show nothing."""
    message = staff.encrypts(given=b"caf\xe9\xff")
    assert open_reply(staff.key.secret, message, LIMIT) == "caf\ufffd\ufffd"


# --- What is refused ---------------------------------------------------------------------------


def test_a_message_to_somebody_else_is_refused(staff: Staff) -> None:
    """What only another source could open is not kept for this one."""
    other = make_reply_key("sleepy heron")
    message = staff.encrypts()
    assert not is_message_to(other.id, message)
    with pytest.raises(CryptoError):
        open_reply(other.secret, message, LIMIT)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--throw-keyids",),
        ("--symmetric", "--pinentry-mode", "loopback", "--passphrase", "x"),
    ],
    ids=["no recipient named", "a passphrase, too"],
)
def test_what_others_may_open_too_is_refused(staff: Staff, arguments: tuple[str, ...]) -> None:
    """It must be provable from outside that the source alone can open it."""
    assert not is_message_to(staff.key.id, staff.encrypts(*arguments))


def test_two_recipients_are_refused(staff: Staff, tmp_path: Path) -> None:
    """A reply that somebody else can open is not for the source alone."""
    other = tmp_path / "other.asc"
    other.write_bytes(make_reply_key("sleepy heron").certificate)
    message = staff.encrypts("--recipient-file", str(other))
    assert not is_message_to(staff.key.id, message)


def test_what_is_not_encrypted_is_refused(staff: Staff) -> None:
    """No flag makes plaintext pass: signed, merely packed or bare (HL PR#376)."""
    signed = ("--pinentry-mode", "loopback", "--passphrase", "")
    for message in (
        PLAIN,
        b"",
        b"-----BEGIN PGP MESSAGE-----\n\n-----END PGP MESSAGE-----\n",
        staff.gpg("--store"),
        staff.gpg("--sign", *signed),
        staff.gpg("--clear-sign", *signed),
        staff.key.certificate,
        b"-----BEGIN PGP MESSAGE-----\n\n" + PLAIN + b"\n-----END PGP MESSAGE-----\n",
    ):
        assert not is_message_to(staff.key.id, message)


@pytest.mark.parametrize("where", ["before", "behind", "twice"])
def test_nothing_may_stand_around_it(staff: Staff, where: str) -> None:
    """What is smuggled in before or behind the encrypted data is refused."""
    message, packed = staff.encrypts(), staff.gpg("--store")
    around = {"before": packed + message, "behind": message + packed, "twice": message * 2}
    assert not is_message_to(staff.key.id, around[where])


def test_a_message_cut_off_anywhere_is_never_opened(staff: Staff) -> None:
    """Half a reply is no reply."""
    message = staff.encrypts()
    for end in range(len(message)):
        with pytest.raises(CryptoError):
            open_reply(staff.key.secret, message[:end], LIMIT)


def test_a_changed_bit_anywhere_is_noticed(staff: Staff) -> None:
    """No octet can be changed on the way but such as mean nothing."""
    message = staff.encrypts()
    for at in range(len(message)):
        changed = message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]
        with pytest.raises(CryptoError):
            open_reply(staff.key.secret, changed, LIMIT)


@pytest.mark.parametrize("packer", ["zip", "zlib", "bzip2"])
def test_a_bomb_goes_off_nowhere(staff: Staff, packer: str) -> None:
    """A short message that would become gigabytes stops at the limit (SDC#3434)."""
    message = staff.encrypts("--compress-algo", packer, given=bytes(20_000_000))
    assert len(message) < LIMIT
    with pytest.raises(CryptoError):
        open_reply(staff.key.secret, message, LIMIT)


def test_a_bomb_in_a_bomb_is_not_unpacked(staff: Staff) -> None:
    """gpg packs once; what is packed three times is unpacked by nobody."""
    content = b"b\0" + bytes(4) + PLAIN
    packet = bytes([0xCB, len(content)]) + content
    for _ in range(3):
        packed = b"\x02" + zlib.compress(packet)
        packet = bytes([0xC8, len(packed)]) + packed
    message = staff.encrypts("--no-literal", "--compress-algo", "none", given=packet)
    assert is_message_to(staff.key.id, message)
    with pytest.raises(CryptoError):
        open_reply(staff.key.secret, message, LIMIT)


def test_a_text_over_the_limit_is_not_opened(staff: Staff) -> None:
    """The limit holds for what is not packed, too."""
    message = staff.encrypts("--compress-algo", "none", given=b"x" * (LIMIT + 1))
    with pytest.raises(CryptoError):
        open_reply(staff.key.secret, message, LIMIT)


@given(st.binary(max_size=300))
def test_any_octets_are_refused_in_words(octets: bytes) -> None:
    """Whatever is handed in, there is an answer and no fault."""
    assert not is_message_to(KEY.id, octets)
    with pytest.raises(CryptoError):
        open_reply(KEY.secret, octets, LIMIT)


KEY = make_reply_key("any")


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_octets_in_the_right_frame_are_refused_in_words(pkesk: bytes, data: bytes) -> None:
    """So are octets that look like a message to the right key from outside."""
    body = b"\x03" + KEY.id + pkesk
    message = bytes([0xC1, 0xFF]) + len(body).to_bytes(4) + body
    message += bytes([0xD2, 0xFF]) + (1 + len(data)).to_bytes(4) + b"\x01" + data
    assert is_message_to(KEY.id, message)
    with pytest.raises(CryptoError):
        open_reply(KEY.secret, message, LIMIT)


# --- The key ------------------------------------------------------------------------------------


def test_the_certificate_is_one_that_stock_gpg_takes(staff: Staff) -> None:
    """It never expires, bears the designation and nothing else, and holds no secret."""
    listed = staff.gpg("--with-colons", "--show-keys", str(staff.certificate)).decode()
    records = [line.split(":") for line in listed.splitlines()]
    kinds = [record[0] for record in records]
    assert [record[9] for record in records if record[0] == "uid"] == ["happy otter"]
    assert "sec" not in kinds
    assert all(record[6] == "" for record in records if record[0] in {"pub", "sub"})
    subkeys = {record[4].lower(): record[11] for record in records if record[0] == "sub"}
    assert subkeys[staff.key.id.hex()] == "e"


def test_a_key_is_read_back_as_it_was(staff: Staff) -> None:
    """What is wrapped is all that there is to keep."""
    again = read_reply_key(staff.key.secret)
    assert (again.id, again.secret) == (staff.key.id, staff.key.secret)
    assert again.certificate == staff.key.certificate


def test_no_two_keys_are_alike() -> None:
    """Each source has a key of its own, with a scalar of 32 octets whatever its first ones are."""
    keys = [find_subkey(make_reply_key("same words").secret) for _ in range(300)]
    assert len({key.scalar for key in keys}) == len(keys)
    assert {len(key.scalar) for key in keys} == {32}


def test_a_key_is_neither_printed_nor_pickled(staff: Staff) -> None:
    """What holds the secret half shows nothing of it."""
    assert repr(staff.key) == "ReplyKey()"
    with pytest.raises(TypeError):
        staff.key.__reduce__()


def test_making_a_key_starts_no_thread_and_no_file(tmp_path: Path) -> None:
    """The library works in memory, in the thread that calls it."""
    program = (
        "import os; from crypto.reply import make_reply_key\n"
        "before = set(os.listdir('/proc/self/fd'))\n"
        "make_reply_key('x')\n"
        "assert len(os.listdir('/proc/self/task')) == 1\n"
        "assert set(os.listdir('/proc/self/fd')) == before\n"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", program]
    environment = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, check=True, cwd=root, env=environment, timeout=60)
    assert list(tmp_path.iterdir()) == []
