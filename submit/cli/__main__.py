"""Parse the command line and run the command; errors come in words, with exit status 1."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from config.errors import SettingsError
from crypto.errors import CryptoError
from submit.cli import answer, demo, operate, staff
from submit.cli.failure import CommandError
from submit.store.errors import WrongRevisionError

# The package's command is another than the tree's: what is printed can be typed.
_CALLED = os.environ.get("NIGHTFERRY_COMMAND", "./nightferry")
_NOT_MIGRATED = (
    f"the database is of another version. Nothing was changed. Run: {_CALLED} migrate --config FILE"
)


def main(arguments: Sequence[str]) -> int:
    """Run one command; give its exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except (SettingsError, CryptoError, CommandError) as error:
        print(f"nightferry: {error}", file=sys.stderr)
    except WrongRevisionError as error:
        print(f"nightferry: {str(error) or _NOT_MIGRATED}", file=sys.stderr)
    except KeyboardInterrupt:
        print("nightferry: stopped", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_CALLED, description="Nightferry")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    serve = _add(commands, "serve", operate.serve, "serve a site with gunicorn")
    serve.add_argument("site", choices=["source", "desk"], help="which site")
    words = "take the socket that systemd hands over, and no other"
    serve.add_argument("--activated", action="store_true", help=words)
    _add_send(commands)
    _add_reply(commands)
    staff.add_commands(_add(commands, "staff", staff.run, "who may use the desk"))
    for name, command, words in (
        ("migrate", operate.migrate, "make the database or bring it to this version's form"),
        ("recipients", operate.recipients, "show whom uploads are sealed to"),
        ("expire", operate.expire, "end the unfinished uploads that nobody moved"),
    ):
        _add(commands, name, command, words)
    for subparser in commands.choices.values():
        if subparser.get_default("command") not in {demo.run, staff.run, _send}:
            subparser.add_argument("--config", type=Path, required=True, help="the settings")
    return parser


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _add(commands, "demo", demo.run, "serve on this machine with a throwaway key")
    parser.add_argument("--port", type=_port, default=8080, help="on 127.0.0.1; default 8080")
    parser.add_argument(
        "--data", type=Path, default=Path("demo-data"), help="a folder; default demo-data"
    )


def _add_send(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _add(commands, "send", _send, "send files to a site, resuming after any break")
    parser.add_argument("--to", required=True, metavar="URL", help="the site's first page")
    parser.add_argument(
        "--socks",
        metavar="HOST:PORT",
        help="where Tor runs, for an onion; default 127.0.0.1:9050 (Tor Browser: 9150)",
    )
    parser.add_argument("--new", action="store_true", help="a new codename, without asking")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")


def _add_reply(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _add(commands, "reply", answer.run, "keep a gpg message for a source to read")
    parser.add_argument("designation", help="the two words staff use, in quotes")
    parser.add_argument("message", type=Path, help="the file that gpg --encrypt has written")


def _send(options: argparse.Namespace) -> int:
    # The service must not load tuspy and all that it brings: only this command does.
    from submit.cli import send  # noqa: PLC0415

    return send.run(options)


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    command: Callable[[argparse.Namespace], int],
    words: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    parser.set_defaults(command=command)
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
