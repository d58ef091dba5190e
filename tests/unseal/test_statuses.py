"""GnuPG's status lines: only the one sequence of a good message is taken for good."""

import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.unseal.errors import (
    DamagedError,
    LockedError,
    NoKeyError,
    SealedFileError,
    StrangeGnuPGError,
    UnsealError,
    UnusableKeyError,
)
from crypto.unseal.statuses import OpenedWith, Report
from tests.unseal.staff import Staff, Stick

KEY, CERTIFICATE = "7" * 40, "A" * 40
# gpg --status-fd 2 --decrypt FILE, for a file with two recipients of which the second is another's.
OF_2_2_40 = [
    "ENC_TO F3DEA4A01FDEBECC 18 0",
    f"KEY_CONSIDERED {CERTIFICATE} 0",
    "PINENTRY_LAUNCHED 4711 gtk2 1.2.1 /dev/pts/0 xterm-256color - 20620/1000/5 1000/1000 0",
    f"DECRYPTION_KEY {KEY} {CERTIFICATE} u",
    "ENC_TO F6713273A7771DB4 18 0",
    "NO_SECKEY F6713273A7771DB4",
    f"KEY_CONSIDERED {CERTIFICATE} 0",
    "BEGIN_DECRYPTION",
    "DECRYPTION_INFO 0 9 0",
    "PLAINTEXT 62 0 ",
    "PLAINTEXT_LENGTH 1000",
    "DECRYPTION_OKAY",
    "GOODMDC",
    "END_DECRYPTION",
]
OF_2_4_7 = [
    "ENC_TO F3DEA4A01FDEBECC 18 0",
    "ENC_TO F6713273A7771DB4 18 0",
    f"KEY_CONSIDERED {CERTIFICATE} 0",
    f"DECRYPTION_KEY {KEY} {CERTIFICATE} u",
    "NO_SECKEY F6713273A7771DB4",
    "BEGIN_DECRYPTION",
    "DECRYPTION_COMPLIANCE_MODE 23",
    "DECRYPTION_INFO 0 9 2",
    "PLAINTEXT 62 0 ",
    "PLAINTEXT_LENGTH 1000",
    "DECRYPTION_OKAY",
    "GOODMDC",
    "END_DECRYPTION",
]
both = pytest.mark.parametrize("good", [OF_2_2_40, OF_2_4_7], ids=["2.2.40", "2.4.7"])


def read(lines: list[str], code: int = 0, octets: int = 1000) -> OpenedWith:
    """Give the verdict on what GnuPG said."""
    report = Report()
    for line in lines:
        report.take(f"[GNUPG:] {line}".encode())
    return report.require_good(code, octets, "")


@both
def test_the_good_sequence_is_good(good: list[str]) -> None:
    """What GnuPG of Debian 12 and of Debian 13 says of a good message."""
    assert read(good) == OpenedWith(KEY, CERTIFICATE)


@both
def test_a_large_message_has_no_length(good: list[str]) -> None:
    """From 4 GiB on there is no PLAINTEXT_LENGTH."""
    lines = [line for line in good if "LENGTH" not in line]
    assert read(lines, octets=1 << 33) == OpenedWith(KEY, CERTIFICATE)


@both
def test_exit_status_0_is_not_enough(good: list[str]) -> None:
    """LESSONS 38 (gpg.fail): any needed line missing, and it is refused."""
    for word in ["DECRYPTION_KEY", "BEGIN_", "INFO", "PLAINTEXT 62", "OKAY", "GOODMDC", "END_"]:
        with pytest.raises(UnsealError):
            read([line for line in good if word not in line])


@both
def test_good_lines_are_not_enough(good: list[str]) -> None:
    """GnuPG 2.2.40 says DECRYPTION_OKAY and GOODMDC of a file with a changed chunk, and exits with 2."""
    with pytest.raises(DamagedError):
        read(good, code=2)


@both
def test_another_number_of_octets_is_refused(good: list[str]) -> None:
    """What came out has to be as long as GnuPG said."""
    with pytest.raises(DamagedError):
        read(good, octets=999)


@both
@pytest.mark.parametrize(
    "line",
    [
        "WARNING something 17",
        "ERROR aead_checktag 16777226",
        "BADMDC",
        "DECRYPTION_FAILED",
        "NODATA 3",
        "FAILURE gpg-exit 33554433",
        "NEWSIG",
        "GOODSIG AAAA somebody",
        "PLAINTEXT 62 0 ",
        "SOMETHING_NEW 1 2 3",
        "DECRYPTION_OKAY",
        "BEGIN_DECRYPTION",
        "",
    ],
)
def test_a_line_too_many_is_refused(good: list[str], line: str) -> None:
    """Wherever it stands, a line that a good message does not give refuses it."""
    for at in range(len(good) + 1):
        with pytest.raises(SealedFileError):
            read([*good[:at], line, *good[at:]])


@both
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("PLAINTEXT 62 0 ", "PLAINTEXT 74 0 "),
        ("PLAINTEXT 62 0 ", "PLAINTEXT 62 1700000000 "),
        ("PLAINTEXT 62 0 ", "PLAINTEXT 62 0 ..%2F.bashrc"),
        ("DECRYPTION_INFO 0 9", "DECRYPTION_INFO 0 7"),
        ("DECRYPTION_INFO 0 9", "DECRYPTION_INFO 2 9"),
        (f"DECRYPTION_KEY {KEY}", "DECRYPTION_KEY -"),
    ],
)
def test_another_kind_of_message_is_refused(good: list[str], right: str, wrong: str) -> None:
    """Text, a date, an embedded name, another cipher, MDC instead of OCB."""
    lines = [line.replace(right, wrong) for line in good]
    assert lines != good
    with pytest.raises(StrangeGnuPGError):
        read(lines)


LAUNCHED = "PINENTRY_LAUNCHED 3"


@pytest.mark.parametrize(
    ("window", "code", "reason"),
    [
        ([LAUNCHED], 83886179, LockedError),  # cancelled
        ([LAUNCHED], 67108875, LockedError),  # a wrong one
        ([], 67108949, UnusableKeyError),  # there is no window to ask in
        ([], 33554449, NoKeyError),
    ],
)
def test_a_key_that_is_locked_is_not_a_missing_one(
    window: list[str], code: int, reason: type[UnsealError]
) -> None:
    """GnuPG 2.4.7 says NO_SECKEY for both: only what it says beside it tells them apart."""
    lines = ["ENC_TO F3DEA4A01FDEBECC 18 0", *window, "NO_SECKEY F3DEA4A01FDEBECC"]
    lines += [f"ERROR pkdecrypt_failed {code}", "BEGIN_DECRYPTION", "DECRYPTION_FAILED"]
    with pytest.raises(reason):
        read([*lines, "END_DECRYPTION", "FAILURE gpg-exit 33554433"], 2, 0)


def test_a_line_that_is_none_is_refused() -> None:
    """Text on the status pipe that has not its prefix."""
    report = Report()
    report.take(b"gpg: hello")
    with pytest.raises(StrangeGnuPGError):
        report.require_good(0, 0, "")


@given(st.lists(st.sampled_from([*OF_2_2_40, *OF_2_4_7, "WARNING x 1", "BADMDC"]), max_size=20))
def test_any_lines_are_good_or_refused(lines: list[str]) -> None:
    """Whatever GnuPG says there is a verdict, and a good one only with every needed line in order."""
    try:
        read(lines)
    except UnsealError:
        return
    needed = ["BEGIN_", "DECRYPTION_INFO", "PLAINTEXT 62", "OKAY", "GOODMDC", "END_"]
    found = [line for line in lines if any(word in line for word in needed)]
    assert len(found) == len(needed)
    assert all(word in line for word, line in zip(needed, found, strict=True))


OTHER_GPG = """#!{python}
import os, subprocess, sys
done = subprocess.run(["/usr/bin/gpg", *sys.argv[1:]], stdin=0, pass_fds=range(3, 40), check=False)
{more}
sys.exit(done.returncode)
"""


@pytest.mark.parametrize(
    "more",
    [
        'os.write(int(sys.argv[sys.argv.index("--status-fd") + 1]), b"[GNUPG:] WARNING x 1\\n")',
        'os.write(int(sys.argv[sys.argv.index("--status-fd") + 1]), b"[GNUPG:] NEW_WORD\\n")',
        "done.returncode = 2",
        'os.write(1, b"more")',
        'os.write(int(sys.argv[sys.argv.index("--status-fd") + 1]), b"x" * 1000000)',
    ],
)
def test_a_gpg_that_warns_keeps_nothing(
    stick: Stick, staff: Staff, tmp_path: Path, more: str
) -> None:
    """SDC PR#3161: all of the content came out, and one word too many; it is refused all the same."""
    stick.receive(b"all of it")
    program = tmp_path / "bin" / "gpg"
    program.parent.mkdir()
    program.write_text(OTHER_GPG.format(python=sys.executable, more=more))
    program.chmod(stat.S_IRWXU)
    staff.surroundings = {"PATH": f"{program.parent}:/usr/bin:/bin"}
    ran = staff.open(stick.folder)
    assert (ran.code, staff.opened(), staff.leftovers()) == (1, {}, [])
    assert "Traceback" not in ran.words
