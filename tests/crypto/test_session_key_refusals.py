"""The session key: a GnuPG that is missing, old, broken or of another mind is refused in words."""

import re
import shutil
import stat
from pathlib import Path

import pytest

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
from crypto.session_key import SessionKeyMaker
from tests.crypto.keys.making import Interpose, Ngo, export, generate

GPG = shutil.which("gpg") or ""


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
    with pytest.raises(GnuPGHomeError, match=re.escape(str(tmp_path / "nowhere"))):
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


@pytest.mark.parametrize("octets", [0, 1, 12, 13, 14, 45, 47, 62])
def test_a_session_key_of_another_length_is_refused(
    ngo: Ngo, empty_home: Path, interpose: Interpose, octets: int
) -> None:
    """An SKESK that is shorter or longer than one with an AES-256 key is refused as that."""
    skesk = f"(o[{SKESK} + 2 : {DATA}] + bytes(16))[:{octets}]"
    change = f"lambda o: o[: {SKESK} + 1] + bytes([{octets}]) + {skesk} + o[{DATA} :]"
    maker = SessionKeyMaker(interpose(output=change), empty_home, [ngo.certificate])

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
