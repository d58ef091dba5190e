"""`./nightferry staff`: who may use the desk. Secrets are printed once and kept nowhere."""

import argparse
from pathlib import Path

from config.settings import load
from crypto.totp import in_base32, one_time_code, provisioning_uri, read_base32
from submit.app import World, build_accounts
from submit.cli.failure import CommandError
from submit.errors import Refusal
from submit.intake.desk.accounts import Accounts, Credentials
from submit.intake.ports import Clock
from submit.store.database import Database

ISSUER = "Nightferry"

_SHOWN_ONCE = """\
This is shown once. Hand it over in person, then let no copy of it remain.

name        {name}
passphrase  {passphrase}
secret      {secret}

The secret goes into a program for one-time codes on the staff member's phone (FreeOTP, Aegis, or
any other). No QR code is drawn here: type it in. In the program choose "add", then "by hand" or
"enter a setup key", and type:

  name or account   {name}
  issuer            {issuer} (may stay empty)
  key or secret     the {length} letters and digits above; spaces and capitals do not matter
  type              time-based (TOTP), not counter-based
  if it asks        SHA-1, 6 digits, 30 seconds

A program on a computer that takes a whole address takes this one, on a single line:

{uri}

To try it: log in at the desk with name, passphrase, and the six digits that the phone shows.
"""


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add what `staff` can do."""
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    for action, words in (
        ("add", "make an account, and print its secrets once"),
        ("reset", "give an account new secrets, and end its sessions"),
        ("remove", "remove an account, and end its sessions"),
        ("list", "name all accounts"),
    ):
        subparser = actions.add_parser(action, help=words, description=words)
        if action != "list":
            subparser.add_argument("name")
        subparser.add_argument("--config", type=Path, required=True, help="the settings")
    words = "print the code of this moment, out of a file with a line 'secret ...'"
    code = actions.add_parser("code", help=words, description=words)
    code.add_argument("file", type=Path)


def run(options: argparse.Namespace) -> int:
    """Do it."""
    if options.action == "code":
        print(_code(options.file))
        return 0
    settings = load(options.config)
    database = Database(settings.database, 1)
    try:
        database.require_current()
        _act(options, build_accounts(World(), database))
    except Refusal as refusal:
        raise CommandError(refusal.public) from None
    finally:
        database.close()
    return 0


def describe(made: Credentials) -> str:
    """Put into words what a new account's holder needs."""
    letters = in_base32(made.totp)
    fours = " ".join(letters[at : at + 4] for at in range(0, len(letters), 4))
    uri = provisioning_uri(made.totp, ISSUER, made.name)
    return _SHOWN_ONCE.format(
        name=made.name,
        passphrase=made.passphrase,
        secret=fours,
        issuer=ISSUER,
        length=len(letters),
        uri=uri,
    )


def _act(options: argparse.Namespace, accounts: Accounts) -> None:
    match options.action:
        case "add":
            print(describe(accounts.add(options.name)), end="")
        case "reset":
            print(describe(accounts.reset(options.name)), end="")
        case "remove":
            accounts.remove(options.name)
            print(f"{options.name} cannot log in any more")
        case _:
            print("\n".join(accounts.names()) or "there are no accounts yet: staff add NAME")


def _code(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        [secret] = [line.removeprefix("secret ") for line in lines if line.startswith("secret ")]
        return one_time_code(read_base32(secret), Clock(World().seconds).code_step())
    except (OSError, ValueError):
        raise CommandError(f"{path}: there is no line with a secret in this file") from None
