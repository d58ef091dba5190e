"""`nightferry backup`, `nightferry restore`."""

import argparse
import datetime as dt
import secrets
import shutil
import sys
from pathlib import Path

from deploy.backup import state, told
from deploy.backup.checking import check
from deploy.backup.making import Making
from deploy.backup.place import STATE, Place, Snapshot
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
_NO_SNAPSHOT = "{folder}: there is no {what} there. Nothing was changed."
_NOT_BEGUN = (
    "{folder}: no backups of this host are there. Is the disk mounted? Nothing was copied, because "
    "without it they would go onto this host's own disk. If this is where they are to begin: "
    "nightferry backup --to {folder}"
)
_ASK = """\
What is not a sealed file is sealed to the recipients in this backup. Take this file to the machine
on which the secret key is, and that is never online:
  {path}
There, run:
  gpg --show-session-key --decrypt state.tar.gpg > /dev/null
It prints a line: session key: '9.2:…' with 64 letters and digits. They open this one file and nothing
else. Type them here.
Session key: """
_NO_ONE_THERE = "nobody typed a session key. Nothing was changed."
_UNITS = (
    "nightferry-source.socket",
    "nightferry-desk.socket",
    "nightferry-source.service",
    "nightferry-desk.service",
    "nightferry-tor.service",
    "nightferry-daily.service",
)
_STOPPED = {"inactive", "failed", "unknown", ""}
_ACTIVE = (
    "{unit} is {word} on this host. Nothing was changed. Stop all of the service first: "
    "systemctl stop nightferry.target nightferry-daily.service"
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
    require_stopped(host)
    print(f"restoring the backup {snapshot.name} of {place.folder}", flush=True)
    try:
        files = _open_state(options, place, snapshot)
        with_onions = not options.without_onions
        restored = Restoring(host, place, snapshot, files).run(_say, with_onions=with_onions)
        return _report(restored)
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
    if options.to is None and place.folder != BACKUPS and not place.is_begun:
        raise DeployError(_NOT_BEGUN.format(folder=place.folder))
    place.make()
    with place.locked():
        made = Making(service, place, _today(), _say).run(options.keep)
    print(
        f"backup {made.name} in {place.folder}: {made.files} sealed files, {told.size(made.octets)}; "
        f"new of it: {told.size(made.written)}"
    )
    same_disk = service.settings.data.stat().st_dev == place.folder.stat().st_dev
    for words in told.of_backup(made, same_disk=same_disk):
        print(words)
    return _SOMETHING_TO_TELL if made.differing or made.odd else _EVERYTHING_IS_WELL


def _verify(place: Place) -> int:
    checked = check(place)
    if not checked.snapshots and not checked.wrong:
        raise DeployError(_NO_SNAPSHOT.format(folder=place.folder, what="backup"))
    print(
        f"read back: {checked.snapshots} backups, {checked.files} files, {told.size(checked.octets)}"
    )
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


def require_stopped(host: Host) -> None:
    """Refuse (DeployError) a host on which a part of the service runs, or can be woken."""
    if host.root == Path("/"):
        for unit in _UNITS:
            # The exit status is 0 for "active" alone; what starts or ends is at work as well.
            word = host.run("systemctl", "is-active", unit).said.strip()
            if word not in _STOPPED:
                raise DeployError(_ACTIVE.format(unit=unit, word=word))


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
        # Whatever a GnuPG leaves there must not hide what is to be said.
        shutil.rmtree(home, ignore_errors=True)


def _session_key(options: argparse.Namespace, path: Path) -> str:
    if options.session_key is not None:
        given: str = options.session_key.read_text("ascii", "replace")
        return given
    print(_ASK.format(path=path), end="", flush=True)
    typed = sys.stdin.readline()
    if not typed.strip():
        raise DeployError(_NO_ONE_THERE)
    return typed


def _report(restored: Restored) -> int:
    for words in told.of_restore(restored, restored.found):
        print(words)
    whole = restored.found.fits and not (restored.damaged or restored.missing or restored.left)
    return _EVERYTHING_IS_WELL if whole else _SOMETHING_TO_TELL


# --- words


def _in_words(error: OSError) -> str:
    path = f": {error.filename}" if error.filename else ""
    return _DISK.format(reason=error.strerror or "the disk failed", path=path)


def _today() -> dt.date:
    return dt.datetime.fromtimestamp(World().seconds(), dt.UTC).date()


def _say(words: str) -> None:
    print(words, flush=True)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a number from 1")
    return int(text)
