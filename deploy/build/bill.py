"""The list of parts (SBOM): CycloneDX 1.5, from the locks and the wheels that were used.

It names what is inside, in which version, under which digest; it says no address, no time and no
random number, so the same parts give the same list.
"""

import base64
import json
from collections.abc import Iterable
from email.parser import Parser
from pathlib import Path
from typing import Any

from deploy.build.wheels import Wheel, unpacked

_SCRIPT = "node_modules/tus-js-client"


def bill(house: Path, version: str, wheels: Iterable[Wheel]) -> bytes:
    """Give the list for one package."""
    by_file = {wheel.file: wheel for wheel in wheels}
    parts = _python(by_file[file] for file in sorted(by_file))
    said = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": _ours(version)},
        "components": [*parts, *_npm(house)],
    }
    return (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()


def _ours(version: str) -> dict[str, Any]:
    return {"type": "application", "name": "nightferry", "version": version}


def _python(wheels: Iterable[Wheel]) -> list[dict[str, Any]]:
    """One component a package: the wheels of each Python are its files."""
    parts: dict[str, dict[str, Any]] = {}
    for wheel in wheels:
        pin = wheel.pin
        part = parts.setdefault(
            pin.name,
            {
                "type": "library",
                "name": pin.name,
                "version": pin.version,
                "purl": f"pkg:pypi/{pin.name}@{pin.version}",
                **_licences(wheel),
                "components": [],
            },
        )
        part["components"].append(
            {
                "type": "file",
                "name": wheel.file,
                "hashes": [{"alg": "SHA-256", "content": wheel.digest}],
            }
        )
    return [parts[name] for name in sorted(parts)]


def _licences(wheel: Wheel) -> dict[str, Any]:
    """Give what the package itself says, if it says it in the form that can be compared (PEP 639)."""
    for path, member in unpacked(wheel).items():
        if path.endswith(".dist-info/METADATA"):
            said = Parser().parsestr(member.octets.decode("utf-8"))["License-Expression"]
            return {"licenses": [{"expression": said}]} if said else {}
    return {}


def _npm(house: Path) -> Iterable[dict[str, Any]]:
    """Give the one npm package whose made file is served, with what npm checked it by."""
    lock = json.loads((house / "package-lock.json").read_text("utf-8"))
    entry = lock["packages"][_SCRIPT]
    name = _SCRIPT.partition("/")[2]
    kind, _, digest = entry["integrity"].partition("-")
    yield {
        "type": "library",
        "name": name,
        "version": entry["version"],
        "purl": f"pkg:npm/{name}@{entry['version']}",
        "licenses": [{"expression": entry["license"]}],
        "hashes": [{"alg": kind.replace("sha", "SHA-"), "content": base64.b64decode(digest).hex()}],
    }
