"""Seals the report to the recipients: an ordinary OpenPGP message, always as long.

`gpg -d latest.asc` opens it, and every mail program that knows OpenPGP. The text is not
compressed and has one length, so the message has one, too, but for one thing: GnuPG leaves out
zeros at the front of a number, and of the number that holds the session key one in 256 is shorter
by an octet. So the longest of several messages is taken. (2^-8)^8 = 2^-64: never is it a short one.
"""

from collections.abc import Sequence
from pathlib import Path

from crypto.session_key import ISOLATION
from deploy.doctor.patient import Patient
from deploy.errors import DeployError
from deploy.places import DATA

_ATTEMPTS = 8
_FORM = (
    *ISOLATION,
    "--no-random-seed-file",
    *("--trust-model", "always"),
    *("--cipher-algo", "AES256", "--compress-algo", "none"),
    "--rfc4880",
    "--armor",
)
_REFUSED = (
    "the report could not be sealed: {why}. Nothing was sent, and the last one lies there still. "
    "nightferry doctor says what is wrong with the keys"
)


def seal(patient: Patient, text: bytes) -> bytes:
    """Seal a text to all recipients. Raises DeployError."""
    certificates = [patient.host.path(path) for path in patient.settings.recipients]
    return max((_encrypt(patient, certificates, text) for _ in range(_ATTEMPTS)), key=len)


def _encrypt(patient: Patient, certificates: Sequence[Path], text: bytes) -> bytes:
    # The literal packet holds a time: the day's end, as everywhere, and not this moment.
    clock = ("--faked-system-time", f"{patient.now:%Y%m%d}T235959")
    home = ("--homedir", str(patient.host.path(DATA / "gnupg")))
    to = [word for path in certificates for word in ("--recipient-file", str(path))]
    ran = patient.host.run(
        "gpg", *home, "--batch", "--no-tty", *_FORM, *clock, *to, "--encrypt", given=text
    )
    if ran.code != 0 or not ran.said.startswith("-----BEGIN PGP MESSAGE-----"):
        lines = ran.complained.strip().splitlines() or ["gpg gave no reason"]
        raise DeployError(_REFUSED.format(why=lines[-1]))
    return ran.said.encode("ascii")
