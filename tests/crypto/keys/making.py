"""Real keys, made by the GnuPG of this machine while the tests run, in homes of their own."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NEVER = "never"

Interpose = Callable[..., str]  # makes a program that stands between us and GnuPG


@dataclass(frozen=True)
class Ngo:
    """Who can open what is sealed: a GNUPGHOME with the secret key, and the public file."""

    home: Path
    certificate: Path
    fingerprint: str

    def gpg(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return gpg(self.home, *arguments, given=given)


def gpg(home: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run GnuPG in `home`; the caller judges the return code."""
    command = ["gpg", "--homedir", str(home), "--batch", "--no-tty", "--quiet", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=False, timeout=60)


@contextlib.contextmanager
def new_home() -> Iterator[Path]:
    """Give a GNUPGHOME, and end the agent that GnuPG has started in it.

    Not below pytest's own folder: the path of an agent's socket has at most 107 octets.
    """
    home = Path(tempfile.mkdtemp(prefix="ngo-"))
    try:
        yield home
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True, timeout=60)
        while home.exists():  # the agent takes its sockets away itself, perhaps just now
            shutil.rmtree(home, ignore_errors=True)


def generate(
    home: Path,
    name: str = "An NGO <desk@ngo.example>",
    *,
    primary: str = "ed25519",
    subkeys: Sequence[str] = ("cv25519",),
    expires: str = NEVER,
    subkeys_expire: str = NEVER,
    today: str | None = None,
) -> str:
    """Make a key pair and give its fingerprint. `today` (20200101T000000) fakes the clock."""
    clock = ["--faked-system-time", today] if today else []
    unprotected = [*clock, "--yes", "--passphrase", ""]
    made = gpg(
        home, *unprotected, "--status-fd", "1", "--quick-gen-key", name, primary, "sign", expires
    )
    assert made.returncode == 0, made.stderr.decode()
    fingerprint = made.stdout.decode().split("KEY_CREATED ")[1].split()[1]
    for kind in subkeys:
        added = gpg(
            home, *unprotected, "--quick-add-key", fingerprint, kind, "encr", subkeys_expire
        )
        assert added.returncode == 0, added.stderr.decode()
    return fingerprint


def export(home: Path, to: Path, *fingerprints: str, armor: bool = True) -> Path:
    """Write the public certificates to a file, as an operator would."""
    form = ["--armor"] if armor else []
    exported = gpg(home, *form, "--export", *fingerprints)
    assert exported.returncode == 0, exported.stderr.decode()
    assert exported.stdout
    to.write_bytes(exported.stdout)
    return to


def make_ngo(home: Path, folder: Path, primary: str, subkey: str) -> Ngo:
    """Make the key of one NGO and its public file in `folder`."""
    fingerprint = generate(home, primary=primary, subkeys=[subkey])
    return Ngo(home, export(home, folder / f"{fingerprint}.asc", fingerprint), fingerprint)


def revoke(home: Path, fingerprint: str) -> None:
    """Revoke a certificate with the revocation that GnuPG prepared when it made the key."""
    prepared = (home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_bytes()
    # A colon before the armor keeps people from importing it by accident.
    revoked = gpg(home, "--import", given=prepared.replace(b":-----BEGIN", b"-----BEGIN"))
    assert revoked.returncode == 0, revoked.stderr.decode()


def revoke_subkey(home: Path, fingerprint: str) -> None:
    """Revoke the first subkey, as a person would who answers GnuPG's questions."""
    answers = b"key 1\nrevkey\ny\n0\n\ny\nsave\n"
    revoked = gpg(
        home,
        *("--command-fd", "0", "--pinentry-mode", "loopback", "--passphrase", ""),
        *("--edit-key", fingerprint),
        given=answers,
    )
    assert revoked.returncode == 0, revoked.stderr.decode()


def export_secret(home: Path, to: Path, fingerprint: str, *, only_subkeys: bool = False) -> Path:
    """Write the secret key to a file, as an operator must not."""
    what = "--export-secret-subkeys" if only_subkeys else "--export-secret-keys"
    exported = gpg(
        home, "--armor", "--pinentry-mode", "loopback", "--passphrase", "", what, fingerprint
    )
    assert b"PRIVATE KEY" in exported.stdout, exported.stderr.decode()
    to.write_bytes(exported.stdout)
    return to
