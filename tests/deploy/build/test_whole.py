"""The whole build, twice, and what Debian's own Python makes of it. Minutes: not part of the suite."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.build.tree import STAYING
from tests.deploy.build.opened import HOUSE, Opened

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

IMPORT_EVERYTHING = """\
import importlib, pathlib, sys
app = pathlib.Path(sys.argv[1])
for path in sorted(app.rglob("*.py")):
    name = str(path.relative_to(app)).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    if "migrations" not in name:
        importlib.import_module(name)
print(sys.prefix)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ./nightferry build --twice makes."""
    folder = tmp_path_factory.mktemp("built")
    subprocess.run([HOUSE / "nightferry", "build", "--twice", "--into", folder], check=True)
    return folder


def the_package(folder: Path) -> Opened:
    return Opened(next(folder.glob("*.deb")))


def test_two_builds_give_the_same_octets(built: Path) -> None:
    """The second is made elsewhere, by another clock, umask and language; its sums are the same."""
    sums = [line.split() for line in (built / "SHA256SUMS").read_text().splitlines()]
    files = {path.name for path in built.iterdir() if path.is_file()} - {"SHA256SUMS"}
    assert {name for _digest, name in sums} == files
    for digest, name in sums:
        assert hashlib.sha256((built / name).read_bytes()).hexdigest() == digest
    assert not list(built.glob(".a-second*"))


def test_debians_python_finds_everything(built: Path, tmp_path: Path) -> None:
    """Every module that is shipped can be imported, by the Python of this Debian, from the package."""
    root = the_package(built).unpack(tmp_path)
    library = root / "usr/lib/nightferry"
    done = subprocess.run(
        [library / "venv/bin/python", "-P", "-s", "-B", "-c", IMPORT_EVERYTHING, library / "app"],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(library / "app")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(library / "venv")


def test_nothing_in_the_package_is_of_this_machine(built: Path, tmp_path: Path) -> None:
    """No path of the builder, no compiled file, no note of an installer."""
    root = the_package(built).unpack(tmp_path)
    paths = [path for path in root.rglob("*") if path.is_file()]
    assert [path for path in paths if path.suffix == ".pyc" or path.name == "RECORD"] == []
    marks = {str(HOUSE).encode(), os.fsencode(Path(sys.prefix))}
    assert [path for path in paths for mark in marks if mark in path.read_bytes()] == []
    ours = root / "usr/lib/nightferry/app"
    assert [place for place in STAYING if (ours / place).exists()] == []
