"""Bringing the database to a new version's form, and back if that fails.

    python -m deploy.backup.upgrading --config FILE      what the package runs when it is upgraded

The service may go on meanwhile. The migration is one transaction, so whoever kills it, or the power
that fails, leaves the database as it was. The copy that is made before is for what nobody thought of. It
goes as soon as the database was looked through: what a source has sent to its end is to be open to the
recipients alone, and an old copy still holds the wrapped key.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from config.errors import SettingsError
from config.settings import load
from deploy.backup.database import copy_aside, drop_copy, is_sound, put_back, revision, sqlite_path
from deploy.errors import DeployError
from submit.store.database import Database, migrate
from submit.store.errors import WrongRevisionError

_KEPT = (
    "the database could not be brought to this version's form: {reason}. It is as it was before; "
    "nothing is lost. A service that runs goes on with it, but cannot be started anew with this "
    "version. Install the version from before, then tell whoever maintains this program."
)
_NONE = (
    "there is no database at {path}, or an empty one, and none was made: if the disk of the data is not mounted, a new "
    "one would hide the old. Mount it, then: dpkg --configure nightferry. If this host has never had one: "
    "nightferry migrate, then the same."
)
_UNSOUND = (
    "{path} is damaged: SQLite cannot read it. Nothing was changed, and the sealed files are not "
    "touched by that. A service that runs should be stopped: systemctl stop nightferry.target. Then "
    "take the newest database from a backup: nightferry restore"
)
_PUT_BACK = (
    "the database did not come out sound from being brought to this version's form ({reason}). It "
    "was put back as it was when that began. Sealed files that arrived in between are kept; "
    "'nightferry doctor' names them. Install the version from before."
)


class UpgradeError(DeployError):
    """The database has its old form; the words say how that came."""


def upgrade(url: str) -> None:
    """Bring a database to this version's form.

    Raises UpgradeError: then the database is as it was.
    """
    path = sqlite_path(url)
    if not path.exists():
        raise UpgradeError(_NONE.format(path=path))
    if not is_sound(path):
        raise UpgradeError(_UNSOUND.format(path=path))
    if revision(path) is None:
        raise UpgradeError(_NONE.format(path=path))
    if not _is_current(url):
        _change(url, path, copy_aside(path))
    drop_copy(path)


def _change(url: str, path: Path, copy: Path) -> None:
    before, reason = revision(path), _try(url)
    if reason is None and is_sound(path) and _is_current(url):
        return
    if revision(path) == before and is_sound(path):
        drop_copy(path)
        raise UpgradeError(_KEPT.format(reason=reason or "it has changed nothing"))
    put_back(path, copy)
    drop_copy(path)
    raise UpgradeError(_PUT_BACK.format(reason=reason or "no error was reported"))


def main(arguments: Sequence[str]) -> int:
    """Upgrade the database that the settings name; 1, with words, if it has its old form still."""
    parser = argparse.ArgumentParser(prog="deploy.backup.upgrading")
    parser.add_argument("--config", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        upgrade(load(options.config).database)
    except (DeployError, SettingsError) as error:
        print(f"nightferry: {error}", file=sys.stderr)
        return 1
    print("nightferry: the database is at this version's form")
    return 0


def _try(url: str) -> str | None:
    """Migrate; give the reason if it failed. A migration may raise anything."""
    try:
        migrate(url)
    except Exception as error:  # noqa: BLE001 # whatever it is, the database must be looked at
        return type(error).__name__
    return None


def _is_current(url: str) -> bool:
    database = Database(url, 1)
    try:
        database.require_current()
    except WrongRevisionError:
        return False
    finally:
        database.close()
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
