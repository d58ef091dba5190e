"""./nightferry bench [throughput|memory|files|resume ...]: the figures of docs/performance.md."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import files, memory, resume, throughput

PARTS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "throughput": throughput.run,
    "memory": memory.run,
    "files": files.run,
    "resume": resume.run,
}


def main() -> int:
    """Run the parts that were named, or all."""
    parser = argparse.ArgumentParser(prog="./nightferry bench", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of each")
    parser.add_argument("--folder", type=Path, help="where to work; default a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder) as folder:
        for number, part in enumerate(options.part or PARTS):
            (Path(folder) / str(number)).mkdir()
            PARTS[part](Path(folder) / str(number), options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
