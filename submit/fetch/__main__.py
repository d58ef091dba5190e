"""`./nightferry fetch`: the command line; errors come in words."""

import argparse
import contextlib
import os
import sys
import termios
from collections.abc import Iterator, Sequence
from enum import IntEnum
from pathlib import Path

from submit.fetch.address import TOR, parse_way
from submit.fetch.credentials import Credentials, read_credentials
from submit.fetch.errors import FetchError
from submit.fetch.run import Options, start
from submit.fetch.stick import open_stick
from submit.fetch.terminal import Terminal

_PRIVATE = 0o077

_DESCRIPTION = """\
Brings everything new from the desk to a USB stick, through Tor, and carries replies back.

  {called} --desk http://….onion --to /media/me/STICK

Asks for your name, passphrase and code. Break it whenever you like: run again, it goes on where it
was, and brings nothing twice. On the offline machine: unseal STICK --into FOLDER
"""

_EXIT_CODES = """\
how it ends (exit codes):
  0    everything new is on the stick, verified, and every reply is at the desk
  1    it had to stop; what has come is kept, run it again
  2    the command was not understood
  3    all is done but what it names: no room, too large, wrong twice, a reply refused, a bad copy
  130  you stopped it with Ctrl-C; what has come is kept, run it again
"""


class ExitCode(IntEnum):
    """How a run ends."""

    GOOD = 0
    STOPPED = 1
    MISSING = 3
    INTERRUPTED = 130


def main(arguments: Sequence[str], called: str = "./nightferry fetch") -> int:
    """Run the command, which says that it is `called` so; give its exit code."""
    options = _parser(called).parse_args(arguments)
    os.umask(_PRIVATE)
    terminal = Terminal()
    try:
        with _echo_kept():
            return ExitCode.MISSING if _run(options, terminal) else ExitCode.GOOD
    except FetchError as error:
        terminal.complain(f"nightferry: {error}")
        return ExitCode.STOPPED
    except KeyboardInterrupt:
        terminal.interrupted()
        terminal.complain("nightferry: stopped. What has come is kept; run it again to go on.")
        return ExitCode.INTERRUPTED


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    way = parse_way(options.desk, options.socks, no_tor=options.no_tor)
    stick = open_stick(options.to)
    credentials = Credentials(terminal, options.name or "")
    if options.credentials:
        name, passphrase = read_credentials(options.credentials, options.to)
        credentials = Credentials(terminal, name, passphrase, from_file=True)
    with stick.held():
        return start(way, stick, credentials, Options(options.delete_after, options.all))


def _parser(called: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=called,
        description=_DESCRIPTION.format(called=called),
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--desk", required=True, metavar="URL", help="the desk's address: http://….onion")
    add("--to", required=True, type=Path, metavar="STICK", help="the stick's folder")
    add("--socks", metavar="HOST:PORT", help=f"where Tor runs; default {TOR} (Tor Browser: 9150)")
    add("--name", help="your name at the desk; asked for if not given")
    add("--credentials", type=Path, metavar="FILE", help="name and passphrase in a file (0600)")
    add(
        "--delete-after",
        action="store_true",
        help="delete at the desk what is verified on this stick at that moment",
    )
    add(
        "--all",
        action="store_true",
        help="also what was fetched before, here or elsewhere; read all again",
    )
    add("--no-tor", action="store_true", help="allow an address that is no onion: NOT anonymous")
    return parser


@contextlib.contextmanager
def _echo_kept() -> Iterator[None]:
    """Leave the terminal as it was: who stops at the question for a passphrase sees no more."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
