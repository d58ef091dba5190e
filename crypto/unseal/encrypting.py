"""Encrypt a reply to a source, by GnuPG, and prove that it is for this source alone.

Rule 1: nothing of the staff's own GnuPG takes part: no keyring, no gpg.conf (it may add recipients),
        no question of trust. Its home is a folder in memory.
Rule 2: what GnuPG wrote is judged as the desk will judge it: one packet for this very subkey, one
        packet of encrypted data, nothing else (docs/decisions/0008).
"""

from dataclasses import dataclass
from pathlib import Path

from crypto.unseal.gnupg import GnuPG, Running
from crypto.unseal.troubles import EncryptionError, UnusableCertificateError

_HOME = ("--no-options", "--no-keyring", "--lock-never", "--no-random-seed-file")
_ENCRYPT = (
    *("--trust-model", "always", "--no-encrypt-to", "--no-default-recipient", "--no-throw-keyids"),
    # Compression would let the length tell what is written; a name would be that of our file.
    *("-z", "0", "--compress-algo", "none", "--set-filename", ""),
    *("--no-emit-version", "--no-comments", "--armor", "--encrypt"),
)
_GOOD = ([b"BEGIN_ENCRYPTION", b"END_ENCRYPTION"],)
_HARMLESS = {b"KEY_CONSIDERED", b"PROGRESS"}
_LONGEST_CERTIFICATE = 1 << 16
_LIST = ("--no-autostart", "--list-packets", "--list-only")
_DATA = (":encrypted data packet:", ":aead encrypted packet: ")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A source's reply certificate: where it is, its fingerprint, its encryption subkey's id."""

    path: Path
    fingerprint: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Encryptor:
    """GnuPG with an empty home."""

    gnupg: GnuPG
    home: Path

    def read(self, path: Path) -> Certificate:
        """Read a reply certificate. Raises UnusableCertificateError."""
        if not path.is_file() or path.stat().st_size > _LONGEST_CERTIFICATE:
            raise UnusableCertificateError(where=path, why="it is no certificate")
        code, out, _words, said = self._run("--with-colons", "--show-keys", "--", str(path))
        records = [line.split(":") for line in out.decode("ascii", "replace").splitlines()]
        kinds = [record[0] for record in records]
        if code:
            raise UnusableCertificateError(where=path, why=said)
        if kinds.count("pub") != 1 or "sec" in kinds:
            raise UnusableCertificateError(where=path, why="it is not one certificate")
        keys = [r[4] for r in records if r[0] == "sub" and r[11:12] == ["e"]]
        if len(keys) != 1:
            raise UnusableCertificateError(where=path, why="not one subkey to encrypt to")
        return Certificate(path, next(r[9] for r in records if r[0] == "fpr"), keys[0])

    def encrypt(self, text: str, to: Certificate) -> bytes:
        """Give the armored message. Raises EncryptionError."""
        code, out, words, said = self._run(
            "--recipient-file", str(to.path), *_ENCRYPT, given=text.encode()
        )
        told = [word for word in words if word not in _HARMLESS]
        if code or told not in _GOOD:
            raise EncryptionError(said=said or f"it ended with {code}")
        if not self._is_message_to(to.key_id, out):
            raise EncryptionError(said="what it wrote is not for one recipient")
        return out

    def _is_message_to(self, key_id: str, message: bytes) -> bool:
        """Tell whether a message is encrypted to this subkey and to nobody else."""
        _code, out, _words, _said = self._run(*_LIST, given=message)
        packets = [line for line in out.decode("ascii", "replace").splitlines() if line[:1] == ":"]
        if len(packets) != 2:  # noqa: PLR2004  a key's, and the data
            return False
        to, data = packets
        is_to_it = to.startswith(":pubkey enc packet: version 3,") and to.endswith(f" {key_id}")
        return is_to_it and data.startswith(_DATA)

    def _run(self, *arguments: str, given: bytes = b"") -> tuple[int, bytes, list[bytes], str]:
        command = (*_HOME, "--homedir", str(self.home), *arguments)
        with Running(self.gnupg, command, [given], len(given)) as gnupg:
            out = b"".join(map(bytes, gnupg.blocks()))
            words = gnupg.status_words()
            return gnupg.ended(), out, words, gnupg.said
