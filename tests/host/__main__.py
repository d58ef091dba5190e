"""Boots Debian roots and lives years with the package in them: docs/testing-hosts.md."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.crypto.keys.making import make_ngo, new_home
from tests.host.archive import find_or_make, unpack
from tests.host.deployment import Deployment
from tests.host.machine import Machine, MachineError
from tests.host.package import build, dependencies_of
from tests.host.promise import BrokenPromiseError
from tests.host.story import live_through, story

RELEASES = ("bookworm", "trixie")
BIG = "/var/tmp"  # where there is room; the folder in it is made for us alone


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="./nightferry test-host")
    parser.add_argument("--release", action="append", choices=RELEASES, help="default: both")
    parser.add_argument("--deb", type=Path, help="this package, instead of one built now")
    parser.add_argument("--archives", type=Path, help="keep the Debian roots there between runs")
    return parser.parse_args()


def live_in(release: str, package: Path, folder: Path, arguments: argparse.Namespace) -> None:
    """Go through the story on one release."""
    print(f"{release}: making a root", flush=True)
    archives = arguments.archives or folder
    archive = find_or_make(release, dependencies_of(package), archives)
    root = folder / release / "root"
    unpack(archive, root)
    began = time.monotonic()
    machine = Machine(root)
    with new_home() as home:
        ngo = make_ngo(home, folder / release, "ed25519", "cv25519")
        try:
            state = machine.start()
            print(f"{release}: systemd is {state} after {time.monotonic() - began:.1f} s")
            host = Deployment(release, machine, package, ngo, folder / release)
            live_through(host, story(archive))
            print(f"{release}: every promise held, {time.monotonic() - began:.0f} s", flush=True)
        finally:
            machine.pull_plug()
    subprocess.run(["rm", "-rf", "--one-file-system", str(folder / release)], check=True)


def main() -> int:
    """Live in every release; stop at the first broken promise."""
    arguments = read_arguments()
    if os.geteuid() != 0:
        print("this boots Debian roots: run it as root")
        return 1
    for way_to_stop in (signal.SIGINT, signal.SIGTERM):  # also where a shell had it ignored
        signal.signal(way_to_stop, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="nightferry-host-", dir=BIG) as name:
        folder = Path(name)
        try:
            package = arguments.deb or build(folder)
            for release in arguments.release or RELEASES:
                live_in(release, package, folder, arguments)
        except (BrokenPromiseError, MachineError) as broken:
            print(f"BROKEN: {broken}")
            return 1
        except KeyboardInterrupt:
            print("stopped; nothing is left behind")
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
