"""The operator's commands: serve, migrate, recipients, expire."""

import argparse
import datetime as dt
import os
from contextlib import closing

from config.settings import Settings, load
from crypto.recipients import Recipient, expiring_soon
from submit.app import World, build_intake, inspect_recipients, make_database
from submit.cli.failure import CommandError
from submit.serve.handed import NotHandedOverError, is_handed_over, require_handed_over
from submit.serve.site import DeskSite, Site
from submit.store.database import Database


def serve(options: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    settings = load(options.config)
    if options.site == "source":
        _look_at_socket(settings.listen, expected=options.activated)
        Site(settings, World()).run()
    elif settings.desk_hosts:
        _look_at_socket(settings.desk_listen, expected=options.activated)
        DeskSite(settings, World()).run()
    else:
        raise CommandError(
            "desk_hosts is empty, so there is no desk. Name its onion address there."
        )
    return 0


def _look_at_socket(listen: str, *, expected: bool) -> None:
    if expected or is_handed_over(os.environ):
        try:
            require_handed_over(listen, os.environ)
        except NotHandedOverError as error:
            raise CommandError(str(error)) from None


def migrate(options: argparse.Namespace) -> int:
    """Make or upgrade the database."""
    make_database(load(options.config))
    print("the database is at this version's form")
    return 0


def recipients(options: argparse.Namespace) -> int:
    """Show the recipients; status 2 if one of them expires soon."""
    world = World()
    found = inspect_recipients(load(options.config), world)
    today = dt.datetime.fromtimestamp(world.seconds(), dt.UTC).date()
    soon = [recipient for recipient in found if expiring_soon(recipient, today)]
    for recipient in found:
        print(_describe(recipient, warn=recipient in soon))
    return 2 if soon else 0


def expire(options: argparse.Namespace) -> int:
    """Do the daily work: run it from a timer."""
    settings: Settings = load(options.config)
    with closing(Database(settings.database, 1)) as database:
        database.require_current()
        count = build_intake(settings, World(), database).housekeeping.daily()
    print(f"unfinished uploads that can no longer be resumed: {count}")
    return 0


def _describe(recipient: Recipient, *, warn: bool) -> str:
    until = f"until {recipient.expires}" if recipient.expires else "no expiry"
    warning = "  EXPIRES SOON: make a new key, or extend this one" if warn else ""
    return f"{recipient.fingerprint}  {until}  {', '.join(recipient.user_ids)}{warning}"
