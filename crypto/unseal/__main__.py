"""`unseal`: the command line."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from crypto.unseal import VERSION
from crypto.unseal.errors import RunError
from crypto.unseal.gnupg import GnuPG, environment, find_gnupg
from crypto.unseal.run import ExitCode, Options, run
from crypto.unseal.subcommands import COMMANDS
from crypto.unseal.terminal import Terminal, wrapped

_PRIVATE = 0o077

_DESCRIPTION = """\
Opens what sources have sent through Nightferry, on a machine that is never online.

  unseal /media/amnesia/STICK --into ~/Persistent/opened

opens every sealed file on the stick (*.tar.gpg), asks for your passphrase or
smartcard PIN in the window you know, checks everything, and makes one folder for
each source. The folder is a BagIt bag: data/ holds what was sent, messages.txt
all messages, custody.txt the report of what was received when, and the manifests
the hashes. Nothing is shown or run; the stick is only read.

Run it again whenever you like: it goes on where it was, and opens nothing twice.

  unseal verify FOLDER...     checks that nothing in such folders has changed
  unseal look FOLDER          makes a page to look through what was sent
  unseal clean FOLDER         makes copies without metadata, for publishing
  unseal answer DESIGNATION   writes a reply, encrypted to this source alone
"""

_EXIT_CODES = """\
how it ends (exit codes):
  0    everything is opened and verified (verify: nothing has changed)
  1    some sealed files were refused; the others are there (verify: it HAS changed)
  2    the command was not understood, or is for something that is not there
  3    everything that is there is opened, but uploads are partial or parts missing
  4    it had to stop; what was opened is kept, run it again
  130  you stopped it with Ctrl-C; what was opened is kept, run it again
"""


def main(arguments: Sequence[str]) -> int:
    """Run the program; give its exit code."""
    os.umask(_PRIVATE)
    terminal = Terminal()
    try:
        if arguments and arguments[0] in COMMANDS:
            return COMMANDS[arguments[0]](arguments[1:], terminal)
        options = _parser().parse_args(arguments)
        given = tuple(options.given)
        return run(
            Options(given, options.into, options.sign, options.salvage),
            GnuPG(find_gnupg(), environment()),
            terminal,
        )
    except RunError as stopped:
        terminal.complain(f"\nunseal:\n{wrapped(str(stopped))}")
        return ExitCode.STOPPED
    except KeyboardInterrupt:
        terminal.complain("\nunseal: stopped. What was opened is kept; run it again to go on.")
        return ExitCode.INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="unseal",
        description=_DESCRIPTION,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "given", nargs="+", type=Path, metavar="STICK", help="a stick, a folder, or sealed files"
    )
    parser.add_argument(
        "--into",
        required=True,
        type=Path,
        metavar="FOLDER",
        help="where the opened files go; on an encrypted disk, never on the stick",
    )
    parser.add_argument(
        "--sign", metavar="KEY", help="sign the custody reports with this key of yours, by gpg"
    )
    parser.add_argument(
        "--salvage",
        action="store_true",
        help="of damaged files, keep what stands before the damage, marked .partial",
    )
    parser.add_argument("--version", action="version", version=f"unseal {VERSION}")
    return parser


def begin() -> None:
    """Start as the program that the command line asks for."""
    if sys.getfilesystemencoding() != "utf-8":
        # Names are UTF-8 on every disk that staff use, whatever the terminal's language.
        here = [sys.executable, "-I", "-X", "utf8", *sys.argv]
        os.execv(sys.executable, here)  # noqa: S606  the same program again, no shell
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    begin()
