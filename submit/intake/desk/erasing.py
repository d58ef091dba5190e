"""Deleting what a source sent, or all of it: row first, then files, so that a crash is no harm.

A row that is gone takes its files with it at the latest at the next housekeeping. Whoever still
appends to a file that goes is stopped.
"""

from dataclasses import dataclass

from submit.store.files import SealedFiles
from submit.store.records import Sources as SourceRows
from submit.store.records import Uploads as UploadRows

_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Erasing:
    """Erases uploads and sources; durable on return."""

    rows: SourceRows
    uploads: UploadRows
    files: SealedFiles

    def erase_upload(self, upload: str, *, unfinished: bool, unfetched: bool) -> bool:
        """Erase an upload; False if it is what was not meant, see `Uploads.condemn`."""
        if not self.uploads.condemn(upload, unfinished=unfinished, unfetched=unfetched):
            return False
        self._remove(upload)
        return True

    def erase_source(self, locator: bytes) -> None:
        """Erase a source: sessions first, then all files, then all rows."""
        for _ in range(_ATTEMPTS):
            self.rows.bar(locator)
            for upload in self.uploads.condemn_all(locator):
                self._remove(upload)
            # A request that was under way may have added something since.
            if self.rows.remove_empty(locator):
                return
        raise RuntimeError("internal error: a source that is logged out goes on sending")

    def _remove(self, upload: str) -> None:
        self.files.remove(upload)
        self.uploads.remove(upload)
