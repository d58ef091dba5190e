"""The keys that this room's tests seal to: `ngo` when any will do."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.crypto.keys.making import Interpose, Ngo, export, generate, make_ngo, new_home

KINDS = {
    "cv25519": ("ed25519", "cv25519"),
    "rsa3072": ("rsa3072", "rsa3072"),
    "nistp256": ("nistp256", "nistp256"),
}

# Stands between the maker and GnuPG, as another version of GnuPG or a broken machine would.
INTERPOSED = """#!{python}
import pathlib, subprocess, sys
arguments = ({arguments})(sys.argv[1:])
done = subprocess.run([{gpg!r}, *arguments], stdout=subprocess.PIPE, check=False)
listing = "--list-config" in arguments
sys.stdout.buffer.write(done.stdout if listing else ({output})(done.stdout))
sys.exit(done.returncode if listing else ({code})(done.returncode))
"""

settings.register_profile("crypto", deadline=None)  # other work on the machine is no failure
settings.load_profile("crypto")


@pytest.fixture(scope="session")
def ngos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ngo]]:
    """One NGO for each kind of key, all in one home."""
    folder = tmp_path_factory.mktemp("certificates")
    with new_home() as home:
        yield {name: make_ngo(home, folder, *kinds) for name, kinds in KINDS.items()}


@pytest.fixture(scope="session")
def ngo(ngos: dict[str, Ngo]) -> Ngo:
    """Give an NGO with a GNUPGHOME that can open, a certificate file, and a fingerprint."""
    return ngos["cv25519"]


@pytest.fixture
def empty_home(tmp_path: Path) -> Path:
    """Give the empty directory in which the service lets GnuPG run."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    return home


@pytest.fixture
def made(ngo: Ngo, tmp_path: Path) -> Callable[..., Path]:
    """Make a key and give its public file."""

    def make(**options: object) -> Path:
        fingerprint = generate(ngo.home, **options)  # type: ignore[arg-type]
        return export(ngo.home, tmp_path / f"{fingerprint}.asc", fingerprint)

    return make


@pytest.fixture
def interpose(tmp_path: Path) -> Interpose:
    """Make a program that behaves as GnuPG does, except for what the test changes."""

    def make(arguments: str = "list", output: str = "bytes", code: str = "int") -> str:
        program = tmp_path / "other-gpg"
        program.write_text(
            INTERPOSED.format(
                python=sys.executable,
                gpg=shutil.which("gpg"),
                arguments=arguments,
                output=output,
                code=code,
            )
        )
        program.chmod(0o700)
        return str(program)

    return make
