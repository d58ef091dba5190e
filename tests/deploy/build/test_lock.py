"""What is taken from the lock: what a host needs, and nothing that it does not."""

from pathlib import Path

import pytest

from deploy.build.errors import BuildError
from deploy.build.lock import needed, requirements
from tests.deploy.build.opened import HOUSE

PROJECT = '[project]\nname = "x"\ndependencies = ["flask", "tuspy", "requests"]\n'
FLASK = f"flask==3.1.3 \\\n    --hash=sha256:{'a' * 64}\n    # via nightferry (pyproject.toml)\n"
JINJA = f"jinja2==3.1.6 \\\n    --hash=sha256:{'b' * 64}\n    # via\n    #   flask\n    #   mako\n"
TUSPY = f"tuspy==1.1.0 \\\n    --hash=sha256:{'c' * 64}\n    # via nightferry (pyproject.toml)\n"
AIOHTTP = f"aiohttp==3 \\\n    --hash=sha256:{'d' * 64}\n    # via tuspy\n"


def house(folder: Path, lock: str) -> Path:
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "requirements.lock").write_text(lock)
    return folder


def test_what_a_source_sends_with_stays_away(tmp_path: Path) -> None:
    """tuspy is a source's; what flask needs is needed, what tuspy alone needs is not."""
    pins = needed(house(tmp_path, AIOHTTP + FLASK + JINJA + TUSPY))
    assert [(pin.name, pin.version) for pin in pins] == [("flask", "3.1.3"), ("jinja2", "3.1.6")]


def test_our_own_lock_is_understood() -> None:
    """Every package of the service is there, with hashes, and no client for HTTP."""
    names = {pin.name for pin in needed(HOUSE)}
    assert {"flask", "gunicorn", "sqlalchemy", "cryptography", "cffi", "werkzeug"} <= names
    assert names.isdisjoint({"requests", "urllib3", "aiohttp", "tuspy"})
    assert all(pin.hashes for pin in needed(HOUSE))


def test_pip_is_told_the_hashes(tmp_path: Path) -> None:
    """What pip may bring is decided by the lock, down to the octet."""
    said = requirements(needed(house(tmp_path, FLASK)))
    assert said == f"flask==3.1.3 --hash=sha256:{'a' * 64}\n"


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        (JINJA, "lacks flask"),
        ("what is this\n", "no package"),
        (FLASK.replace("3.1.3", "3.1.3 ; sys_platform == 'win32'"), "wants flask only if"),
    ],
)
def test_a_lock_that_is_not_understood_is_refused(tmp_path: Path, lock: str, words: str) -> None:
    """A package would be missing on the host, and nobody would know until it starts."""
    with pytest.raises(BuildError, match=words):
        needed(house(tmp_path, lock))


def test_the_condition_that_is_always_true_is_none(tmp_path: Path) -> None:
    """Debian's Python is CPython."""
    lock = FLASK.replace("3.1.3", "3.1.3 ; implementation_name != 'PyPy'")
    assert [pin.version for pin in needed(house(tmp_path, lock))] == ["3.1.3"]
