"""The map: every file of the tree has its place on a host, or is named as staying at home."""

import ast
import gettext
import io
import shutil
import sys
from pathlib import Path, PurePosixPath

import pytest

from deploy.build.errors import BuildError
from deploy.build.lock import needed
from deploy.build.tree import (
    FOR_OTHERS,
    ROOMS,
    STAYING,
    application,
    command,
    environment,
    for_others,
    papers,
)
from tests.deploy.build.opened import HOUSE

# Names under which packages of the lock are imported, where they differ.
IMPORTED_AS = {
    "flask-babel": "flask_babel",
    "python-gnupg": "gnupg",
    "typing-extensions": "typing_extensions",
}
NOT_SHIPPED = (".md", ".po", ".pyc", ".stamp")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, as a checkout has it."""
    copy = tmp_path_factory.mktemp("house")
    for room in (*ROOMS, "docs"):
        shutil.copytree(
            HOUSE / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", "*.mo")
        )
    for file in ("wsgi.py", "CHANGELOG.md"):
        shutil.copy(HOUSE / file, copy)
    script = copy / "submit/web/static/vendor/tus.min.js"
    script.parent.mkdir(exist_ok=True)
    script.write_text("// as npm brings it\n")
    return copy


def test_every_file_of_deploy_has_a_place(house: Path) -> None:
    """A unit that somebody adds and the map forgets would be on no host."""
    every = {**application(house), **for_others(house)}
    packaged = [member.octets for member in every.values()]
    forgotten = [
        path.relative_to(house)
        for path in (house / "deploy").rglob("*")
        if path.is_file()
        and not path.name.endswith(NOT_SHIPPED)
        and not any(path.is_relative_to(house / place) for place in STAYING)
        and path.read_bytes() not in packaged
    ]
    assert forgotten == []


def test_every_folder_for_others_is_there(house: Path) -> None:
    """A folder that was renamed would be left out in silence."""
    assert [folder for folder in FOR_OTHERS if not any((house / "deploy" / folder).iterdir())] == []


def test_others_find_their_files_where_they_look(house: Path) -> None:
    """The places are those of systemd, dpkg and AppArmor, not of our choosing."""
    placed = for_others(house)
    assert "usr/lib/systemd/system/nightferry-source.service" in placed
    assert "usr/lib/sysusers.d/nightferry.conf" in placed
    assert "etc/apparmor.d/nightferry-source" in placed
    assert "usr/share/nightferry/torrc.in" in placed
    assert "usr/lib/systemd/journald@nightferry.conf.d/nightferry.conf" in placed


def test_no_file_is_two_things(house: Path) -> None:
    """Two parts of the package never claim the same path."""
    parts = [application(house), for_others(house), papers(house), command(house)]
    assert sum(len(part) for part in parts) == len({path for part in parts for path in part})


def test_what_only_the_staff_or_a_builder_needs_is_not_on_a_host(house: Path) -> None:
    """A server that can open nothing holds no program that opens."""
    app = "usr/lib/nightferry/app/"
    shipped = {path.removeprefix(app) for path in application(house)}
    assert [path for path in shipped if path.startswith(STAYING)] == []
    assert [path for path in shipped if path.endswith(NOT_SHIPPED)] == []
    assert [path for path in shipped if path.split("/")[0] == "tests"] == []
    assert {"wsgi.py", "submit/web/translations/ar/LC_MESSAGES/messages.mo"} <= shipped
    assert {"submit/web/templates/drop.html", "submit/web/static/vendor/tus.min.js"} <= shipped


def test_what_is_shipped_imports_only_what_is_shipped(house: Path) -> None:
    """A module that is missing on the host is found here, and not at night."""
    app = "usr/lib/nightferry/app/"
    sources = {
        path.removeprefix(app): member.octets
        for path, member in application(house).items()
        if path.endswith(".py")
    }
    ours = {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in sources
    }
    others = {IMPORTED_AS.get(pin.name, pin.name) for pin in needed(HOUSE)}
    missing = [
        (path, name)
        for path, octets in sources.items()
        for name in imported(ast.parse(octets))
        if name.split(".")[0] not in {*sys.stdlib_module_names, *others} and not known(name, ours)
    ]
    # The command of the tree starts the source's program, which the package's own does not offer.
    assert missing == [("submit/cli/__main__.py", "submit.cli.send")]


def test_a_script_that_was_not_fetched_is_named(tmp_path: Path) -> None:
    """A package without it would look whole, and be less."""
    with pytest.raises(BuildError, match=r"tus\.min\.js"):
        application(tmp_path)


def test_translations_are_those_of_the_words_and_bear_no_date(house: Path) -> None:
    """What lies compiled in a tree may be old; and it would tell when and where it was compiled."""
    place = "submit/web/translations/ar/LC_MESSAGES/messages"
    (house / f"{place}.mo").write_bytes(b"old")
    packaged = application(house)[f"usr/lib/nightferry/app/{place}.mo"].octets
    words = gettext.GNUTranslations(io.BytesIO(packaged))
    assert words.gettext("Skip to the content") != "Skip to the content"
    assert words.info()["pot-creation-date"] == "1980-01-01 00:00+0000"


def test_the_environment_is_one_that_debian_starts() -> None:
    """It is Debian's own Python, for each of the two, and sees nothing but its own folders."""
    members = environment({"3.11": [], "3.13": []})
    venv = "usr/lib/nightferry/venv"
    assert members[f"{venv}/bin/python"].target == "/usr/bin/python3"
    assert b"include-system-site-packages = false" in members[f"{venv}/pyvenv.cfg"].octets
    for python in ("3.11", "3.13"):
        own = PurePosixPath(venv, f"lib/python{python}/site-packages")
        assert members[f"{own}/nightferry.pth"].octets == b"../../python3/site-packages\n"


def imported(tree: ast.Module) -> set[str]:
    """Give every module that is imported, by its full name."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def known(name: str, ours: set[str]) -> bool:
    """Whether it is a module of ours, or something in one that is no module."""
    if name in ours:
        return True
    parent = name.rpartition(".")[0]
    staying = {place.removesuffix(".py").replace("/", ".") for place in STAYING}
    return parent in ours and name not in staying
