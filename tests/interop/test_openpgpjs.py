"""A program that shares nothing with GnuPG opens what we seal: OpenPGP.js 6, run by Node."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crypto.layout import CHUNK
from crypto.session_key import NewMessageKeys, SessionKeyMaker
from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.crypto.sealing import Upload, octets, small_pieces, tar_x

SCRIPT = Path(__file__).with_name("open.mjs")


@dataclass(frozen=True)
class Staff:
    """Somebody who opens files in a browser's program: a secret key's file, and a new message."""

    secret: Path
    keys: NewMessageKeys
    folder: Path

    def open(self, sealed: bytes) -> tuple[int, bytes]:
        """Give Node's return code and the octets that OpenPGP.js gave out."""
        given, output = self.folder / "upload.tar.gpg", self.folder / "output"
        given.write_bytes(sealed)
        output.unlink(missing_ok=True)
        command = ["node", str(SCRIPT), str(self.secret), str(given), str(output)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        return done.returncode, output.read_bytes() if output.exists() else b""


def staff_of(ngo: Ngo, folder: Path) -> Staff:
    """Let the NGO's secret key be used by OpenPGP.js."""
    exported = ngo.gpg("--armor", "--export-secret-keys", ngo.fingerprint)
    assert exported.returncode == 0
    secret, home = folder / "secret.asc", folder / "empty"
    secret.write_bytes(exported.stdout)
    home.mkdir(mode=0o700)
    return Staff(secret, SessionKeyMaker("gpg", home, [ngo.certificate]).make(), folder)


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    """The staff of an NGO with a key of today's default kind."""
    folder = tmp_path_factory.mktemp("openpgpjs")
    with new_home() as home:
        yield staff_of(make_ngo(home, folder, "ed25519", "cv25519"), folder)


def upload_for(staff: Staff, length: int) -> Upload:
    """An upload sealed to the staff."""
    return Upload(length, "видео.mp4", staff.keys.pkesks, staff.keys.session_key)


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 40 * CHUNK + 7])
def test_openpgpjs_gives_the_same_bytes(staff: Staff, length: int, tmp_path: Path) -> None:
    """A complete file of any length opens, and tar finds the content under its name."""
    content = octets(length)
    code, tar = staff.open(upload_for(staff, length).seal(content))
    assert code == 0
    assert tar_x(tar, tmp_path).returncode == 0
    assert (tmp_path / "видео.mp4").read_bytes() == content


def test_openpgpjs_opens_partial_lengths(staff: Staff) -> None:
    """Partial lengths in both packets are read by others as we write them."""
    upload, content = upload_for(staff, 20 * CHUNK), octets(20 * CHUNK)
    with small_pieces(12, CHUNK):
        code, tar = staff.open(upload.seal(content))
    assert (code, tar[len(upload.head) :][: len(content)]) == (0, content)


def test_openpgpjs_refuses_a_changed_bit(staff: Staff) -> None:
    """One bit in the last chunk, and nothing at all is given out."""
    upload = upload_for(staff, 3 * CHUNK)
    changed = bytearray(upload.seal(octets(upload.length)))
    changed[-100] ^= 1
    code, tar = staff.open(bytes(changed))
    assert (code != 0, tar) == (True, b"")


def test_openpgpjs_refuses_a_file_that_was_cut_off(staff: Staff) -> None:
    """Cut off at a chunk's edge, and nothing at all is given out: gpg is needed for salvage."""
    upload = upload_for(staff, 3 * CHUNK)
    sealed = upload.seal(octets(upload.length))
    code, tar = staff.open(sealed[: upload.layout.chunk_begins(2)])
    assert (code != 0, tar) == (True, b"")
