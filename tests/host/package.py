"""The package as it is, and as later versions of it could be."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[2]


def build(into: Path) -> Path:
    """Build the package from this tree; give where it lies."""
    subprocess.run([HOUSE / "nightferry", "build"], check=True, stdin=subprocess.DEVNULL)
    [package] = sorted((HOUSE / "dist").glob("nightferry_*.deb"))
    return Path(shutil.copy(package, into))


def field_of(package: Path, field: str) -> str:
    """Read one of the fields that apt reads."""
    asking = ["dpkg-deb", "--field", str(package), field]
    said = subprocess.run(asking, check=True, capture_output=True, text=True)
    return said.stdout.strip()


def dependencies_of(package: Path) -> list[str]:
    """Give the names of the packages that it depends on and recommends, the first of each choice."""
    wanted = f"{field_of(package, 'Depends')},{field_of(package, 'Recommends')}"
    choices = [choice.split("|")[0] for choice in wanted.split(",")]
    names = [re.sub(r"\s*[(:].*", "", choice.strip()) for choice in choices]
    return [name for name in names if name]


def later_version(package: Path, version: str, into: Path, change: Callable[[Path], None]) -> Path:
    """Make a package of a higher version; `change` does to its files what a new version would."""
    folder = into / f"nightferry-{version}"
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder], check=True)
    change(folder)
    _number(folder, version)
    _sum(folder)
    later = into / f"nightferry_{version}.deb"
    building = [
        "dpkg-deb",
        "--root-owner-group",
        "-Zgzip",
        "-z1",
        "--build",
        str(folder),
        str(later),
    ]
    subprocess.run(building, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)
    return later


def _number(folder: Path, version: str) -> None:
    control = folder / "DEBIAN" / "control"
    numbered = re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text())
    control.write_text(numbered)


def _sum(folder: Path) -> None:
    """Write anew what `dpkg --verify` compares with."""
    sums = folder / "DEBIAN" / "md5sums"
    sums.write_text("".join(_lines_of_sums(folder)))


def _lines_of_sums(folder: Path) -> Iterator[str]:
    listing = folder / "DEBIAN" / "conffiles"
    configured = listing.read_text().split() if listing.exists() else []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        is_own = path.is_file() and not path.is_symlink() and inside.parts[0] != "DEBIAN"
        if is_own and f"/{inside}" not in configured:
            yield f"{hashlib.md5(path.read_bytes()).hexdigest()}  {inside}\n"
