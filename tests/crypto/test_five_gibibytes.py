"""Five gibibytes for real: partial lengths, GnuPG and tar at full size, in little memory."""

import hashlib
import os
import resource
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from crypto.session_key import SessionKeyMaker
from tests.crypto.keys.making import Ngo
from tests.crypto.sealing import Upload

GIBIBYTE = 1 << 30
LENGTH = 5 * GIBIBYTE + 12_345
NEEDED = 6 * GIBIBYTE  # octets of disk
PART = 3_000_017  # octets; on no edge of anything
MEMORY = 64 << 10  # KiB that this process may grow by


def content() -> Iterator[bytes]:
    """Five gibibytes of which no two parts are alike."""
    rest, pattern = LENGTH, os.urandom(PART)
    for number in range(-(-LENGTH // PART)):
        yield (number.to_bytes(8) + pattern[8:])[:rest]
        rest -= PART


def write_sealed(upload: Upload, file: Path) -> bytes:
    """Seal the content into a file as it comes; give its hash."""
    plain, sealer = hashlib.blake2b(), upload.begin()
    with file.open("wb") as out:
        out.write(upload.start)
        for part in content():
            plain.update(part)
            out.writelines(sealer.add(part))
        out.writelines(sealer.end())
    return plain.digest()


def read_tar(tar: IO[bytes]) -> tuple[str, int, bytes]:
    """Read one file from a tar that flows; give its name, length and hash."""
    plain = hashlib.blake2b()
    with tarfile.open(fileobj=tar, mode="r|") as archive:
        member = archive.next()
        assert member is not None
        stream = archive.extractfile(member)
        assert stream is not None
        while part := stream.read(1 << 20):
            plain.update(part)
    return member.name, member.size, plain.digest()


def most_memory() -> int:
    """The most memory this process has had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_five_gibibytes_are_sealed_and_opened_in_little_memory(ngo: Ngo, tmp_path: Path) -> None:
    """Sealed as they flow, opened by GnuPG as they flow: same bytes, and memory stays bounded."""
    if shutil.disk_usage(tmp_path).free < NEEDED:
        pytest.skip("needs 6 GiB of disk")
    home = tmp_path / "empty"
    home.mkdir(mode=0o700)
    keys = SessionKeyMaker("gpg", home, [ngo.certificate]).make()
    upload = Upload(LENGTH, "камера.mkv", keys.pkesks, keys.session_key)
    before = most_memory()
    sealed = tmp_path / "upload.tar.gpg"
    written = write_sealed(upload, sealed)
    assert sealed.stat().st_size == upload.layout.file_length
    command = ["gpg", "--homedir", str(ngo.home), "--batch", "--quiet", "--decrypt", str(sealed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as gpg:
        assert gpg.stdout is not None
        assert read_tar(gpg.stdout) == ("камера.mkv", LENGTH, written)
        gpg.stdout.read()
    assert gpg.returncode == 0
    assert most_memory() - before < MEMORY
    assert {len(plaintexts) for plaintexts in upload.cipher.met.values()} == {1}
