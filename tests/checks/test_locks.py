"""What is installed from others: exactly this, from anywhere, for a reason on record."""

import json
import re
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
PYTHON_LOCKS = ("requirements.lock", "requirements-dev.lock")
LOCKS = (*PYTHON_LOCKS, "package-lock.json")
RECORD = HOUSE / "docs" / "decisions" / "0001-dependencies.md"

REQUIREMENT = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^ ;\\]+)", re.MULTILINE)


def pinned(lock: str) -> set[tuple[str, str]]:
    """Give the names and versions in a Python lock file."""
    return set(REQUIREMENT.findall((HOUSE / lock).read_text()))


def plain_name(requirement: str) -> str:
    """Give the name out of `name>=1`."""
    return re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0].lower()


def python_dependencies() -> list[str]:
    """Give the names that pyproject.toml asks for."""
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())
    asked = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    return sorted(plain_name(requirement) for requirement in asked)


def npm_dependencies() -> list[str]:
    """Give the names that package.json asks for."""
    asked = json.loads((HOUSE / "package.json").read_text())
    return sorted({**asked["dependencies"], **asked["devDependencies"]})


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_holds_an_address(lock: str) -> None:
    """Whoever installs says where from; the lock says what, down to the octet."""
    text = (HOUSE / lock).read_text()
    assert "://" not in text
    assert '"resolved"' not in text


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_every_python_package_has_hashes(lock: str) -> None:
    """A package without a hash could be exchanged on its way."""
    entries = re.split(r"\n(?=[a-z0-9])", (HOUSE / lock).read_text())
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_every_npm_package_has_a_hash() -> None:
    """The same for npm: each package but our own carries its digest."""
    packages = json.loads((HOUSE / "package-lock.json").read_text())["packages"]
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []


def test_what_tests_is_what_runs_and_more() -> None:
    """The tests run with the versions that are shipped."""
    assert pinned("requirements.lock") < pinned("requirements-dev.lock")


@pytest.mark.parametrize("name", [*python_dependencies(), *npm_dependencies()])
def test_every_dependency_is_on_record(name: str) -> None:
    """Each has a line: what for, why this one, what it costs."""
    assert re.search(rf"^\| {re.escape(name)} \|", RECORD.read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", python_dependencies())
def test_every_dependency_is_locked(name: str) -> None:
    """What pyproject.toml asks for is in the lock: nobody forgot ./nightferry lock."""
    assert name in {locked for locked, _version in pinned("requirements-dev.lock")}


def test_npm_lock_matches_what_is_asked() -> None:
    """What package.json asks for is what package-lock.json holds."""
    asked = json.loads((HOUSE / "package.json").read_text())
    lock = json.loads((HOUSE / "package-lock.json").read_text())
    for kind in ("dependencies", "devDependencies"):
        assert lock["packages"][""][kind] == asked[kind]


def test_no_package_that_is_no_longer_asked_for_is_on_record() -> None:
    """The record does not outlive its subject."""
    rows = re.findall(r"^\| (?!package )([a-z0-9@/.-]+) \|", RECORD.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted([*python_dependencies(), *npm_dependencies()])
