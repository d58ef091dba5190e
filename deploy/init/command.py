"""`nightferry init`."""

import argparse

from deploy.errors import DeployError


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `init`."""
    words = "make two onion sites of this host; run again, it changes nothing"
    parser = commands.add_parser("init", help=words, description=words)
    parser.set_defaults(command=run)


def run(_options: argparse.Namespace) -> int:
    """Do it."""
    raise DeployError("init is not written yet. Nothing was changed.")
