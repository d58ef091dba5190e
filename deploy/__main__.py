"""The commands of a host. Each room adds its own; errors come in words, with exit status 1."""

import argparse
import sys
from collections.abc import Sequence

from config.errors import SettingsError
from crypto.errors import CryptoError
from deploy.backup import command as backup
from deploy.doctor import command as doctor
from deploy.errors import DeployError
from deploy.init import command as init
from deploy.onion import command as onion
from deploy.report import command as report

# Each room's module `command` has an `add_command`.
_ROOMS = (init, doctor, report, backup, onion)


def main(arguments: Sequence[str]) -> int:
    """Run one command; give its exit status."""
    parser = argparse.ArgumentParser(prog="nightferry")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for room in _ROOMS:
        room.add_command(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.command(options)
    except (DeployError, SettingsError, CryptoError) as error:
        print(f"nightferry: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("nightferry: stopped", file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
