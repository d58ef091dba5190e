"""The commands of a host. Each room adds its own; errors come in words, with exit status 1."""

import argparse
import sys
from collections.abc import Sequence

from config.errors import SettingsError
from crypto.errors import CryptoError
from deploy.errors import DeployError


def main(arguments: Sequence[str]) -> int:
    """Run one command; give its exit status."""
    parser = argparse.ArgumentParser(prog="nightferry")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add = _add_health if arguments[:1] == ["health"] else _add_all
    add(commands)
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


def _add_all(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add each room's commands: its module `command` has an `add_command`."""
    from deploy.backup import command as backup  # noqa: PLC0415 # see `_add_health`
    from deploy.doctor import command as doctor  # noqa: PLC0415
    from deploy.init import command as init  # noqa: PLC0415
    from deploy.onion import command as onion  # noqa: PLC0415
    from deploy.report import command as report  # noqa: PLC0415

    for room in (init, doctor, report, backup, onion):
        room.add_command(commands)


def _add_health(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add what a monitor asks every minute: it does not wait for what the other rooms bring."""
    from deploy.report import command as report  # noqa: PLC0415

    report.add_command(commands)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
