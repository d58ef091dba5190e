"""A bag made by hand, with whatever names and contents, and staff who look at it."""

import dataclasses
import hashlib
import json
import re
from pathlib import Path

from tests.unseal.staff import Ran, Staff


@dataclasses.dataclass
class Bag:
    """A bag made by hand, with whatever names."""

    folder: Path
    received: list[dict[str, object]] = dataclasses.field(default_factory=list)

    def put(self, name: str, content: bytes, **facts: object) -> Path:
        """A file, in the manifests and the report."""
        place = f"data/files/{name}"
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        with (self.folder / "manifest-sha256.txt").open("a") as manifest:
            manifest.write(f"{digest}  {place}\n")
        what = {"place": place, "path": name, "what": "file", "received": "2026-03-01", **facts}
        self.received.append(what)
        (self.folder / "custody.json").write_text(json.dumps({"received": self.received}))
        return path

    @property
    def index(self) -> str:
        return (self.folder / "index.html").read_text(encoding="utf-8")

    @property
    def rows(self) -> list[dict[str, object]]:
        """What the script is given."""
        data = re.search(r'id="entries">(.*?)</script>', self.index)
        assert data
        rows: list[dict[str, object]] = json.loads(data[1])
        return rows


def bag_in(folder: Path) -> Bag:
    """Make an empty bag."""
    folder.mkdir()
    declared = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    (folder / "bagit.txt").write_text(declared)
    return Bag(folder)


def looked(bag: Bag, staff: Staff, *more: object) -> Ran:
    """Run `unseal look BAG`."""
    return staff.run("look", bag.folder, *more)
