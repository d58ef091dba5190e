"""Reading whole backups back, to see whether every octet is what it was when it was copied."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from deploy.backup.copying import digests_at
from deploy.backup.place import Line, Place
from deploy.errors import DeployError


@dataclass
class Checked:
    """What was found. The lists hold sentences."""

    snapshots: int = 0
    files: int = 0
    octets: int = 0
    wrong: list[str] = field(default_factory=list)


def check(place: Place) -> Checked:
    """Read everything that any snapshot speaks of, each file once."""
    checked = Checked()
    spoken_of: dict[Path, list[tuple[str, Line]]] = defaultdict(list)
    for name in place.names():
        _gather(place, name, checked, spoken_of)
    for path, lines in spoken_of.items():
        checked.files += 1
        checked.octets += max(line.length for _, line in lines)
        checked.wrong += _read_back(path, lines)
    return checked


def _gather(
    place: Place, name: str, checked: Checked, spoken_of: dict[Path, list[tuple[str, Line]]]
) -> None:
    try:
        snapshot = place.read(name)
    except DeployError as error:
        checked.wrong.append(str(error))
        return
    checked.snapshots += 1
    for line in snapshot.lines:
        path = place.find(snapshot, line)
        if path is None:
            checked.wrong.append(f"{line.place} of {name}: is missing")
        else:
            spoken_of[path].append((name, line))


def _read_back(path: Path, lines: list[tuple[str, Line]]) -> list[str]:
    try:
        found = digests_at(path, {line.length for _, line in lines})
    except OSError as error:
        return [f"{path}: cannot be read: {error.strerror}"]
    wrong = [name for name, line in lines if found.get(line.length) != line.digest]
    if not wrong:
        return []
    return [f"{path}: is not what was copied there (backup of {', '.join(sorted(wrong))})"]
