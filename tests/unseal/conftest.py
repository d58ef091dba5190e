"""What these tests share: the program as staff get it, keys, a stick, and staff."""

import py_compile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.session_key import NewMessageKeys, SessionKeyMaker
from crypto.unseal.build import packed, sources
from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.unseal.staff import Staff, Stick


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the one file that staff get, with Python's bytecode in it.

    The modules would be compiled at each of three hundred starts, half a second on a busy machine.
    The journey, test_program.py and `./nightferry test-fresh --offline` run it without.
    """
    folder = tmp_path_factory.mktemp("program")
    path = folder / "unseal"
    path.write_bytes(packed([*sources(), *_bytecode(folder)]))
    path.chmod(0o755)
    return path


def _bytecode(folder: Path) -> Iterator[tuple[str, bytes]]:
    source, compiled = folder / "module.py", folder / "module.pyc"
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for name, octets in sources():
        source.write_bytes(octets)
        py_compile.compile(
            str(source), str(compiled), dfile=name, doraise=True, invalidation_mode=unchecked
        )
        yield f"{name}c", compiled.read_bytes()


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ngo]:
    """Make the key of the NGO whose staff open things here."""
    with new_home() as home:
        yield make_ngo(home, tmp_path_factory.mktemp("desk"), "ed25519", "cv25519")


@pytest.fixture(scope="session")
def keys(desk: Ngo, tmp_path_factory: pytest.TempPathFactory) -> NewMessageKeys:
    """Make a session key for the NGO, as the service does. These tests seal many files with it."""
    home = tmp_path_factory.mktemp("empty")
    home.chmod(0o700)
    return SessionKeyMaker("gpg", home, [desk.certificate]).make()


@pytest.fixture
def stick(tmp_path: Path, keys: NewMessageKeys) -> Stick:
    """Give an empty stick."""
    folder = tmp_path / "stick"
    folder.mkdir()
    return Stick(folder, keys)


@pytest.fixture
def staff(program: Path, desk: Ngo, tmp_path: Path) -> Staff:
    """Give staff with their key and an empty folder."""
    return Staff(program, desk.home, tmp_path / "opened")
