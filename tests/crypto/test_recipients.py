"""Recipients: what can be sealed to is accepted, everything else is refused in words."""

import datetime as dt
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.errors import (
    CannotEncryptError,
    ExpiredRecipientError,
    GnuPGHomeError,
    InvalidRecipientError,
    NoRecipientError,
    NotACertificateError,
    OperatorError,
    RecipientError,
    RepeatedRecipientError,
    RevokedRecipientError,
    SecretMaterialError,
    SeveralCertificatesError,
    UnreadableRecipientError,
)
from crypto.packets import parse_packets
from crypto.recipients import Recipient, inspect
from crypto.session_key import SessionKeyMaker
from tests.crypto.keys.making import (
    Interpose,
    Ngo,
    export,
    export_secret,
    generate,
    gpg,
    revoke,
    revoke_subkey,
)

TODAY = dt.datetime.now(dt.UTC).date()
DAY = dt.timedelta(days=1)
SIGNATURE = 2  # the tag of that packet
# Keys whose dates matter are made with this clock and looked at in that year.
MADE, YEAR = "20200101T120000", dt.date(2020, 1, 1)


def refusal(path: Path, home: Path, today: dt.date = TODAY) -> RecipientError:
    """Give the refusal of one file, which names the file, and leaves the home as empty as before."""
    with pytest.raises(RecipientError) as refused:
        inspect([path], home, today)
    assert refused.value.path == path
    assert str(refused.value).startswith(f"{path}: ")
    assert list(home.iterdir()) == []
    return refused.value


@pytest.mark.parametrize("kind", ["cv25519", "rsa3072", "nistp256"])
def test_every_kind_of_key_is_a_recipient(
    ngos: dict[str, Ngo], empty_home: Path, kind: str
) -> None:
    """A good certificate is described by its file, full fingerprint, user ids and expiry."""
    ngo = ngos[kind]

    assert inspect([ngo.certificate], empty_home, TODAY) == (
        Recipient(ngo.certificate, ngo.fingerprint, ("An NGO <desk@ngo.example>",), None),
    )
    assert len(ngo.fingerprint) == 40


def test_recipients_keep_their_order(ngos: dict[str, Ngo], empty_home: Path) -> None:
    """Several recipients are described in the order in which they are listed."""
    paths = [ngo.certificate for ngo in reversed(ngos.values())]

    found = inspect(paths, empty_home, TODAY)
    assert [recipient.path for recipient in found] == paths


def test_armor_does_not_matter(ngo: Ngo, empty_home: Path, tmp_path: Path) -> None:
    """A binary certificate is read as well."""
    binary = export(ngo.home, tmp_path / "ngo.pgp", ngo.fingerprint, armor=False)

    (recipient,) = inspect([binary], empty_home, TODAY)
    assert recipient.fingerprint == ngo.fingerprint


def test_looking_leaves_nothing_behind(ngo: Ngo, empty_home: Path) -> None:
    """No keyring, no trust database, no agent, not even at a secret key."""
    inspect([ngo.certificate], empty_home, TODAY)

    assert list(empty_home.iterdir()) == []
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [line for line in running if os.fsencode(empty_home) in line]


def test_nobody_is_refused(empty_home: Path) -> None:
    """Without a single certificate there is nothing to start with (GL#824)."""
    with pytest.raises(NoRecipientError):
        inspect([], empty_home, TODAY)


def test_a_home_that_is_not_empty_is_refused(ngo: Ngo, empty_home: Path) -> None:
    """Certificates are judged by their own file, not by what lies in a keyring."""
    shutil.copy(ngo.certificate, empty_home / "pubring.gpg")

    with pytest.raises(GnuPGHomeError):
        inspect([ngo.certificate], empty_home, TODAY)


# --- files that are something else ------------------------------------------------------------


def test_a_missing_file_is_refused(empty_home: Path, tmp_path: Path) -> None:
    """A file that is not there is named."""
    assert type(refusal(tmp_path / "gone.asc", empty_home)) is UnreadableRecipientError


def test_a_folder_is_refused(empty_home: Path, tmp_path: Path) -> None:
    """A folder is no file."""
    assert type(refusal(tmp_path, empty_home)) is UnreadableRecipientError


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda _: b"not OpenPGP\n",
        lambda octets: octets[:-30],
        lambda octets: octets + b"more",
        lambda octets: os.urandom(100_000) + octets,
        lambda octets: octets[3:],
    ],
    ids=["empty", "text", "cut short", "something behind", "something before", "no start"],
)
def test_what_is_no_certificate_is_refused(
    ngo: Ngo, empty_home: Path, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    """A file that GnuPG cannot read whole is no certificate."""
    binary = export(ngo.home, tmp_path / "ngo.pgp", ngo.fingerprint, armor=False)
    binary.write_bytes(change(binary.read_bytes()))

    assert type(refusal(binary, empty_home)) is NotACertificateError


@pytest.mark.parametrize("what", [["--encrypt"], ["--sign"], ["--detach-sign"]])
def test_other_openpgp_data_is_refused(
    ngo: Ngo, empty_home: Path, tmp_path: Path, what: list[str]
) -> None:
    """A message or a signature is OpenPGP, and yet no certificate."""
    mine = ["--recipient", ngo.fingerprint, "--local-user", ngo.fingerprint]
    unasked = ["--trust-model", "always", "--pinentry-mode", "loopback", "--passphrase", ""]
    made = gpg(ngo.home, *unasked, *mine, *what, given=b"x")
    assert made.returncode == 0, made.stderr.decode()
    (tmp_path / "other.gpg").write_bytes(made.stdout)

    assert type(refusal(tmp_path / "other.gpg", empty_home)) is NotACertificateError


def test_several_certificates_in_a_file_are_refused(
    ngos: dict[str, Ngo], empty_home: Path, tmp_path: Path
) -> None:
    """GnuPG would seal to the first only; the others would never know."""
    ngo, other = ngos["cv25519"], ngos["rsa3072"]
    together = export(ngo.home, tmp_path / "all.asc", ngo.fingerprint, other.fingerprint)
    assert type(refusal(together, empty_home)) is SeveralCertificatesError

    behind = tmp_path / "behind.asc"
    behind.write_bytes(ngo.certificate.read_bytes() + other.certificate.read_bytes())
    assert type(refusal(behind, empty_home)) is SeveralCertificatesError


def test_the_same_certificate_twice_is_refused(ngo: Ngo, empty_home: Path, tmp_path: Path) -> None:
    """A certificate in two files is one recipient, though somebody meant two."""
    copied = tmp_path / "copy.pgp"
    export(ngo.home, copied, ngo.fingerprint, armor=False)

    with pytest.raises(RepeatedRecipientError, match="twice") as refused:
        inspect([ngo.certificate, copied], empty_home, TODAY)
    assert refused.value.path == copied


@pytest.mark.parametrize("only_subkeys", [False, True])
def test_a_secret_key_is_refused_loudly(
    ngo: Ngo, empty_home: Path, tmp_path: Path, only_subkeys: bool
) -> None:
    """The key that opens everything must not lie on the server, in whole or in part."""
    secret = export_secret(
        ngo.home, tmp_path / "key.asc", ngo.fingerprint, only_subkeys=only_subkeys
    )
    refused = refusal(secret, empty_home)

    assert type(refused) is SecretMaterialError
    assert "SECRET" in str(refused)
    assert "Remove it" in str(refused)


def test_a_secret_key_behind_a_certificate_is_found(
    ngo: Ngo, empty_home: Path, tmp_path: Path
) -> None:
    """A file that begins as a certificate and goes on with the secret key is refused as that."""
    secret = export_secret(ngo.home, tmp_path / "key.asc", ngo.fingerprint)
    secret.write_bytes(ngo.certificate.read_bytes() + secret.read_bytes())

    assert type(refusal(secret, empty_home)) is SecretMaterialError


# --- certificates that cannot be used ---------------------------------------------------------


def test_a_revoked_certificate_is_refused(ngo: Ngo, empty_home: Path, tmp_path: Path) -> None:
    """What its owner has revoked is not used any more."""
    fingerprint = generate(ngo.home, "Revoked <r@ngo.example>")
    revoke(ngo.home, fingerprint)

    revoked = export(ngo.home, tmp_path / "revoked.asc", fingerprint)
    assert type(refusal(revoked, empty_home)) is RevokedRecipientError


def test_a_revoked_and_expired_certificate_is_revoked(
    ngo: Ngo, empty_home: Path, tmp_path: Path
) -> None:
    """Nobody is asked to extend what was revoked."""
    fingerprint = generate(ngo.home, "Gone <g@ngo.example>", expires="1y", today=MADE)
    revoke(ngo.home, fingerprint)

    revoked = export(ngo.home, tmp_path / "revoked.asc", fingerprint)
    assert type(refusal(revoked, empty_home)) is RevokedRecipientError


def test_a_certificate_with_a_revoked_subkey_is_refused(
    ngo: Ngo, empty_home: Path, tmp_path: Path
) -> None:
    """If the encryption subkey is revoked there is nothing to encrypt to."""
    fingerprint = generate(ngo.home, "Subkey <s@ngo.example>")
    revoke_subkey(ngo.home, fingerprint)

    revoked = export(ngo.home, tmp_path / "revoked.asc", fingerprint)
    assert type(refusal(revoked, empty_home)) is CannotEncryptError


def test_a_sign_only_certificate_is_refused(made: Callable[..., Path], empty_home: Path) -> None:
    """A certificate without an encryption key is refused at the start, not at the first upload."""
    assert type(refusal(made(subkeys=[]), empty_home)) is CannotEncryptError


def test_a_certificate_that_has_expired_is_refused(
    made: Callable[..., Path], empty_home: Path
) -> None:
    """An expired certificate is refused in words, at start and daily (SD#3530)."""
    expired = refusal(made(expires="1y", today=MADE), empty_home)

    assert type(expired) is ExpiredRecipientError
    assert "extend" in str(expired)


def test_a_certificate_expires_on_its_day(made: Callable[..., Path], empty_home: Path) -> None:
    """The day before it is a recipient, and on the day itself it is not, whatever the hour."""
    path = made(expires="10d", today=MADE)
    (recipient,) = inspect([path], empty_home, YEAR + 9 * DAY)

    assert recipient.expires == YEAR + 10 * DAY
    assert type(refusal(path, empty_home, YEAR + 10 * DAY)) is ExpiredRecipientError


def test_a_subkey_expires_on_its_day(made: Callable[..., Path], empty_home: Path) -> None:
    """The encryption subkey's end is the recipient's end, though the certificate lives on."""
    path = made(expires="10d", subkeys_expire="5d", today=MADE)
    (recipient,) = inspect([path], empty_home, YEAR + 4 * DAY)

    assert recipient.expires == YEAR + 5 * DAY
    assert type(refusal(path, empty_home, YEAR + 5 * DAY)) is CannotEncryptError


def test_the_last_subkey_counts(ngo: Ngo, empty_home: Path, tmp_path: Path) -> None:
    """With a second encryption subkey the recipient lives as long as that, not longer."""
    fingerprint = generate(
        ngo.home, "Two <t@ngo.example>", expires="30d", subkeys_expire="5d", today=MADE
    )
    unasked = ["--faked-system-time", MADE, "--yes", "--passphrase", ""]
    added = gpg(ngo.home, *unasked, "--quick-add-key", fingerprint, "cv25519", "encr", "20d")
    assert added.returncode == 0, added.stderr.decode()
    path = export(ngo.home, tmp_path / "two.asc", fingerprint)

    for today in (YEAR + DAY, YEAR + 19 * DAY):
        (recipient,) = inspect([path], empty_home, today)
        assert recipient.expires == YEAR + 20 * DAY


def test_the_certificate_ends_before_its_subkey(
    made: Callable[..., Path], empty_home: Path
) -> None:
    """A subkey that outlives its certificate is of no use."""
    path = made(expires="10d", subkeys_expire="1y", today=MADE)

    (recipient,) = inspect([path], empty_home, YEAR + DAY)
    assert recipient.expires == YEAR + 10 * DAY


def test_a_primary_key_that_encrypts_needs_no_subkey(
    ngo: Ngo, empty_home: Path, tmp_path: Path
) -> None:
    """An old RSA key that signs and encrypts with one and the same key is a recipient."""
    unasked = ["--faked-system-time", MADE, "--yes", "--passphrase", "", "--status-fd", "1"]
    name = "Old <old@ngo.example>"
    made = gpg(ngo.home, *unasked, "--quick-gen-key", name, "rsa2048", "sign,encr", "10d")
    assert made.returncode == 0, made.stderr.decode()
    fingerprint = made.stdout.decode().split("KEY_CREATED ")[1].split()[1]
    path = export(ngo.home, tmp_path / "old.asc", fingerprint)

    (recipient,) = inspect([path], empty_home, YEAR + DAY)
    assert recipient.expires == YEAR + 10 * DAY


def test_a_certificate_from_the_future_is_refused(
    made: Callable[..., Path], empty_home: Path
) -> None:
    """A key that was made later than today is not sealed to, whatever a listing calls it."""
    path = made(today=MADE)
    refused = type(refusal(path, empty_home, YEAR - DAY))

    assert refused in {InvalidRecipientError, CannotEncryptError}  # GnuPG 2.2, GnuPG 2.4


@pytest.mark.parametrize(
    ("signature", "error"), [(0, InvalidRecipientError), (1, CannotEncryptError)]
)
def test_a_forged_signature_is_noticed(
    ngo: Ngo, empty_home: Path, tmp_path: Path, signature: int, error: type[RecipientError]
) -> None:
    """A user id, or an encryption subkey, that the owner has not signed does not count."""
    forged = export(ngo.home, tmp_path / "forged.pgp", ngo.fingerprint, armor=False)
    packets = [bytearray(packet.raw) for packet in parse_packets(forged.read_bytes())]
    signatures = [raw for raw in packets if raw[0] >> 2 & 0x0F == SIGNATURE]
    signatures[signature][-1] ^= 1
    forged.write_bytes(b"".join(packets))

    assert type(refusal(forged, empty_home)) is error


def test_a_listing_alone_is_not_believed(
    ngo: Ngo, empty_home: Path, interpose: Interpose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that GnuPG lists as good and yet does not encrypt to is refused."""
    refuse = "lambda a: [*a, '--recipient', 'nobody'] if '--encrypt' in a else a"
    program = Path(interpose(arguments=refuse))
    program.rename(program.with_name("gpg"))
    monkeypatch.setenv("PATH", str(program.parent))

    assert type(refusal(ngo.certificate, empty_home)) is InvalidRecipientError


def test_a_certificate_made_today_is_a_recipient(
    made: Callable[..., Path], empty_home: Path
) -> None:
    """The day is taken as a whole: a key made this afternoon is good this morning."""
    path = made(today=MADE)

    (recipient,) = inspect([path], empty_home, YEAR)
    assert recipient.expires is None


def test_a_path_that_looks_like_an_option_is_a_path(
    ngo: Ngo, empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate file called `--version` is read, not obeyed."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ngo.certificate, tmp_path / "--version")

    (recipient,) = inspect([Path("--version")], empty_home, TODAY)
    assert recipient.fingerprint == ngo.fingerprint


def test_what_is_accepted_can_be_sealed_to(ngos: dict[str, Ngo], empty_home: Path) -> None:
    """The two judges agree: session keys are made for every recipient that was accepted."""
    found = inspect([ngo.certificate for ngo in ngos.values()], empty_home, TODAY)

    keys = SessionKeyMaker("gpg", empty_home, [recipient.path for recipient in found]).make()
    assert len(keys.session_key) == 32


def test_every_refusal_is_for_the_operator() -> None:
    """One except clause of the start catches them all."""
    assert issubclass(RecipientError, OperatorError)
    assert issubclass(NoRecipientError, OperatorError)
