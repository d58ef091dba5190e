"""./nightferry bench [throughput|memory|files|resume|unseal|clips ...]: the figures of docs/performance.md."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import clips, files, memory, resume, throughput, unseal

PARTS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "throughput": throughput.run,
    "memory": memory.run,
    "files": files.run,
    "resume": resume.run,
    "unseal": unseal.run,
    "clips": clips.run,
}
LONG = {"clips", "unseal"}  # take long, or 60 GB of disk: only by their names


def main() -> int:
    """Run the parts that were named, or all."""
    parser = argparse.ArgumentParser(prog="./nightferry bench", description=__doc__)
    parser.add_argument(
        "part", nargs="*", choices=[*PARTS, []], help="default: all but clips and unseal"
    )
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of each")
    parser.add_argument("--clips", type=int, default=1000, help="how many clips")
    parser.add_argument("--form", type=int, default=20, help="how many clips go in one form")
    parser.add_argument("--mean", type=float, default=120, help="seconds from break to break")
    parser.add_argument("--gigabytes", type=int, default=20, help="how long unseal's one file is")
    parser.add_argument("--sheet", type=int, default=100, help="clips on the contact sheet")
    parser.add_argument("--folder", type=Path, help="where to work; default a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder) as folder:
        for number, part in enumerate(options.part or [name for name in PARTS if name not in LONG]):
            (Path(folder) / str(number)).mkdir()
            PARTS[part](Path(folder) / str(number), options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
