"""`nightferry backup`, `nightferry restore`."""

import argparse
import datetime as dt
import secrets
import sys
from pathlib import Path

from deploy.backup import state
from deploy.backup.checking import check
from deploy.backup.making import Made, Making
from deploy.backup.place import STATE, Place, Snapshot
from deploy.backup.reconciling import Reconciled, reconcile
from deploy.backup.restoring import Restored, Restoring
from deploy.backup.service import find_service
from deploy.errors import DeployError
from deploy.host import Host
from deploy.places import BACKUPS, SETTINGS, TOR_DATA
from deploy.settings import load_host_settings
from submit.app import World

_KEEP = 14
_EVERYTHING_IS_WELL, _SOMETHING_TO_TELL = 0, 2

_DISK = (
    "{reason}{path}. What is copied stays and is not copied again: make room or mend the disk, then "
    "run the command again."
)
_WITHOUT_FILE = (
    "uploads that the database knows and that have no file here any more: {count}. Unless they were "
    "just deleted, nightferry doctor names them"
)
_FORGOTTEN = (
    "removed from the backups: {count} sealed files that the service has deleted and no backup that "
    "is kept speaks of any more"
)
_DIFFERING = (
    "LOOK: these are not as long any more as when they were copied, which nothing but a fault "
    "explains; the copies stay: {uploads}"
)
_NO_SNAPSHOT = "{folder}: there is no {what} there. Nothing was changed."
_ASK = """\
What is not a sealed file is sealed to the recipients in this backup. Take this file to the machine
on which the secret key is, and that is never online:
  {path}
There, run:
  gpg --show-session-key --decrypt state.tar.gpg > /dev/null
It prints a line: session key: '9:…' and 64 letters and digits. They open this one file and nothing
else. Type them here.
Session key: """
_NO_ONE_THERE = "nobody typed a session key. Nothing was changed."
_ACTIVE = (
    "the service is running on this host. Nothing was changed. Stop it first: "
    "systemctl stop nightferry.target"
)


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `backup` and `restore`."""
    _add_backup(commands)
    _add_restore(commands)


def _add_backup(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = "copy what has arrived, while the service runs; what is copied is not copied again"
    parser = commands.add_parser("backup", help=words, description=words)
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="default: as host.toml says")
    parser.add_argument("--verify", action="store_true", help="read the backups there back instead")
    parser.add_argument("--keep", type=_count, default=_KEEP, help=f"backups; default {_KEEP}")
    parser.add_argument("--config", type=Path, default=SETTINGS, help="the service's settings")
    parser.add_argument("--onion", type=Path, default=TOR_DATA, help="the onion services' folder")
    parser.set_defaults(command=run_backup)


def _add_restore(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = "put the service back as a backup has it, on a host that has none"
    parser = commands.add_parser("restore", help=words, description=words)
    parser.add_argument("folder", type=Path, metavar="FROM", help="the folder of the backups")
    parser.add_argument("--snapshot", help="a name from FROM/snapshots; default: the newest")
    parser.add_argument(
        "--into", type=Path, default=Path("/"), metavar="ROOT", help="below this folder; default /"
    )
    parser.add_argument(
        "--without-onions",
        action="store_true",
        help="leave the addresses and settings of this host as they are: the old host was taken",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--gnupghome", type=Path, metavar="HOME", help="where the recipient's secret key is"
    )
    how.add_argument(
        "--session-key", type=Path, metavar="FILE", help="the session key, instead of asking"
    )
    parser.set_defaults(command=run_restore)


def run_backup(options: argparse.Namespace) -> int:
    """Make a backup, or read all of them back; 2 if there is something to see to."""
    place = Place(_where(options))
    try:
        return _verify(place) if options.verify else _back_up(options, place)
    except OSError as error:
        raise DeployError(_in_words(error)) from None


def run_restore(options: argparse.Namespace) -> int:
    """Restore a service; 2 if there is something to see to."""
    host, place = Host(options.into.absolute()), Place(options.folder.absolute())
    snapshot = _choose(place, options.snapshot)
    _require_stopped(host)
    print(f"restoring the backup {snapshot.name} of {place.folder}", flush=True)
    try:
        files = _open_state(options, place, snapshot)
        with_onions = not options.without_onions
        restored = Restoring(host, place, snapshot, files).run(_say, with_onions=with_onions)
        return _report(restored, reconcile(restored.database, restored.uploads))
    except OSError as error:
        raise DeployError(_in_words(error)) from None


# --- backup


def _where(options: argparse.Namespace) -> Path:
    if options.to is not None:
        given: Path = options.to.absolute()
        return given
    return Path(load_host_settings(Host()).backup_to or BACKUPS)


def _back_up(options: argparse.Namespace, place: Place) -> int:
    service = find_service(options.config, options.onion.absolute())
    place.make()
    with place.locked():
        made = Making(service, place, _today(), _say).run(options.keep)
    print(
        f"backup {made.name} in {place.folder}: {made.files} sealed files, {_size(made.octets)}; "
        f"new of it: {_size(made.written)}"
    )
    words = list(_remarks(made, same_disk=_same_disk(service.settings.data, place.folder)))
    for each in words:
        print(each)
    return _SOMETHING_TO_TELL if made.differing else _EVERYTHING_IS_WELL


def _remarks(made: Made, *, same_disk: bool) -> list[str]:
    said = [
        (made.unfinished, f"unfinished uploads in it, as far as they were: {made.unfinished}"),
        (made.without_row, f"files that the database does not know (yet): {len(made.without_row)}"),
        (made.without_file, _WITHOUT_FILE.format(count=len(made.without_file))),
        (made.removed_meanwhile, f"removed while it was made: {made.removed_meanwhile}"),
        (not made.onions, "no onion keys are in it: there are none here. The address is not saved"),
        (made.forgotten, _FORGOTTEN.format(count=len(made.forgotten))),
        (made.differing, _DIFFERING.format(uploads=", ".join(made.differing))),
        (same_disk, "this is the disk of the uploads itself: when it dies, the backup dies too"),
    ]
    return [words for holds, words in said if holds]


def _verify(place: Place) -> int:
    checked = check(place)
    if not checked.snapshots and not checked.wrong:
        raise DeployError(_NO_SNAPSHOT.format(folder=place.folder, what="backup"))
    print(f"read back: {checked.snapshots} backups, {checked.files} files, {_size(checked.octets)}")
    for words in checked.wrong:
        print(f"DAMAGED  {words}")
    if checked.wrong:
        print(
            "Nothing was changed. Copy what the service still has anew: move the damaged file away, "
            "then run: nightferry backup"
        )
        return _SOMETHING_TO_TELL
    print("every octet is what it was when it was copied")
    return _EVERYTHING_IS_WELL


# --- restore


def _choose(place: Place, name: str | None) -> Snapshot:
    names = place.names()
    if not names or (name is not None and name not in names):
        what = f"backup {name}" if name else "backup"
        raise DeployError(_NO_SNAPSHOT.format(folder=place.folder, what=what))
    return place.read(name or names[-1])


def _require_stopped(host: Host) -> None:
    if host.root == Path("/"):
        asked = host.run("systemctl", "is-active", "nightferry-source.service")
        if asked.code == 0:
            raise DeployError(_ACTIVE)


def _open_state(options: argparse.Namespace, place: Place, snapshot: Snapshot) -> dict[str, bytes]:
    path = place.snapshots / snapshot.name / STATE
    if options.gnupghome is not None:
        return state.open_by_home(path, options.gnupghome.absolute())
    session_key = _session_key(options, path)
    # In memory: the backup may be on a disk that can only be read.
    home = Path("/dev/shm") / f"nightferry-{secrets.token_hex(8)}"  # noqa: S108 # 0700, at random
    home.mkdir(mode=0o700)
    try:
        return state.open_by_key(path, session_key, home)
    finally:
        home.rmdir()


def _session_key(options: argparse.Namespace, path: Path) -> str:
    if options.session_key is not None:
        given: str = options.session_key.read_text("ascii", "replace")
        return given
    print(_ASK.format(path=path), end="", flush=True)
    typed = sys.stdin.readline()
    if not typed.strip():
        raise DeployError(_NO_ONE_THERE)
    return typed


def _report(restored: Restored, found: Reconciled) -> int:
    print(
        f"restored: {found.sources} sources, {found.complete} complete uploads, "
        f"{found.unfinished} unfinished ones; {restored.files} sealed files, "
        f"{_size(restored.octets)}"
    )
    for words in _surprises(restored, found):
        print(words)
    print(
        "What sources and staff deleted, and what arrived, since that backup was made is not known "
        "here.\nNext: nightferry init (it mends owners and modes), nightferry doctor. The old host "
        "must not run any more: both would have the same address."
    )
    whole = found.fits and not (restored.damaged or restored.missing or restored.left)
    return _EVERYTHING_IS_WELL if whole else _SOMETHING_TO_TELL


def _surprises(restored: Restored, found: Reconciled) -> list[str]:
    damaged = [
        f"DAMAGED   {upload}: is not what was copied into the backup. It is restored as it is: an "
        "unfinished one is cut back to what holds; of a complete one gpg gives all before the damage"
        for upload in restored.damaged
    ]
    rows = [
        f"NO FILE   {upload} ({condition}, of {designation}): the database knows it, the backup has "
        "no file. The row stays; staff can delete it at the desk"
        for upload, condition, designation in found.without_file
    ]
    files = [
        f"NO ROW    {upload}: a sealed file that the database does not know. It stays in "
        f"{restored.uploads}; staff open it with gpg, as any other, or delete it there"
        for upload in found.without_row
    ]
    moved = [f"MOVED     what was there before is now {path}" for path in restored.moved]
    left = [
        f"LEFT      {path}: is another than in the backup and stays as it is"
        for path in restored.left
    ]
    return [*damaged, *rows, *files, *moved, *left]


# --- words


def _in_words(error: OSError) -> str:
    path = f": {error.filename}" if error.filename else ""
    return _DISK.format(reason=error.strerror or "the disk failed", path=path)


def _same_disk(data: Path, folder: Path) -> bool:
    return data.stat().st_dev == folder.stat().st_dev


def _size(octets: int) -> str:
    return f"{octets / 1e9:.1f} GB" if octets >= 10**9 else f"{octets / 1e6:.1f} MB"


def _today() -> dt.date:
    return dt.datetime.fromtimestamp(World().seconds(), dt.UTC).date()


def _say(words: str) -> None:
    print(words, flush=True)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a number from 1")
    return int(text)
