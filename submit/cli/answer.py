"""`./nightferry reply`: hand a message that gpg made to the source it is for."""

import argparse
from pathlib import Path

from config.settings import load
from submit.app import World, build_intake
from submit.cli.failure import CommandError
from submit.errors import Refusal
from submit.intake.replies import LONGEST_MESSAGE
from submit.store.database import Database


def run(options: argparse.Namespace) -> int:
    """Keep the reply until its source comes back; it is refused in words if it is not for it."""
    settings = load(options.config)
    message = _read(options.message)
    database = Database(settings.database, 1)
    try:
        database.require_current()
        build_intake(settings, World(), database).replies.accept(options.designation, message)
    except Refusal as refusal:
        raise CommandError(refusal.public) from None
    finally:
        database.close()
    print(f"the reply waits for {options.designation}")
    return 0


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LONGEST_MESSAGE + 1)
    except OSError as error:
        raise CommandError(f"{path}: cannot read this file: {error.strerror}") from None
