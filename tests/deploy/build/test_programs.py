"""The staff's programs, the list of parts, the date: what lies beside the package."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.build import source
from deploy.build.bill import bill
from deploy.build.errors import BuildError
from deploy.build.lock import Pinned
from deploy.build.programs import programs
from deploy.build.wheels import Wheel
from tests.deploy.build.opened import HOUSE
from tests.deploy.build.test_wheels import FILES, zipped


def test_fetch_runs_anywhere_with_nothing_but_python(tmp_path: Path) -> None:
    """The staff get one file; a folder with modules of the same names beside it changes nothing."""
    file = tmp_path / "fetch"
    file.write_bytes(programs()["fetch"])
    file.chmod(0o755)
    (tmp_path / "submit.py").write_text("raise SystemExit(9)\n")
    (tmp_path / "argparse.py").write_text("raise SystemExit(9)\n")
    help_ = subprocess.run(
        [file, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert f"usage: {file}" in help_.stdout
    assert f"{file} --desk http://" in help_.stdout
    wrong = subprocess.run(
        [file, "--desk", "https://example.org", "--to", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (wrong.returncode, wrong.stderr.startswith("nightferry: ")) == (1, True)


def test_the_programs_are_the_same_each_time() -> None:
    """Whoever builds them can compare them with anybody's."""
    assert programs() == programs()
    assert sorted(programs()) == ["fetch", "unseal"]


def wheel(name: str, file: str, metadata: bytes = b"") -> Wheel:
    octets = zipped({**FILES, "thing-1.dist-info/METADATA": metadata})
    return Wheel(Pinned(name, "1", frozenset(), frozenset()), file, octets, f"{len(file):064x}")


def test_the_list_of_parts_names_each_part_with_its_digest() -> None:
    """One entry a package, each wheel under it; and the script that browsers load."""
    used = [
        wheel("thing", "thing-1-cp313-cp313-x.whl", b"License-Expression: MIT\n"),
        wheel("thing", "thing-1-cp311-cp311-abc.whl", b"License-Expression: MIT\n"),
        wheel("other", "other-1-py3-none-any.whl"),
        wheel("other", "other-1-py3-none-any.whl"),
    ]
    said = json.loads(bill(HOUSE, "7.8.9", used))
    assert said["metadata"]["component"]["version"] == "7.8.9"
    parts = {part["name"]: part for part in said["components"]}
    assert list(parts) == ["other", "thing", "tus-js-client"]
    assert [file["name"] for file in parts["thing"]["components"]] == [
        "thing-1-cp311-cp311-abc.whl",
        "thing-1-cp313-cp313-x.whl",
    ]
    assert parts["thing"]["licenses"] == [{"expression": "MIT"}]
    assert len(parts["other"]["components"]) == 1
    digest = parts["tus-js-client"]["hashes"][0]
    assert (digest["alg"], len(digest["content"])) == ("SHA-512", 128)


def test_the_list_of_parts_says_no_address_and_no_time() -> None:
    """It is made of what was used, so the same parts give the same list, wherever they came from."""
    used = [wheel("thing", "thing-1-py3-none-any.whl")]
    assert bill(HOUSE, "1", used) == bill(HOUSE, "1", list(reversed(used)))
    assert b"://" not in bill(HOUSE, "1", used)
    assert re.search(rb"serialNumber|timestamp", bill(HOUSE, "1", used)) is None


def test_the_date_is_the_one_that_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Else the last commit's; a tree without a history has a date that never changes."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")
    assert source.date(HOUSE) == 1234567890
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(BuildError, match="no number"):
        source.date(HOUSE)
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert source.date(tmp_path) == 315532800
    commit(tmp_path)
    assert source.date(tmp_path) == 1700000000


def test_what_is_not_committed_is_named(tmp_path: Path) -> None:
    """Nobody else could build the same octets, so the builder is told."""
    commit(tmp_path)
    assert source.uncommitted(tmp_path, ("deploy",)) == []
    (tmp_path / "deploy/old.py").write_text("changed\n")
    (tmp_path / "deploy/new.py").write_text("new\n")
    (tmp_path / "notes").write_text("not in the package\n")
    assert source.uncommitted(tmp_path, ("deploy",)) == ["deploy/old.py", "deploy/new.py"]


def test_a_version_is_one_that_dpkg_takes() -> None:
    """A slip of the keyboard is refused before anything is fetched."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.build", "--version", "1 2; x"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "a version is like" in done.stderr) == (2, True)


def commit(folder: Path) -> None:
    (folder / "deploy").mkdir()
    (folder / "deploy/old.py").write_text("old\n")
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "x"]):
        subprocess.run(
            ["git", "-C", folder, *words],
            check=True,
            env={"PATH": "/usr/bin:/bin", "GIT_COMMITTER_DATE": "@1700000000 +0900"},
        )
