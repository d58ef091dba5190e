"""Let staff write a text with the editor that they know."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from crypto.unseal.content import disk_errors
from crypto.unseal.errors import DiskError
from crypto.unseal.troubles import (
    EditorFailedError,
    NoEditorError,
    NotTextError,
)

_USUAL = ("sensible-editor", "nano", "vi")
_PRIVATE = 0o600


def written_in(folder: Path) -> str:
    """Give what somebody writes, without blank ends.

    Raises NoEditorError, EditorFailedError, NotTextError, DiskError.
    """
    path = folder / "reply.txt"
    with disk_errors(path):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE))
    editor = _editor()
    try:
        code = subprocess.run([*editor, str(path)], check=False).returncode  # noqa: S603  their own editor
    except OSError:
        raise NoEditorError(editor=editor[0]) from None
    if code:
        raise EditorFailedError(editor=editor[0], code=code)
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError:
        raise NotTextError from None
    except OSError as error:
        raise DiskError(where=path, why=error.strerror) from None


def _editor() -> list[str]:
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if chosen:
        try:
            words = shlex.split(chosen)
        except ValueError:
            raise NoEditorError(editor=chosen) from None
        if words:
            return words
    return [next((name for name in _USUAL if shutil.which(name)), _USUAL[-1])]
