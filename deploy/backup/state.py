"""Everything that is not a sealed file: in memory as names and octets, in the backup sealed.

    database                  codename.salt              settings/nightferry.toml
    onion/source/…            onion/desk/…               settings/host.toml
    recipients/N.asc          in the settings' order

`state.tar.gpg` is what an upload is, an OpenPGP message to the recipients of the service, but with
this tar in it, bare: `gpg -d state.tar.gpg | tar x` gives the files.
"""

import io
import os
import re
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from crypto.session_key import ENVIRONMENT, ISOLATION, NewMessageKeys
from crypto.unsized import UnsizedSealer
from deploy.errors import DeployError

DATABASE: Final = "database"
SALT: Final = "codename.salt"
SETTINGS: Final = "settings/nightferry.toml"
HOST_SETTINGS: Final = "settings/host.toml"
RECIPIENTS: Final = "recipients/"
ONION: Final = "onion/"

NEEDED: Final = (DATABASE, SALT, SETTINGS)
_ONION_FILE = re.compile(
    r"onion/(source|desk)/(hostname|hs_ed25519_(secret|public)_key|authorized_clients/[\w-]{1,64}\.auth)"
)
_KNOWN = re.compile(r"database|codename\.salt|settings/(nightferry|host)\.toml|recipients/\d+\.asc")
# As `gpg --show-session-key` prints it: the cipher (9 is AES-256), perhaps the mode, the key.
_SESSION_KEY = re.compile(r"9(?:\.\d)?:([0-9A-Fa-f]{64})")
_QUIET = ("--no-options", "--quiet", "--trust-model", "always")

_DOES_NOT_OPEN = (
    "the state in this backup does not open with that. Nothing was changed. Look whether the key "
    "was typed right and is for this snapshot; 'backup --verify' tells whether the file is damaged."
)
_NOT_A_STATE = "the state in this backup lacks {what}. Nothing was changed. Try an older snapshot."
_NOT_A_KEY = (
    "this is no session key: it has '9:' or '9.2:' and 64 letters and digits, as gpg "
    "--show-session-key prints it. Nothing was changed."
)


def is_of_onion(name: str) -> bool:
    """Tell whether a file belongs to an onion service."""
    return _ONION_FILE.fullmatch(name) is not None


def seal(files: Mapping[str, bytes], keys: NewMessageKeys) -> bytes:
    """Seal the state under fresh keys."""
    # The tar is a member of no other tar: an empty head puts the content first.
    sealer = UnsizedSealer(keys.session_key, os.urandom(15), keys.pkesks, lambda _length: b"")
    chunks = sealer.add(_pack(files))
    ending = sealer.end()
    return b"".join([ending.start, *chunks, *ending.rest])


def open_by_home(sealed: Path, home: Path) -> dict[str, bytes]:
    """Open the state with the secret key in a GNUPGHOME. Raises DeployError."""
    # Its agent may have to ask for a passphrase, on this terminal.
    return _unpack(_run(sealed, ["gpg", "--homedir", str(home), *_QUIET], b"", dict(os.environ)))


def open_by_key(sealed: Path, session_key: str, empty_home: Path) -> dict[str, bytes]:
    """Open the state with its session key alone. Raises DeployError."""
    match = _SESSION_KEY.fullmatch(session_key.strip())
    if match is None:
        raise DeployError(_NOT_A_KEY)
    command = ["gpg", "--homedir", str(empty_home), *ISOLATION, *_QUIET, "--batch"]
    command += ["--no-random-seed-file"]  # the home is to stay empty
    # Through a pipe: a command line can be read by anybody on the machine.
    command += ["--override-session-key-fd", "0"]
    environment = {**ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath)}
    return _unpack(_run(sealed, command, f"9:{match[1].upper()}\n".encode(), environment))


def _run(
    sealed: Path, command: Sequence[str], given: bytes, environment: Mapping[str, str]
) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 # no shell
            [*command, "--decrypt", str(sealed)],
            input=given,
            capture_output=True,
            check=False,
            env=environment,
        )
    except FileNotFoundError:
        raise DeployError("gpg is not there: apt install gpg. Nothing was changed.") from None
    if done.returncode != 0 or not done.stdout:
        raise DeployError(_DOES_NOT_OPEN)
    return done.stdout


def _pack(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _unpack(packed: bytes) -> dict[str, bytes]:
    """Nothing is unpacked to the disk, and what has an unknown name is never looked at."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as tar:
            for entry in tar:
                file = tar.extractfile(entry) if entry.isreg() else None
                if file and (_KNOWN.fullmatch(entry.name) or is_of_onion(entry.name)):
                    found[entry.name] = file.read()
    except tarfile.TarError:
        raise DeployError(_DOES_NOT_OPEN) from None
    for name in NEEDED:
        if name not in found:
            raise DeployError(_NOT_A_STATE.format(what=name))
    return found
