"""Reads requirements.lock: which packages a host needs, in which version, with which hashes."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.build.errors import BuildError

# A source's program, and what it alone needs: `nightferry send` does not run on the server.
_NOT_ON_A_HOST = frozenset({"tuspy", "requests"})
# CPython of Debian is what the package is made for; these say no more than that.
_TRUE_OF_CPYTHON = frozenset(
    {"implementation_name != 'PyPy'", "platform_python_implementation != 'PyPy'"}
)
_PINNED = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^ ;\\]+)(?: ; (?P<when>[^\\]+))?"
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_BY = re.compile(r"#\s+(?:via )?([a-z][a-z0-9.-]*)(?: \(pyproject\.toml\))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pinned:
    """One package of the lock; `by` names what asks for it."""

    name: str
    version: str
    hashes: frozenset[str]
    by: frozenset[str]


def needed(house: Path) -> list[Pinned]:
    """Give what the service and the host's commands need, and nothing more.

    Raises `BuildError` for a lock that says something this does not understand.
    """
    pins = {pin.name: pin for pin in _read((house / "requirements.lock").read_text("utf-8"))}
    wanted = _asked_for(house) - _NOT_ON_A_HOST
    while more := {pin.name for pin in pins.values() if pin.by & wanted} - wanted - _NOT_ON_A_HOST:
        wanted |= more
    if missing := wanted - pins.keys():
        raise BuildError(
            f"requirements.lock lacks {', '.join(sorted(missing))}. Run: ./nightferry lock"
        )
    return [pins[name] for name in sorted(wanted)]


def requirements(pins: Iterable[Pinned]) -> str:
    """Give what pip reads: exact versions, each with its hashes."""
    lines = []
    for pin in pins:
        hashes = " ".join(f"--hash=sha256:{digest}" for digest in sorted(pin.hashes))
        lines.append(f"{pin.name}=={pin.version} {hashes}\n")
    return "".join(lines)


def _asked_for(house: Path) -> set[str]:
    project = tomllib.loads((house / "pyproject.toml").read_text("utf-8"))["project"]
    return {re.split(r"[<>=!~;\[ ]", one, maxsplit=1)[0].lower() for one in project["dependencies"]}


def _read(text: str) -> Iterable[Pinned]:
    for entry in re.split(r"\n(?=[a-z0-9])", text.strip()):
        said = _PINNED.match(entry)
        if said is None:
            raise BuildError(f"requirements.lock has a line that is no package: {entry[:60]}")
        conditions = set((said["when"] or "").strip().split(" and ")) - {""}
        if conditions - _TRUE_OF_CPYTHON:
            raise BuildError(f"requirements.lock wants {said['name']} only if {said['when']}")
        asking = frozenset(_BY.findall(entry)) - {"via", "nightferry"}
        yield Pinned(said["name"], said["version"], frozenset(_HASH.findall(entry)), asking)
