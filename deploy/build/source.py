"""What the tree says of itself: its version, its date, and what nobody has committed."""

import os
import subprocess
import tomllib
from pathlib import Path

from deploy.build.errors import BuildError

_WITHOUT_HISTORY = 315532800  # 1980-01-01: the date of a tree that came without its history


def version(house: Path) -> str:
    """Give the version that pyproject.toml names."""
    said: str = tomllib.loads((house / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return said


def date(house: Path) -> int:
    """Give the seconds since 1970 that everything in the package bears.

    SOURCE_DATE_EPOCH if it is set; else the last commit's. Raises `BuildError` if it is no number.
    """
    said = os.environ.get("SOURCE_DATE_EPOCH") or _git(house, "log", "-1", "--format=%ct")
    if not said:
        return _WITHOUT_HISTORY
    if not (said.isascii() and said.isdecimal()):
        raise BuildError("SOURCE_DATE_EPOCH is no number of seconds. Nothing was made.")
    return int(said)


def uncommitted(house: Path, paths: tuple[str, ...]) -> list[str]:
    """Name what lies in the tree otherwise than in its history: others cannot build the same."""
    said = _git(house, "status", "--porcelain", "--untracked-files=all", "--", *paths)
    return [line[3:] for line in said.splitlines()]


def _git(house: Path, *words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 # no shell
            ["git", "-C", house, *words],  # noqa: S607 # the builder's own git
            capture_output=True,
            check=False,
            text=True,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.rstrip("\n") if done.returncode == 0 else ""
