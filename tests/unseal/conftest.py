"""What these tests share: the program as staff get it, keys, a stick, and staff."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.session_key import NewMessageKeys, SessionKeyMaker
from crypto.unseal.build import zipped
from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.unseal.staff import Staff, Stick


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the one file that staff get."""
    path = tmp_path_factory.mktemp("program") / "unseal"
    path.write_bytes(zipped())
    path.chmod(0o755)
    return path


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
