"""The session key: GnuPG makes it, we learn it, only the recipients can open it."""

import copy
import hashlib
import os
import pickle
import re
import secrets
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256

from crypto.packets import parse_packets
from crypto.session_key import NewMessageKeys, SessionKeyMaker
from tests.crypto.keys.making import Interpose, Ngo, export, gpg

GPG = shutil.which("gpg") or ""


def seal_with(keys: NewMessageKeys, content: bytes) -> bytes:
    """Make a whole OpenPGP message under the made keys, in the oldest form (SEIPD version 1)."""
    start = secrets.token_bytes(16)
    literal = b"b\0" + bytes(4) + content
    plain = start + start[-2:] + bytes([0xCB, len(literal)]) + literal + b"\xd3\x14"
    plain += hashlib.sha1(plain).digest()
    encryptor = Cipher(AES256(keys.session_key), CFB(bytes(16))).encryptor()
    body = b"\x01" + encryptor.update(plain) + encryptor.finalize()
    return keys.pkesks + bytes([0xD2, len(body)]) + body


def shown_session_key(ngo: Ngo, message: bytes, *, only: str | None = None) -> bytes:
    """Give what GnuPG itself finds in the message with the secret key."""
    chosen = ["--try-secret-key", only] if only else []
    opened = ngo.gpg("--status-fd", "2", *chosen, "--show-session-key", "-d", given=message)
    assert opened.returncode == 0, opened.stderr.decode()
    assert opened.stdout == b"sealed"
    found = re.search(rb"\[GNUPG:\] SESSION_KEY 9:([0-9A-F]{64})", opened.stderr)
    assert found
    return bytes.fromhex(found[1].decode())


@pytest.mark.parametrize("kind", ["cv25519", "rsa3072", "nistp256"])
def test_the_made_key_is_the_one_that_the_recipient_finds(
    ngos: dict[str, Ngo], empty_home: Path, kind: str
) -> None:
    """GnuPG opens the PKESK packets with the secret key and finds the very same session key."""
    keys = SessionKeyMaker("gpg", empty_home, [ngos[kind].certificate]).make()

    assert shown_session_key(ngos[kind], seal_with(keys, b"sealed")) == keys.session_key


def test_each_of_several_recipients_can_open_alone(ngos: dict[str, Ngo], empty_home: Path) -> None:
    """With one PKESK of the three left in the message, its recipient still opens it."""
    everyone = list(ngos.values())
    keys = SessionKeyMaker("gpg", empty_home, [ngo.certificate for ngo in everyone]).make()
    packets = parse_packets(keys.pkesks)

    assert [packet.tag for packet in packets] == [1, 1, 1]
    for packet in packets:
        alone = NewMessageKeys(keys.session_key, packet.raw)
        assert shown_session_key(everyone[0], seal_with(alone, b"sealed")) == keys.session_key


def test_a_binary_certificate_serves_as_well(ngo: Ngo, empty_home: Path, tmp_path: Path) -> None:
    """A certificate without armor is a recipient too."""
    binary = export(ngo.home, tmp_path / "ngo.pgp", ngo.fingerprint, armor=False)
    keys = SessionKeyMaker("gpg", empty_home, [binary]).make()

    assert shown_session_key(ngo, seal_with(keys, b"sealed")) == keys.session_key


def test_a_path_that_looks_like_an_option_is_a_path(
    ngo: Ngo, empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate file called `--version` is read, not obeyed."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ngo.certificate, tmp_path / "--version")

    keys = SessionKeyMaker("gpg", empty_home, [Path("--version")]).make()

    assert len(parse_packets(keys.pkesks)) == 1


def test_no_two_messages_share_a_key(ngo: Ngo, empty_home: Path) -> None:
    """32 threads at once make 32 different keys, and the home directory is still empty."""
    maker = SessionKeyMaker("gpg", empty_home, [ngo.certificate])
    with ThreadPoolExecutor(32) as pool:
        made = list(pool.map(lambda _: maker.make(), range(32)))

    assert len({keys.session_key for keys in made}) == 32
    assert {len(keys.session_key) for keys in made} == {32}
    assert list(empty_home.iterdir()) == []


def test_gnupg_leaves_nothing_behind(ngo: Ngo, empty_home: Path) -> None:
    """After a call the home directory is empty and no agent runs for it."""
    SessionKeyMaker("gpg", empty_home, [ngo.certificate]).make()

    assert list(empty_home.iterdir()) == []
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [line for line in running if os.fsencode(empty_home) in line]


def test_the_passphrase_is_not_in_the_process_list(
    ngo: Ngo,
    empty_home: Path,
    tmp_path: Path,
    interpose: Interpose,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the command line nor the environment of GnuPG holds a secret of ours."""
    seen = tmp_path / "seen"
    monkeypatch.setenv("SECRET_OF_THE_SERVICE", "canary")
    record = (
        f"lambda a: (pathlib.Path({str(seen)!r}).open('a').write(repr(a) + "
        "pathlib.Path('/proc/self/environ').read_text()), a)[1]"
    )
    SessionKeyMaker(interpose(arguments=record), empty_home, [ngo.certificate]).make()

    text = seen.read_text()
    assert "--passphrase-fd" in text
    assert f"'--homedir', '{empty_home}'" in text
    assert "canary" not in text
    assert "LC_ALL=" in text
    assert not re.search("[0-9a-f]{64}", text)


def test_no_secret_shows_when_printed(ngo: Ngo, empty_home: Path) -> None:
    """Printing the keys shows no octet of the session key."""
    keys = SessionKeyMaker("gpg", empty_home, [ngo.certificate]).make()

    assert repr(keys) == str(keys) == "NewMessageKeys()"
    assert f"{keys}" == "NewMessageKeys()"


@pytest.mark.parametrize("write", [pickle.dumps, copy.copy, copy.deepcopy])
def test_no_secret_can_be_pickled(
    ngo: Ngo, empty_home: Path, write: Callable[[NewMessageKeys], object]
) -> None:
    """A pickle or a copy of the keys is refused."""
    keys = SessionKeyMaker("gpg", empty_home, [ngo.certificate]).make()

    with pytest.raises(TypeError, match="internal error"):
        write(keys)


def test_the_ngo_of_the_tests_can_open_and_the_service_cannot(ngo: Ngo, empty_home: Path) -> None:
    """In the service's own home directory GnuPG opens nothing: there is no secret key there."""
    message = seal_with(SessionKeyMaker("gpg", empty_home, [ngo.certificate]).make(), b"sealed")

    assert ngo.gpg("-d", given=message).stdout == b"sealed"
    refused = gpg(empty_home, "--no-autostart", "--no-options", "--no-keyring", "-d", given=message)
    assert refused.returncode != 0
    assert refused.stdout == b""
