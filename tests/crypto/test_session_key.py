"""The session key: GnuPG makes it, we learn it, only the recipients can open it."""

import copy
import hashlib
import os
import pickle
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256

from crypto.errors import (
    GnuPGHomeError,
    GnuPGMissingError,
    GnuPGOutputError,
    GnuPGRefusedError,
    GnuPGTooOldError,
    NoRecipientError,
    OperatorError,
    SessionKeyError,
)
from crypto.packets import parse_packets
from crypto.session_key import NewMessageKeys, SessionKeyMaker
from tests.crypto.keys.making import Ngo, export, generate, gpg

GPG = shutil.which("gpg") or ""

# Stands between the maker and GnuPG, as another version of GnuPG or a broken machine would.
INTERPOSED = """#!{python}
import pathlib, subprocess, sys
arguments = ({arguments})(sys.argv[1:])
done = subprocess.run([{gpg!r}, *arguments], stdout=subprocess.PIPE, check=False)
listing = "--list-config" in arguments
sys.stdout.buffer.write(done.stdout if listing else ({output})(done.stdout))
sys.exit(done.returncode if listing else ({code})(done.returncode))
"""

Interpose = Callable[..., str]


@pytest.fixture
def interpose(tmp_path: Path) -> Interpose:
    """Make a program that behaves as GnuPG does, except for what the test changes."""

    def make(arguments: str = "list", output: str = "bytes", code: str = "int") -> str:
        program = tmp_path / "other-gpg"
        program.write_text(
            INTERPOSED.format(
                python=sys.executable, gpg=GPG, arguments=arguments, output=output, code=code
            )
        )
        program.chmod(0o700)
        return str(program)

    return make


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


def test_nobody_to_seal_to_is_refused(empty_home: Path) -> None:
    """There is no mode without a recipient (GL#824)."""
    with pytest.raises(NoRecipientError, match="nothing can be sealed"):
        SessionKeyMaker("gpg", empty_home, [])


@pytest.mark.parametrize("program", ["no-such-program", "/etc/passwd", "/bin/false"])
def test_a_missing_gnupg_is_refused_in_words(ngo: Ngo, empty_home: Path, program: str) -> None:
    """No GnuPG, a file that is no program, a program that fails: the operator is told what to do."""
    with pytest.raises(GnuPGMissingError, match="apt-get install gpg"):
        SessionKeyMaker(program, empty_home, [ngo.certificate])


def test_a_gnupg_that_goes_away_later_is_refused_in_words(
    ngo: Ngo, empty_home: Path, interpose: Interpose
) -> None:
    """GnuPG removed while the service runs is named, with no command line in the words."""
    program = interpose()
    maker = SessionKeyMaker(program, empty_home, [ngo.certificate])
    Path(program).unlink()

    with pytest.raises(GnuPGMissingError) as refused:
        maker.make()
    assert "--" not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("version", ["2.1.18", "1.4.23", "newest"])
def test_an_old_gnupg_is_refused(ngo: Ngo, empty_home: Path, tmp_path: Path, version: str) -> None:
    """GnuPG before 2.2, or one that does not say its version, is not used."""
    program = tmp_path / "old-gpg"
    program.write_text(f"#!/bin/sh\necho cfg:version:{version}\n")
    program.chmod(0o700)

    with pytest.raises(GnuPGTooOldError, match=r"2\.2"):
        SessionKeyMaker(str(program), empty_home, [ngo.certificate])


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o1700])
def test_a_home_that_others_may_enter_is_refused(ngo: Ngo, empty_home: Path, mode: int) -> None:
    """Any mode but 0700 is refused."""
    empty_home.chmod(mode)
    assert stat.S_IMODE(empty_home.stat().st_mode) == mode

    with pytest.raises(GnuPGHomeError, match="0700"):
        SessionKeyMaker("gpg", empty_home, [ngo.certificate])


def test_a_home_that_is_not_empty_is_refused(ngo: Ngo, empty_home: Path) -> None:
    """A configuration that somebody left in the home directory is not obeyed."""
    (empty_home / "common.conf").write_text("use-keyboxd\n")

    with pytest.raises(GnuPGHomeError, match=re.escape(str(empty_home))):
        SessionKeyMaker("gpg", empty_home, [ngo.certificate])


def test_a_missing_home_is_refused_and_not_made(ngo: Ngo, tmp_path: Path) -> None:
    """The home directory is the operator's to make."""
    with pytest.raises(GnuPGHomeError):
        SessionKeyMaker("gpg", tmp_path / "nowhere", [ngo.certificate])
    assert not (tmp_path / "nowhere").exists()


def test_an_expired_recipient_is_refused(ngo: Ngo, empty_home: Path, tmp_path: Path) -> None:
    """One recipient that expired since the start stops everything; nobody is left out silently."""
    fingerprint = generate(ngo.home, "Old <old@ngo.example>", expires="1y", today="20200101T000000")
    expired = export(ngo.home, tmp_path / "expired.asc", fingerprint)

    with pytest.raises(GnuPGRefusedError, match="check them"):
        SessionKeyMaker("gpg", empty_home, [ngo.certificate, expired]).make()
    assert list(empty_home.iterdir()) == []


def test_a_sign_only_recipient_is_refused(ngo: Ngo, empty_home: Path, tmp_path: Path) -> None:
    """A certificate that cannot be encrypted to stops everything."""
    fingerprint = generate(ngo.home, "Signs <signs@ngo.example>", subkeys=[])
    signs = export(ngo.home, tmp_path / "signs.asc", fingerprint)

    with pytest.raises(GnuPGRefusedError):
        SessionKeyMaker("gpg", empty_home, [signs]).make()


def test_a_recipient_file_that_vanished_is_refused(empty_home: Path, tmp_path: Path) -> None:
    """A certificate file removed while the service runs stops everything."""
    with pytest.raises(GnuPGRefusedError):
        SessionKeyMaker("gpg", empty_home, [tmp_path / "gone.asc"]).make()


DROP_ONE = "lambda a: a[:-2] if '--recipient-file' in a else a"


def test_a_recipient_left_out_is_noticed(
    ngos: dict[str, Ngo], empty_home: Path, interpose: Interpose
) -> None:
    """If GnuPG seals to fewer recipients than asked, nothing is sealed at all."""
    certificates = [ngo.certificate for ngo in ngos.values()]
    maker = SessionKeyMaker(interpose(arguments=DROP_ONE), empty_home, certificates)

    with pytest.raises(GnuPGOutputError):
        maker.make()


def test_a_recipient_too_many_is_noticed(
    ngos: dict[str, Ngo], empty_home: Path, interpose: Interpose
) -> None:
    """If somebody else is among the recipients, nothing is sealed at all."""
    intruder = str(ngos["rsa3072"].certificate)
    add = f"lambda a: [*a, '--recipient-file', {intruder!r}] if '--encrypt' in a else a"
    maker = SessionKeyMaker(interpose(arguments=add), empty_home, [ngos["cv25519"].certificate])

    with pytest.raises(GnuPGOutputError):
        maker.make()


@pytest.mark.parametrize(
    "options",
    [
        ["--cipher-algo", "AES128"],
        ["--s2k-cipher-algo", "AES192"],
        ["--s2k-digest-algo", "SHA512"],
        ["--s2k-mode", "1"],
        ["--s2k-count", "65536"],
        ["--armor"],
        ["--throw-keyids", "--no-such-option"],
    ],
    ids=lambda options: options[-1],
)
def test_a_message_of_another_form_is_refused(
    ngo: Ngo, empty_home: Path, interpose: Interpose, options: list[str]
) -> None:
    """Whatever a GnuPG of another mind writes is refused, not guessed at."""
    add = f"lambda a: [*a, *{options!r}] if '--encrypt' in a else a"
    maker = SessionKeyMaker(interpose(arguments=add), empty_home, [ngo.certificate])

    with pytest.raises(SessionKeyError):
        maker.make()


# Positions count from the end: 49 octets of data behind 2 of header, and before them the SKESK.
DATA, SKESK = -51, -51 - 48


@pytest.mark.parametrize(
    "position",
    [
        pytest.param(0, id="header of the PKESK"),
        pytest.param(2, id="version of the PKESK"),
        pytest.param(SKESK, id="header of the SKESK"),
        pytest.param(SKESK + 2, id="version of the SKESK"),
        pytest.param(SKESK + 3, id="cipher of the SKESK"),
        pytest.param(SKESK + 4, id="kind of S2K"),
        pytest.param(SKESK + 5, id="digest of the S2K"),
        pytest.param(SKESK + 6, id="salt"),
        pytest.param(SKESK + 14, id="count of the S2K"),
        pytest.param(SKESK + 15, id="cipher of the session key"),
        pytest.param(SKESK + 16, id="first octet of the session key"),
        pytest.param(DATA - 1, id="last octet of the session key"),
        pytest.param(DATA, id="header of the data"),
        pytest.param(DATA + 1, id="length of the data"),
        pytest.param(DATA + 2, id="version of the data"),
        pytest.param(DATA + 3, id="random block"),
        pytest.param(DATA + 3 + 16, id="repeated octets"),
        pytest.param(-22, id="header of the MDC"),
        pytest.param(-1, id="last octet of the MDC"),
    ],
)
def test_one_flipped_bit_is_noticed(
    ngo: Ngo, empty_home: Path, interpose: Interpose, position: int
) -> None:
    """A session key is believed only if it opens GnuPG's own message, octet for octet."""
    flip = f"lambda o: bytes(b ^ (i == {position} % len(o)) for i, b in enumerate(o))"
    maker = SessionKeyMaker(interpose(output=flip), empty_home, [ngo.certificate])

    with pytest.raises(GnuPGOutputError):
        maker.make()


@pytest.mark.parametrize(
    "output",
    [
        "lambda o: b''",
        "lambda o: o[:-1]",
        "lambda o: o[:-51]",
        "lambda o: o + b'x'",
        "lambda o: o * 2",
    ],
)
def test_a_message_cut_short_or_with_more_behind_it_is_refused(
    ngo: Ngo, empty_home: Path, interpose: Interpose, output: str
) -> None:
    """The whole message and nothing but the message."""
    maker = SessionKeyMaker(interpose(output=output), empty_home, [ngo.certificate])

    with pytest.raises(GnuPGOutputError):
        maker.make()


def test_an_exit_code_counts_whatever_was_written(
    ngo: Ngo, empty_home: Path, interpose: Interpose
) -> None:
    """GnuPG that fails after it has written a whole message is not believed."""
    maker = SessionKeyMaker(interpose(code="lambda c: 2"), empty_home, [ngo.certificate])

    with pytest.raises(GnuPGRefusedError):
        maker.make()


def test_silence_with_a_good_exit_code_is_not_success(
    ngo: Ngo, empty_home: Path, tmp_path: Path
) -> None:
    """Exit code 0 alone, without GnuPG's word that it encrypted, is not believed."""
    program = tmp_path / "silent-gpg"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *--list-config*) exec {GPG} "$@";; *) read -r line;; esac\n'
    )
    program.chmod(0o700)

    with pytest.raises(GnuPGRefusedError):
        SessionKeyMaker(str(program), empty_home, [ngo.certificate]).make()


def test_every_refusal_is_for_the_operator() -> None:
    """One except clause at the start of the service catches all that this module refuses."""
    assert issubclass(SessionKeyError, OperatorError)
    for refusal in (NoRecipientError, GnuPGMissingError, GnuPGRefusedError, GnuPGOutputError):
        assert issubclass(refusal, SessionKeyError)


def test_the_ngo_of_the_tests_can_open_and_the_service_cannot(ngo: Ngo, empty_home: Path) -> None:
    """In the service's own home directory GnuPG opens nothing: there is no secret key there."""
    message = seal_with(SessionKeyMaker("gpg", empty_home, [ngo.certificate]).make(), b"sealed")

    assert ngo.gpg("-d", given=message).stdout == b"sealed"
    refused = gpg(empty_home, "--no-autostart", "--no-options", "--no-keyring", "-d", given=message)
    assert refused.returncode != 0
    assert refused.stdout == b""
