"""What `unseal` does besides opening: each command's line, and how it ends."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from crypto.unseal.answer import Answer, answer
from crypto.unseal.clean import Cleaner, choose, find_cleaner
from crypto.unseal.gnupg import GnuPG, environment, find_gnupg
from crypto.unseal.look import bags_in, find_looker, look
from crypto.unseal.run import ExitCode
from crypto.unseal.terminal import Terminal, wrapped
from crypto.unseal.verifying import verify

Command = Callable[[Sequence[str], Terminal], int]


def _answer(arguments: Sequence[str], terminal: Terminal) -> int:
    parser = argparse.ArgumentParser(
        prog="unseal answer",
        description="Opens your editor ($EDITOR), encrypts what you write to one source alone, and "
        "puts it on the stick for fetch to carry to the desk. The text is on no disk.",
    )
    parser.add_argument("designation", metavar="DESIGNATION", help="the source: quiet-harbour")
    parser.add_argument("--stick", required=True, type=Path, help="where the reply goes")
    parser.add_argument(
        "--bags",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="the folder into which sticks were opened (the one after --into); here, if not said",
    )
    parser.add_argument(
        "--certificate", type=Path, metavar="FILE", help="if the source has several certificates"
    )
    given = parser.parse_args(arguments)
    options = Answer(given.designation, given.stick, given.bags, given.certificate)
    try:
        answer(options, GnuPG(find_gnupg(), environment()), terminal)
    except KeyboardInterrupt:
        terminal.complain("\nunseal: stopped. Nothing was written.")
        return ExitCode.INTERRUPTED
    return ExitCode.GOOD


def _look(arguments: Sequence[str], terminal: Terminal) -> int:
    parser = argparse.ArgumentParser(
        prog="unseal look",
        description="Writes index.html into a bag: thumbnails, lengths, codecs and times of films and "
        "pictures, to search, sort and note. Decoders run in a sandbox (bubblewrap). The bag stays "
        "what it was for whoever checks it. Run it again: only what is new is looked at.",
    )
    parser.add_argument(
        "bags", nargs="+", type=Path, metavar="BAG", help="a bag, or a folder of bags"
    )
    parser.add_argument(
        "--no-sandbox",
        action="store_true",
        help="run the decoders with all your rights; only where no sandbox can be had",
    )
    given = parser.parse_args(arguments)
    try:
        bags = bags_in(given.bags)
        looker, troubles = find_looker(terminal, without_sandbox=given.no_sandbox)
        for bag in bags:
            look(bag, looker, troubles, terminal)
    except KeyboardInterrupt:
        terminal.complain("\nunseal: stopped. What was looked at is kept; run it again to go on.")
        return ExitCode.INTERRUPTED
    for trouble in troubles:
        terminal.complain(wrapped(trouble))
    return ExitCode.INCOMPLETE if troubles else ExitCode.GOOD


def _clean(arguments: Sequence[str], terminal: Terminal) -> int:
    parser = argparse.ArgumentParser(
        prog="unseal clean",
        description="Makes copies without metadata, for publishing (by mat2, in a sandbox), and says "
        "what was removed and what no program can remove. The originals are not touched.",
    )
    parser.add_argument("bag", type=Path, metavar="BAG")
    parser.add_argument("--into", required=True, type=Path, metavar="DIR", help="where copies go")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="all of the bag's, if none is named"
    )
    parser.add_argument(
        "--no-sandbox", action="store_true", help="run mat2 with all your rights, without walls"
    )
    given = parser.parse_intermixed_args(arguments)
    sandbox, mat2 = find_cleaner(without_sandbox=given.no_sandbox)
    try:
        entries = choose(given.bag, given.files)
        done = Cleaner(given.bag, given.into, sandbox, mat2).clean(entries, terminal)
    except KeyboardInterrupt:
        sandbox.stop()
        terminal.complain(
            "\nunseal: stopped. The copies that were made are kept, without a report."
        )
        return ExitCode.INTERRUPTED
    return ExitCode.REFUSED if any(each.trouble for each in done) else ExitCode.GOOD


def _verify(arguments: Sequence[str], terminal: Terminal) -> int:
    parser = argparse.ArgumentParser(
        prog="unseal verify",
        description="Checks that nothing in a bag has changed since it was made (BagIt, RFC 8493). "
        "One that cannot be checked is named, and the others are checked all the same.",
    )
    parser.add_argument(
        "bags", nargs="+", type=Path, metavar="FOLDER", help="a bag, or a folder of bags"
    )
    return verify(parser.parse_args(arguments).bags, terminal)


COMMANDS: dict[str, Command] = {
    "answer": _answer,
    "clean": _clean,
    "look": _look,
    "verify": _verify,
}
