"""A package, opened by dpkg's own programs."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[3]


@dataclass(frozen=True)
class Opened:
    """A package as dpkg-deb sees it."""

    file: Path

    def field(self, name: str) -> str:
        """Give one field of its control file."""
        return self._ask("--field", self.file, name).strip()

    def control(self, name: str) -> str:
        """Give one of its control files."""
        return self._ask("--info", self.file, name)

    def listing(self) -> dict[str, str]:
        """Give modes and owners, as `ls` writes them, by path."""
        lines = [line.split(None, 5) for line in self._ask("--contents", self.file).splitlines()]
        return {line[5].removeprefix("./"): f"{line[0]} {line[1]}" for line in lines}

    def unpack(self, folder: Path) -> Path:
        """Lay its files out in a folder."""
        self._ask("--extract", self.file, folder)
        return folder

    def _ask(self, *words: str | Path) -> str:
        done = subprocess.run(["dpkg-deb", *words], check=True, capture_output=True, text=True)
        return done.stdout


def opened(octets: bytes, folder: Path) -> Opened:
    """Open a package that lies in memory."""
    file = folder / "package.deb"
    file.write_bytes(octets)
    return Opened(file)
