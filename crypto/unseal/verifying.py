"""`unseal verify`: which bags are meant, what is said of each, and of all of them at the end."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from crypto.unseal.content import disk_errors
from crypto.unseal.errors import NotABagError
from crypto.unseal.run import ExitCode
from crypto.unseal.terminal import Progress, Terminal, amount, visible, wrapped
from crypto.unseal.verify import check

_MOST_FAULTS = 50


def verify(given: Sequence[Path], terminal: Terminal) -> ExitCode:
    """Check bags, or folders of bags; one that cannot be checked keeps no other from it."""
    bags = [bag for folder in given for bag in _bags(folder)]
    ended = [_verify(bag, terminal) for bag in bags]
    if len(bags) > 1:
        good, changed = ended.count(ExitCode.GOOD), ended.count(ExitCode.REFUSED)
        terminal.say(
            f"{len(bags):,} folders: {good:,} as they were, {changed:,} changed, "
            f"{len(bags) - good - changed:,} could not be checked."
        )
    # What has changed weighs more than what nobody could look at.
    return next((code for code in (ExitCode.REFUSED, ExitCode.STOPPED) if code in ended), ended[0])


def _bags(folder: Path) -> list[Path]:
    """Give the bag that a folder is, or those in it; itself if there is none, to be told so."""
    if _was_bag(folder):
        return [folder]
    with disk_errors(folder):
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in inside if _was_bag(path)] or [folder]


def _was_bag(folder: Path) -> bool:
    # A bag whose declaration somebody took away is not to be passed over in silence.
    return any((folder / name).exists() for name in ("bagit.txt", "data", "manifest-sha256.txt"))


def _verify(bag: Path, terminal: Terminal) -> ExitCode:
    name = visible(str(bag))
    progress = Progress(1, _octets(bag))
    try:
        with terminal.showing(progress):
            checked = check(bag, progress.add)
    except NotABagError as trouble:
        terminal.complain(f"unseal:\n{wrapped(str(trouble))}")
        return ExitCode.STOPPED
    for fault in checked.faults[:_MOST_FAULTS]:
        terminal.complain(f"  {visible(fault)}")
    if checked.faults:
        terminal.complain(f"{name}: NOT what it was: {len(checked.faults):,} faults.")
        return ExitCode.REFUSED
    terminal.say(f"{name}: nothing has changed. {checked.files:,} files, {amount(checked.octets)}.")
    if checked.is_signed:
        terminal.say(f"Who signed it:  gpg --verify {name}/custody.txt.asc {name}/custody.txt")
    return ExitCode.GOOD


def _octets(bag: Path) -> int:
    def sizes() -> Iterator[int]:
        for path in bag.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path.stat().st_size

    with disk_errors(bag):
        return sum(sizes())
