"""The one file that staff get: what is in it, and how it speaks."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from crypto.unseal import VERSION
from crypto.unseal.build import sources, zipped
from tests.unseal.staff import Staff, Stick

HOUSE = Path(__file__).parents[2]
NETWORK = {"asyncio", "ftplib", "http", "imaplib", "poplib", "smtplib", "socket", "socketserver"}
NETWORK |= {"ssl", "telnetlib", "urllib", "xmlrpc", "webbrowser"}


def imported() -> set[str]:
    """Give the names of all modules that the program's files import."""
    names = set()
    for _name, octets in sources():
        for node in ast.walk(ast.parse(octets)):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    return names


def test_it_needs_python_alone_and_no_network() -> None:
    """Only Python's own library and what is inside; nothing that could reach a network."""
    inside = {name.removesuffix(".py").replace("/", ".") for name, _octets in sources()}
    inside |= {name.removesuffix(".__init__") for name in inside}
    outside = imported() - inside
    assert {name.split(".")[0] for name in outside} <= sys.stdlib_module_names
    assert not {name.split(".")[0] for name in outside} & NETWORK


def test_the_same_tree_gives_the_same_octets(tmp_path: Path) -> None:
    """Whoever builds it can compare: no date, no order of a disk, no compression shows in it."""
    made = []
    for umask in (0o022, 0o077):
        file = tmp_path / f"{umask}" / "unseal"
        command = [sys.executable, "-m", "crypto.unseal.build", str(file)]
        subprocess.run(command, check=True, cwd=HOUSE, umask=umask, timeout=60)
        made.append(file.read_bytes())
    assert made == [zipped(), zipped()]
    with zipfile.ZipFile(tmp_path / f"{0o022}" / "unseal") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


def test_it_starts_by_itself(tmp_path: Path) -> None:
    """`./unseal` runs, and no module beside it takes the place of Python's own."""
    program = tmp_path / "unseal"
    program.write_bytes(zipped())
    program.chmod(0o755)
    (tmp_path / "json.py").write_text("raise SystemExit('taken')\n")
    ran = subprocess.run(
        [program, "--version"], capture_output=True, check=False, cwd=tmp_path, timeout=60
    )
    assert (ran.returncode, ran.stdout.decode()) == (0, f"unseal {VERSION}\n")


def test_its_version_is_the_projects() -> None:
    """One number for all that is given out together."""
    assert f'version = "{VERSION}"\n' in (HOUSE / "pyproject.toml").read_text()


def test_help_says_how_it_ends(staff: Staff) -> None:
    """Somebody without training finds the first command, and every exit code."""
    ran = staff.run("--help")
    assert ran.code == 0
    assert "unseal /media/amnesia/STICK --into" in ran.said
    for code in ("0 ", "1 ", "2 ", "3 ", "4 ", "130 "):
        assert f"\n  {code}" in ran.said


@pytest.mark.parametrize("arguments", [[], ["stick"], ["--into", "x"], ["verify"]])
def test_a_wrong_command_is_said(staff: Staff, arguments: list[str]) -> None:
    """Exit code 2, and how it is used."""
    ran = staff.run(*arguments)
    assert ran.code == 2
    assert "usage: unseal" in ran.words


def test_no_trouble_shows_its_inside(stick: Stick, staff: Staff) -> None:
    """A folder that cannot be made, a stick that is not there: words and never a traceback."""
    stick.receive()
    (staff.into.parent / "file").write_text("")
    for arguments in (
        [stick.folder, "--into", staff.into.parent / "file"],
        [stick.folder, "--into", staff.into.parent / "file" / "below"],
        [stick.folder / "nothing", "--into", staff.into],
        ["verify", stick.folder / "nothing"],
    ):
        ran = staff.run(*arguments)
        assert ran.code == 4
        assert ran.complained.strip().startswith("unseal:")
        assert "Traceback" not in ran.words


@pytest.mark.parametrize("language", ["C", "POSIX", "C.UTF-8"])
def test_the_terminals_language_changes_no_name(stick: Stick, staff: Staff, language: str) -> None:
    """Names are UTF-8 on the disk, and nothing that cannot be shown ends the program."""
    stick.receive(b"x", "видео.mp4")
    staff.surroundings = {"LC_ALL": language, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {"видео.mp4": b"x"}
