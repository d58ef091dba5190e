"""One run: find, open, place, join, close; and say at the end how it went.

Two files are opened at a time, because GnuPG's start takes longer than a small file; but they get
their names in one order, so that a run that was interrupted ends in the same bags.
"""

import contextlib
import shutil
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from crypto.unseal import bag as bags
from crypto.unseal import parts
from crypto.unseal.carried import Carried, read_indexes
from crypto.unseal.errors import RunError, SealedFileError, TooSmallError
from crypto.unseal.gnupg import GnuPG
from crypto.unseal.opening import Opened, Opener
from crypto.unseal.sealed import SealedFile
from crypto.unseal.shelf import CERTIFICATES, MESSAGE, Shelf
from crypto.unseal.signing import SIGNATURE, Signer
from crypto.unseal.stick import find, once
from crypto.unseal.terminal import Progress, Terminal, amount, counted, visible, wrapped

_AT_ONCE = 2
_WAITING = 32  # results that may wait for a large file before them
_MOST_LOST = 20  # that are named
_ROOM = 16 << 20  # octets: for manifests and reports


_MISSING = (
    "MISSING",
    (
        "The desk had them and fetch put them on this stick, where they are not any more. All else was "
        "opened. Fetch them again; if they are gone from the desk, too, tell your sysadmin."
    ),
)
_DIFFERING = (
    "NOT WHAT WAS FETCHED",
    (
        "They were opened and are whole in themselves, but they are not the octets that fetch verified: "
        "somebody or something has put others in their place. Keep the stick apart, fetch them again into "
        "another folder, and compare."
    ),
)
_LOST = (
    "These were opened before and are not here as they were: deleted, changed, or lost when the power "
    "went. Run unseal again with the stick that had them."
)
_UNREADABLE = (
    "This list of what was fetched cannot be read, so nobody can say whether something is missing. "
    "Each file that was opened was verified by itself."
)


class ExitCode(IntEnum):
    """How the program ends; `unseal --help` lists them."""

    GOOD = 0
    REFUSED = 1
    USAGE = 2
    INCOMPLETE = 3
    STOPPED = 4
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    given: tuple[Path, ...]
    into: Path
    sign: str | None = None
    salvage: bool = False


@dataclass
class Outcome:
    """What a run has done."""

    opened: int = 0
    before: int = 0
    refused: list[tuple[SealedFile, SealedFileError]] = field(default_factory=list)
    needless: int = 0
    incomplete: int = 0

    @property
    def code(self) -> ExitCode:
        """Give the exit code."""
        if self.refused:
            return ExitCode.REFUSED
        return ExitCode.INCOMPLETE if self.incomplete else ExitCode.GOOD


def run(options: Options, gnupg: GnuPG, terminal: Terminal) -> ExitCode:
    """Open everything, and say how it went. Raises RunError."""
    found = once(find(options.given))
    shelf = Shelf(options.into)
    with shelf.held():
        shelf.clear_staging()
        todo = [sealed for sealed in found if not shelf.has(sealed)]
        outcome = Outcome(before=len(found) - len(todo))
        _require_room(shelf, todo)
        try:
            _open_all(options, gnupg, shelf, todo, outcome, terminal)
        finally:
            shelf.clear_staging()
            _complain_of(outcome, terminal)
        _close_all(shelf, Signer(gnupg, options.sign) if options.sign else None, terminal)
        _sum_up(shelf, outcome, terminal)
        _compare(read_indexes(options.given), found, shelf, outcome, terminal)
    return outcome.code


def _require_room(shelf: Shelf, todo: list[SealedFile]) -> None:
    need = sum(sealed.size for sealed in todo) + (_ROOM if todo else 0)
    free = shutil.disk_usage(shelf.into).free
    if need > free:
        raise TooSmallError(where=shelf.into, need=amount(need), free=amount(free))


def _open_all(
    options: Options,
    gnupg: GnuPG,
    shelf: Shelf,
    todo: list[SealedFile],
    outcome: Outcome,
    terminal: Terminal,
) -> None:
    progress = Progress(len(todo), sum(sealed.size for sealed in todo))
    opener = Opener(gnupg, shelf.staging, progress.add, salvage_damaged=options.salvage)
    results = _opened(opener, todo, progress.stop)
    with terminal.showing(progress), contextlib.closing(results):
        for sealed, result in results:
            progress.done_files += 1
            if isinstance(result, SealedFileError):
                outcome.refused.append((sealed, result))
            else:
                _place(shelf, result, outcome)


def _place(shelf: Shelf, result: Opened, outcome: Outcome) -> None:
    try:
        if shelf.place(result):
            outcome.opened += 1
        else:
            outcome.needless += 1
    except SealedFileError as refused:
        outcome.refused.append((result.sealed, refused))


def _opened(
    opener: Opener, todo: Iterable[SealedFile], stop: Callable[[], None]
) -> Generator[tuple[SealedFile, Opened | SealedFileError], None, None]:
    """Open files, two at a time, and give the results in order; call `stop` if it is not to go on.

    The first is opened alone: it may ask for a passphrase, and twice at once would confuse.
    """
    left = iter(todo)
    for first in left:
        result = _result_of(opener, first)
        yield first, result
        if not isinstance(result, SealedFileError):
            break
    waiting: deque[tuple[SealedFile, Future[Opened | SealedFileError]]] = deque()
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for sealed in left:
            waiting.append((sealed, pool.submit(_result_of, opener, sealed)))
            if len(waiting) == _WAITING:
                ready, future = waiting.popleft()
                yield ready, future.result()
        for ready, future in waiting:
            yield ready, future.result()
    except BaseException:
        stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _result_of(opener: Opener, sealed: SealedFile) -> Opened | SealedFileError:
    try:
        return opener.open(sealed)
    except SealedFileError as refused:
        return refused


def _close_all(shelf: Shelf, signer: Signer | None, terminal: Terminal) -> None:
    shelf.remove_left_behind()
    trouble: RunError | None = None
    for bag in shelf.journal.bags():
        try:
            parts.join_all(shelf, bag)
            if not bags.is_closed(shelf, bag, signer):
                terminal.say(f"Writing the manifests of {bag} …")
                bags.close(shelf, bag, signer)
        except RunError as error:
            trouble = trouble or error
    if trouble:
        raise trouble


def _complain_of(outcome: Outcome, terminal: Terminal) -> None:
    alike: dict[str, list[SealedFile]] = defaultdict(list)
    for sealed, refused in outcome.refused:
        alike[str(refused)].append(sealed)
    for words, files in alike.items():
        terminal.complain(f"\nREFUSED: {counted(len(files), 'file')}")
        for sealed in files:
            terminal.complain(f"    {visible(str(sealed.path))}")
        terminal.complain(wrapped(words))


def _compare(
    carried: Carried, found: list[SealedFile], shelf: Shelf, outcome: Outcome, terminal: Terminal
) -> None:
    """Say whether the stick held what `fetch` had put there."""
    items = shelf.journal.items
    there = {sealed.upload for sealed in found} | items.keys()
    # All that was ever opened: an alarm is not silenced by another run.
    opened = {item.upload: item.sealed_sha256 for item in items.values() if not item.is_partial}
    missing, differing = carried.missing(there), carried.differing(opened)
    outcome.incomplete += len(missing) + len(differing)
    for words, uploads in ((_MISSING, missing), (_DIFFERING, differing)):
        if uploads:
            terminal.complain(f"\n{words[0]}: {counted(len(uploads), 'sealed file')}")
            for upload in uploads:
                terminal.complain(f"    {upload}.tar.gpg")
            terminal.complain(wrapped(words[1]))
    for path in carried.unreadable:
        terminal.complain(f"\n{visible(str(path))}")
        terminal.complain(wrapped(_UNREADABLE))
    if carried.digests and not missing and not differing:
        count = counted(len(carried.digests), "sealed file")
        terminal.say(f"All that fetch had put on the stick is here: {count}.")


def _sum_up(shelf: Shelf, outcome: Outcome, terminal: Terminal) -> None:
    terminal.say()
    for bag in shelf.journal.bags():
        _sum_up_bag(shelf, bag, outcome, terminal)
    _complain_of_lost(shelf, outcome, terminal)
    before = f", {outcome.before:,} had been opened before" if outcome.before else ""
    terminal.say(f"{counted(outcome.opened, 'sealed file')} opened and verified{before}.")
    if outcome.needless:
        needless = counted(outcome.needless, "sealed file")
        terminal.say(f"{needless} held no more than what had been opened before: passed over.")
    if outcome.refused:
        refused = counted(len(outcome.refused), "sealed file")
        terminal.say(f"{refused} REFUSED: the reasons are above. Nothing of them was kept.")
    if outcome.opened:
        terminal.say(f"To look through a bag:  unseal look {shelf.into}/BAG")
    if (shelf.into / CERTIFICATES).exists():
        terminal.say(f"To be able to answer:  gpg --import {shelf.into / CERTIFICATES}/*.asc")


def _complain_of_lost(shelf: Shelf, outcome: Outcome, terminal: Terminal) -> None:
    # A whole bag that is not here was taken elsewhere, by people who know it.
    lost = [item for item in shelf.journal.lost.values() if (shelf.into / item.bag).is_dir()]
    outcome.incomplete += len(lost)
    if lost:
        terminal.complain(f"\nNOT HERE: {counted(len(lost), 'file')}")
        for place in sorted(f"{item.bag}/{item.place}" for item in lost)[:_MOST_LOST]:
            terminal.complain(f"    {visible(place)}")
        terminal.complain(wrapped(_LOST))


def _sum_up_bag(shelf: Shelf, bag: str, outcome: Outcome, terminal: Terminal) -> None:
    items = shelf.journal.in_bag(bag)
    terminal.say(f"{shelf.into / bag}")
    messages = sum(item.kind == MESSAGE for item in items)
    files = len({shelf.journal.place_of(item) for item in items}) - messages
    signed = ", report signed" if (shelf.into / bag / SIGNATURE).exists() else ""
    counts = f"{counted(files, 'file')}, {counted(messages, 'message')}"
    terminal.say(f"    {counts}, {amount(sum(item.kept for item in items))}{signed}")
    for item in items:
        if item.is_partial:
            outcome.incomplete += 1
            missing = amount(item.size - item.kept)
            terminal.say(f"    PARTIAL  {visible(item.place)}: {missing} missing at the end")
    for each in parts.sets_in(shelf, bag):
        outcome.incomplete += bool(each.missing)
        terminal.say(f"    {visible(each.path)}: {each.words()}")
    terminal.say()
