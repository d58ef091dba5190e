"""`nightferry onion`."""

import argparse

from deploy.errors import DeployError


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `onion`."""
    words = "show or move the onion addresses; let staff in at the desk"
    parser = commands.add_parser("onion", help=words, description=words)
    parser.set_defaults(command=run)


def run(_options: argparse.Namespace) -> int:
    """Do it."""
    raise DeployError("onion is not written yet. Nothing was changed.")
