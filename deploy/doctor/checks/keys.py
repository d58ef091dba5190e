"""The recipients' certificates: whether they can be sealed to, today and in a month."""

from collections.abc import Iterator
from pathlib import Path

from crypto.errors import CryptoError, RecipientError
from crypto.recipients import Recipient, expiring_soon, inspect
from deploy.doctor.finding import Finding, some, warning, wrong
from deploy.doctor.patient import Patient
from deploy.places import DATA, RECIPIENTS, SETTINGS

_ROTATE = "put the new file in its place (docs/keys.md), then restart nightferry-source"


def judge(patient: Patient) -> Iterator[Finding]:
    """Find certificates that nothing can be sealed to, now or soon, and such as nobody uses."""
    found: dict[str, Recipient] = {}
    for path in patient.settings.recipients:
        try:
            (recipient,) = inspect([patient.host.path(path)], _home(patient), patient.now.date())
        except RecipientError as error:
            yield wrong(f"{_own(error, patient)}. Nothing can be sealed: uploads end", _ROTATE)
        except CryptoError as error:
            yield wrong(_own(error, patient), "nightferry init puts folders and modes right")
            return
        else:
            yield from _judge_one(recipient, path, patient, found)
    yield from _unlisted(patient)


def _judge_one(
    recipient: Recipient, path: Path, patient: Patient, found: dict[str, Recipient]
) -> Iterator[Finding]:
    if recipient.fingerprint in found:
        yield wrong(f"{path}: this certificate is listed twice", f"take one out of {SETTINGS}")
    found[recipient.fingerprint] = recipient
    if expiring_soon(recipient, patient.now.date()):
        yield warning(
            f"{path} ends on {recipient.expires}. From that day nothing can be sealed to it, and "
            "sources are turned away",
            f"ask its owner to extend it (gpg --quick-set-expire) and export it again; {_ROTATE}",
        )


def _unlisted(patient: Patient) -> Iterator[Finding]:
    """Find a rotation that was left half done: the file lies there, and nobody is sealed to it."""
    there = {RECIPIENTS / path.name for path in patient.host.path(RECIPIENTS).glob("*.asc")}
    left = sorted(str(path) for path in there - set(patient.settings.recipients))
    if left:
        yield warning(
            f"nothing is sealed to {some(left)}: not named under recipients",
            f"name it in {SETTINGS} and restart nightferry-source, or remove the file",
        )


def _home(patient: Patient) -> Path:
    return patient.host.path(DATA / "gnupg")


def _own(error: CryptoError, patient: Patient) -> str:
    """Name the host's own path, not where its root lies."""
    root = str(patient.host.root).rstrip("/")
    return str(error).replace(f"{root}/", "/") if root else str(error)
