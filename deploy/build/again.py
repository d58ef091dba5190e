"""Builds a second time, from a copy of the tree, under other circumstances, and compares.

The copy lies elsewhere, at a path of another length; umask, time zone, language and Python's
hashing differ, and everything is downloaded anew. What still shows is what went in.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.build import source
from deploy.build.deb import contents
from deploy.build.errors import BuildError

_TAKEN = (
    "config",
    "crypto",
    "deploy",
    "docs",
    "submit",
    "wsgi.py",
    "CHANGELOG.md",
    "package-lock.json",
    "pyproject.toml",
    "requirements.lock",
)
_OTHERWISE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANGUAGE": "ar", "PYTHONHASHSEED": "5"}
_PATIENCE = 1800  # seconds


def compare(house: Path, into: Path, made: dict[str, bytes], same: tuple[str, str]) -> None:
    """Build again with the same version and machine. Raises `BuildError` naming what differs."""
    place = into / ".a-second-folder-to-build-in"
    shutil.rmtree(place, ignore_errors=True)
    copy = place / "tree"
    try:
        _copy(house, copy)
        _build(copy, source.date(house), same)
        second = {name: (copy / "dist" / name).read_bytes() for name in made}
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if differing := [line for name in sorted(made) for line in _differing(name, made, second)]:
        lines = "\n  ".join(differing)
        raise BuildError(
            f"a second build made other octets. Was the tree changed meanwhile?\n  {lines}"
        )


def _copy(house: Path, copy: Path) -> None:
    copy.mkdir(parents=True)
    for name in _TAKEN:
        if (house / name).is_dir():
            shutil.copytree(house / name, copy / name)
        else:
            shutil.copy(house / name, copy / name)


def _build(copy: Path, date: int, same: tuple[str, str]) -> None:
    version, machine = same
    done = subprocess.run(  # noqa: S603 # no shell
        [sys.executable, "-m", "deploy.build", "--version", version, "--machine", machine],
        cwd=copy,
        env={**os.environ, **_OTHERWISE, "PYTHONPATH": str(copy), "SOURCE_DATE_EPOCH": str(date)},
        umask=0o077,
        capture_output=True,
        check=False,
        text=True,
        timeout=_PATIENCE,
    )
    if done.returncode:
        raise BuildError(f"the second build failed. Its own words:\n{done.stderr}")


def _differing(name: str, first: dict[str, bytes], second: dict[str, bytes]) -> Iterator[str]:
    """Name a file that differs; of a package also what differs in it."""
    if first[name] == second[name]:
        return
    yield name
    if name.endswith(".deb"):
        one, other = dict(contents(first[name])), dict(contents(second[name]))
        for path in sorted(one.keys() | other.keys()):
            if one.get(path) != other.get(path):
                yield f"  in it: {path}"
