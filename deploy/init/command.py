"""`nightferry init`: from an installed package to two onion sites."""

import argparse
import datetime as dt
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from deploy.host import Host
from deploy.init.asking import Asker, Words, make_plan
from deploy.init.plan import (
    RefusedError,
    require_installed,
    require_sealable,
    require_sensible_settings,
)
from deploy.init.step import Tally, go_through
from deploy.init.steps import all_steps
from deploy.onion.store import Addresses, addresses
from deploy.settings import HostSettings

_DONE: Final = """
{sum}

  source  http://{source}
  desk    http://{desk}

Tor makes them known within some minutes. Look at the source's site in Tor Browser, and at the desk
with a key ('nightferry onion staff-key NAME' makes another). Then: nightferry doctor
"""
_DRY: Final = """
Nothing was changed. {held} steps hold already, {made} would be made. Without --dry-run they are.
"""


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `init`."""
    words = "make two onion sites of this host; run again, it changes nothing"
    parser = commands.add_parser("init", help=words, description=words)
    parser.set_defaults(command=run)
    parser.add_argument("--key", type=Path, help="file with the NGO's public key")
    parser.add_argument("--fingerprint", help="its fingerprint, from another way than the file")
    parser.add_argument("--name-of-staff", metavar="NAME", help="make the first staff account")
    parser.add_argument("--ssh-port", type=int, metavar="N", help="let SSH in there; 0: nowhere")
    parser.add_argument("--backup-to", metavar="FOLDER", help="make a backup there every day")
    parser.add_argument("--report-to", metavar="ADDRESS", help="send the sealed report there")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")


def run(options: argparse.Namespace) -> int:
    """Do it on this host."""
    words = Words(
        key=options.key,
        fingerprint=options.fingerprint,
        staff=options.name_of_staff,
        ssh_port=options.ssh_port,
        backup_to=options.backup_to,
        report_to=options.report_to,
    )
    if os.geteuid() != 0:
        raise RefusedError("init changes this host, so it must run as root: sudo nightferry init")
    today = dt.datetime.now(dt.UTC).date()  # noqa: TID251 # the edge, where the clock enters
    ask = _ask if sys.stdin.isatty() else None
    asker = Asker(ask, _print, today, find_ssh_port(Host()))
    initialise(Host(), words, asker, dry_run=options.dry_run)
    return 0


def initialise(host: Host, words: Words, asker: Asker, *, dry_run: bool) -> Tally:
    """Make two sites of a host, or say what that would be.

    Raises DeployError, CryptoError or SettingsError, each in words for the sysadmin.
    """
    require_installed(host)
    require_sensible_settings(host)
    require_sealable(host, asker.today)
    plan = make_plan(host, words, asker)
    tally = go_through(all_steps(host, plan), asker.say, dry_run=dry_run)
    if dry_run:
        asker.say(_DRY.format(held=tally.held, made=tally.made))
    else:
        _say_done(asker.say, addresses(host), tally)
    return tally


def find_ssh_port(host: Host) -> int:
    """Give the port on which this host's sshd listens, or SSH's own: nobody shall be locked out."""
    ran = host.run("sshd", "-T")
    ports = [line.split()[1] for line in ran.said.splitlines() if line.startswith("port ")]
    return int(ports[0]) if ports else HostSettings.ssh_port


def _say_done(say: Callable[[str], None], found: Addresses, tally: Tally) -> None:
    made = "1 step was made" if tally.made == 1 else f"{tally.made} steps were made"
    summary = (
        f"{made}, {tally.held} held already."
        if tally.made
        else "Everything is as it should be. Nothing was changed."
    )
    say(_DONE.format(sum=summary, source=found.source, desk=found.desk))


def _ask(question: str) -> str:
    try:
        return input(question)
    except EOFError:  # Ctrl-D
        print()
        raise RefusedError("stopped at a question. Nothing was changed.") from None


def _print(line: str) -> None:
    # At once: a step that takes long is seen to have begun after the one before it.
    print(line, flush=True)
