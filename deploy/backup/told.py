"""What a sysadmin is told of a backup and of a restore: a sentence for each thing to know."""

from deploy.backup.making import Made
from deploy.backup.reconciling import Reconciled
from deploy.backup.restoring import Restored

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
_ODD = (
    "LOOK: these are not in the backup, because the service makes no such thing: no regular files, or "
    "names that no upload has. Whoever put them there can write to its folder: {names}"
)
_AFTER = """\
What sources and staff deleted, and what arrived, since that backup was made is not known here.
Next: nightferry init (it mends owners and modes), nightferry doctor. The old host must not run any
more: both would have the same address."""


def of_backup(made: Made, *, same_disk: bool) -> list[str]:
    """Say what is in a backup besides what was asked for; `same_disk`: as the uploads."""
    said = [
        (made.unfinished, f"unfinished uploads in it, as far as they were: {made.unfinished}"),
        (made.without_row, f"files that the database does not know (yet): {len(made.without_row)}"),
        (made.without_file, _WITHOUT_FILE.format(count=len(made.without_file))),
        (made.removed_meanwhile, f"removed while it was made: {made.removed_meanwhile}"),
        (not made.onions, "no onion keys are in it: there are none here. The address is not saved"),
        (made.forgotten, _FORGOTTEN.format(count=len(made.forgotten))),
        (made.differing, _DIFFERING.format(uploads=", ".join(made.differing))),
        (made.odd, _ODD.format(names=", ".join(map(ascii, made.odd)))),
        (same_disk, "this is the disk of the uploads itself: when it dies, the backup dies too"),
    ]
    return [words for holds, words in said if holds]


def of_restore(restored: Restored, found: Reconciled) -> list[str]:
    """Say what is back, what does not fit together, and what comes next."""
    back = (
        f"restored: {found.sources} sources, {found.complete} complete uploads, "
        f"{found.unfinished} unfinished ones; {restored.files} sealed files, "
        f"{size(restored.octets)}"
    )
    return [back, *_surprises(restored, found), _AFTER]


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


def size(octets: int) -> str:
    """Give a number of octets as a person says it."""
    return f"{octets / 1e9:.1f} GB" if octets >= 10**9 else f"{octets / 1e6:.1f} MB"
