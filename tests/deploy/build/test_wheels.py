"""Packages of others: only what the lock knows, and only where it belongs."""

import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest

from deploy.build.errors import BuildError
from deploy.build.lock import Pinned
from deploy.build.wheels import Wheel, bring, unpacked

FILES = {
    "thing/__init__.py": b"",
    "thing-1.dist-info/METADATA": b"Name: thing\n",
    "thing-1.dist-info/RECORD": b"thing/__init__.py,,\n",
    "thing-1.dist-info/INSTALLER": b"pip\n",
    "thing-1.data/purelib/thing/more.py": b"",
    "thing-1.data/scripts/thing": b"#!python\n",
}


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, octets in files.items():
            archive.writestr(name, octets)
    return made.getvalue()


def pinned(octets: bytes) -> Pinned:
    return Pinned("thing", "1", frozenset({hashlib.sha256(octets).hexdigest()}), frozenset())


def wheel(octets: bytes, file: str = "thing-1-py3-none-any.whl") -> Wheel:
    return Wheel(pinned(octets), file, octets, hashlib.sha256(octets).hexdigest())


def test_what_an_installer_notes_down_is_left_out() -> None:
    """Nor are there programs of others on a host; what they import is all there."""
    assert sorted(unpacked(wheel(zipped(FILES)))) == [
        "thing-1.dist-info/METADATA",
        "thing/__init__.py",
        "thing/more.py",
    ]


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "/etc/cron.d/x", "thing/../../x"])
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    """A wheel is somebody else's zip: it decides nothing about the host's other files."""
    with pytest.raises(BuildError, match="leads out"):
        unpacked(wheel(zipped({name: b"x"})))


@pytest.mark.parametrize(
    ("file", "every"),
    [
        ("thing-1-py3-none-any.whl", True),
        ("thing-1-py2.py3-none-any.whl", True),
        ("thing-1-cp311-abi3-manylinux_2_34_x86_64.whl", True),
        ("thing-1-cp313-cp313-manylinux_2_17_x86_64.whl", False),
        ("thing-1-1-cp311-cp311-manylinux_2_17_x86_64.whl", False),
    ],
)
def test_one_copy_serves_every_python_only_if_it_can(file: str, every: bool) -> None:
    """What was compiled for one Python does not load in another."""
    assert wheel(b"", file).is_for_every_python is every


def test_what_is_here_already_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second build needs no network."""
    nowhere(monkeypatch)
    octets = zipped(FILES)
    keep(tmp_path, octets)
    assert [one.octets for one in bring([pinned(octets)], "3.11", "x86_64", tmp_path)] == [octets]


def test_a_wheel_with_other_octets_is_never_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever exchanged a file in the folder of downloads gains nothing by it."""
    nowhere(monkeypatch)
    keep(tmp_path, zipped({**FILES, "thing/__init__.py": b"import os"}))
    with pytest.raises(BuildError, match="pip could not bring"):
        bring([pinned(zipped(FILES))], "3.11", "x86_64", tmp_path)


def keep(folder: Path, octets: bytes) -> None:
    place = folder / "x86_64-3.11"
    place.mkdir(parents=True)
    (place / "thing-1-py3-none-any.whl").write_bytes(octets)


def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip find nothing."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
