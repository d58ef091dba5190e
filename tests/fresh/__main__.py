"""Makes new Debian roots and starts there from nothing: see README.md beside this file."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.fresh.offline import visit_offline
from tests.fresh.root import ANN, ROOT, Root, make_archive
from tests.fresh.visit import BrokenPromiseError, tell, visit

RELEASES = ("bookworm", "trixie")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="./nightferry test-fresh")
    parser.add_argument("--release", action="append", choices=RELEASES, help="default: both")
    parser.add_argument("--env", action="append", default=[], metavar="NAME[=VALUE]")
    parser.add_argument("--carry", action="append", default=[], metavar="FROM:TO")
    parser.add_argument(
        "--offline", action="store_true", help="the staff's offline machine instead of a newcomer's"
    )
    parser.add_argument("--also-test", action="store_true", help="run ./nightferry test there too")
    return parser.parse_args()


def handed_on(names: list[str]) -> dict[str, str]:
    """Give the environment of a new login, with what the command line hands on."""
    given = dict(name.partition("=")[::2] for name in names if "=" in name)
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    return {"PATH": PATH, "LANG": "C.UTF-8", "TERM": "dumb", **inherited, **given}


def make_root(archive: Path, place: Path, arguments: argparse.Namespace) -> Root:
    """Unpack a root and carry in what this machine knows of registries."""
    root = Root(archive, place, handed_on(arguments.env))
    for pair in arguments.carry:
        source, _, target = pair.partition(":")
        root.carry(Path(source), target)
    return root


def visit_release(release: str, folder: Path, arguments: argparse.Namespace) -> None:
    """Visit one release as root and as a plain person, each in a root of their own."""
    archive = folder / f"{release}.tar"
    print(f"{release}: making a root", flush=True)
    make_archive(release, archive)
    for person in (ROOT, ANN):
        print(f"{release}, {person.name}:", flush=True)
        place = folder / f"{release}-{person.name}"
        visit(make_root(archive, place, arguments), person, also_test=arguments.also_test)
        shutil.rmtree(place)


def main() -> int:
    """Visit every release; stop at the first broken promise."""
    arguments = read_arguments()
    if os.geteuid() != 0:
        print("this makes Debian roots: run it as root")
        return 1
    with tempfile.TemporaryDirectory(prefix="nightferry-fresh-", dir="/var/tmp") as folder:
        try:
            for release in arguments.release or RELEASES:
                if arguments.offline:
                    print(f"{release}, offline:", flush=True)
                    visit_offline(release, Path(folder))
                else:
                    visit_release(release, Path(folder), arguments)
        except BrokenPromiseError as broken:
            print(f"BROKEN: {broken}")
            return 1
    tell("every promise held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
