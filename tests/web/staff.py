"""The staff, as far as a source notices: they open what arrived, and answer with stock gpg."""

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from crypto.codename import CHEAPEST
from submit.app import World, build_intake
from submit.store.database import Database
from tests.crypto.keys.making import Ngo
from tests.web.site import File


def open_sealed(sealed: Path, ngo: Ngo) -> File:
    """Open one sealed file; give the exact name, from the receipt, and the content."""
    opened = ngo.gpg("-d", str(sealed))
    assert opened.returncode == 0, opened.stderr.decode()
    with tarfile.open(fileobj=io.BytesIO(opened.stdout)) as tar:
        [entry] = tar.getmembers()
        content = tar.extractfile(entry)
        assert content is not None
        return json.loads(entry.pax_headers["comment"])["path"], content.read()


@dataclass(frozen=True)
class Staff:
    """Whoever has the NGO's key."""

    ngo: Ngo
    settings: Settings

    def answers(self, text: str) -> str:
        """Write to the only source that has sent something; give the reply's id."""
        [(name, certificate)] = [
            opened
            for path in (self.settings.data / "uploads").glob("*.tar.gpg")
            if (opened := open_sealed(path, self.ngo))[0].startswith("reply-to-")
        ]
        file = self.settings.data.parent / name
        file.write_bytes(certificate)
        designation = name.removeprefix("reply-to-").removesuffix(".asc").replace("-", " ")
        return self.sends(designation, self._encrypt(file, text))

    def sends(self, designation: str, message: bytes) -> str:
        """Hand in a message."""
        database = Database(self.settings.database, 1)
        try:
            intake = build_intake(self.settings, World(cost=CHEAPEST), database)
            return str(intake.replies.accept(designation, message))
        finally:
            database.close()

    def _encrypt(self, certificate: Path, text: str) -> bytes:
        to = ("--trust-model", "always", "--recipient-file", str(certificate))
        done = self.ngo.gpg(*to, "--armor", "--encrypt", given=text.encode())
        assert done.returncode == 0, done.stderr.decode()
        return bytes(done.stdout)
