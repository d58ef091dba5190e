"""`nightferry onion`: show both addresses, move them, let staff in at the desk."""

import argparse
import getpass
import sys
from pathlib import Path

from deploy.errors import DeployError
from deploy.host import Host
from deploy.onion.clients import (
    client_names,
    describe_key,
    let_in,
    require_name,
    shut_out,
    unless_tor_refuses,
)
from deploy.onion.move import export, put_in_place, read_bundle
from deploy.onion.store import addresses
from deploy.onion.units import TOR_UNIT, reload_tor, restart_tor

_EXPORTED = """\
Both onion services and the staff's keys are in {file}, sealed. This opens it:

    {passphrase}

It is shown once. Carry the file and these words to the new host by different ways; there:

    nightferry onion import FILE

Before that, stop tor here, for good (systemctl mask --now {tor}): two hosts
with one address take visitors from each other. The addresses stay here, too, until you remove the package with
its data. Whoever has the file and the words can stand in for both sites: destroy both afterwards.
"""
_INTERRUPTED = "Tor was started anew; uploads that ran go on."
_IMPORTED = """\
This host now has these addresses:

  source  http://{source}
  desk    http://{desk}

The staff's keys came along, in the place of those with the same names here. An address that this
host had before is kept in a folder beside it, in /var/lib/nightferry-tor. Destroy the file now, and
see that tor is stopped on the old host.
"""


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `onion` and what it can do."""
    words = "show or move the onion addresses; let staff in at the desk"
    parser = commands.add_parser("onion", help=words, description=words)
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add(actions, "show", _show, "both addresses, and the names of the keys to the desk")
    out = _add(actions, "export", _export, "write both services into a sealed file, to move them")
    out.add_argument("file", type=Path)
    into = _add(actions, "import", _import, "take both services out of such a file")
    into.add_argument("file", type=Path)
    key = _add(actions, "staff-key", _staff_key, "make a key to the desk, and print it once")
    key.add_argument("name", help="whose it is: small letters, digits, hyphens")
    key.add_argument("--replace", action="store_true", help="instead of the one of that name")
    away = _add(actions, "remove-key", _remove_key, "let the holder of a key in no more")
    away.add_argument("name")


def _add(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    command: object,
    words: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=words, description=words)
    parser.set_defaults(command=command)
    return parser


def show(host: Host) -> str:
    """Put both addresses and the keys' names into words."""
    found = addresses(host)
    names = ", ".join(client_names(host)) or "NONE: tor lets everybody in at the desk"
    return (
        f"source  http://{found.source}\ndesk    http://{found.desk}\nkeys to the desk: {names}\n"
    )


def make_staff_key(host: Host, name: str, *, replace: bool) -> str:
    """Make a key, let tor know, and put into words what its holder needs."""
    require_name(name)
    if name in client_names(host) and not replace:
        raise DeployError(
            f"there is a key {name!r} already; its secret half is kept nowhere. Nothing was "
            f"changed. For a new one in its place: nightferry onion staff-key {name} --replace"
        )
    desk = addresses(host).desk
    with unless_tor_refuses(host, name):
        words = describe_key(name, desk, let_in(host, name))
        if replace:
            restart_tor(host)
        else:
            reload_tor(host)
    return words


def remove_key(host: Host, name: str) -> str:
    """Take a key away and let tor know; give words."""
    require_name(name)
    with unless_tor_refuses(host, name):
        shut_out(host, name)
        # A reload would do for new visitors; who has the desk open would keep it for hours.
        restart_tor(host)
    return f"the key {name!r} opens the desk no more. {_INTERRUPTED}\n"


def _show(_options: argparse.Namespace) -> int:
    print(show(Host()), end="")
    return 0


def _export(options: argparse.Namespace) -> int:
    passphrase = export(Host(), options.file)
    print(_EXPORTED.format(file=options.file, passphrase=passphrase, tor=TOR_UNIT), end="")
    return 0


def _import(options: argparse.Namespace) -> int:
    bundle = read_bundle(Host(), options.file, _ask_passphrase())
    found = put_in_place(Host(), bundle)
    print(_IMPORTED.format(source=found.source, desk=found.desk), end="")
    return 0


def _staff_key(options: argparse.Namespace) -> int:
    print(make_staff_key(Host(), options.name, replace=options.replace), end="")
    if options.replace:
        print(f"\nThe key of that name from before opens the desk no more. {_INTERRUPTED}")
    return 0


def _remove_key(options: argparse.Namespace) -> int:
    print(remove_key(Host(), options.name), end="")
    return 0


def _ask_passphrase() -> str:
    """Ask on the terminal, or take the first line of what is given."""
    if sys.stdin.isatty():
        return getpass.getpass("The eight words that were shown when the file was made: ")
    return sys.stdin.readline()
