"""Carry replies from the stick to the desk: `unseal answer` wrote them, gpg encrypted them.

A reply reaches its source once: when the connection breaks before the answer comes it is given
again, and the desk knows the same octets again.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from submit.fetch import stick as on_stick
from submit.fetch.errors import RefusedError
from submit.fetch.listing import Source
from submit.fetch.persist import Line
from submit.fetch.stick import Stick, stick_errors
from submit.fetch.terminal import Terminal, plain

_FOLDER = re.compile(r"[a-z]{1,40}(-[a-z]{1,40}){1,3}")
_SENT = "sent"
_SUFFIX = ".asc"
_LONGEST = 1 << 20  # octets; the desk takes less, and says so


@dataclass(frozen=True, slots=True)
class Replies:
    """The replies on a stick."""

    stick: Stick
    terminal: Terminal

    def waiting(self) -> list[Path]:
        """Give the files of the replies that were not carried yet. Raises StickError."""
        with stick_errors():
            return sorted(self._waiting())

    def carry(self, sources: Mapping[str, Source], line: Line) -> tuple[int, int]:
        """Carry all; `sources` by folder. Give how many were carried, and how many stay."""
        waiting = self.waiting()
        carried = sum(self._carry(path, sources.get(path.parent.name), line) for path in waiting)
        return carried, len(waiting) - carried

    def _waiting(self) -> Iterator[Path]:
        if not self.stick.replies.is_dir():
            return
        for folder in self.stick.replies.iterdir():
            if _FOLDER.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink():
                for path in folder.iterdir():
                    if path.suffix == _SUFFIX and path.is_file() and not path.is_symlink():
                        yield path

    def _carry(self, path: Path, source: Source | None, line: Line) -> bool:
        if source is None:
            return self._stays(path, "the desk has no source of this designation.")
        if (on_stick.size_of(path) or 0) > _LONGEST:
            return self._stays(path, "it is too long for a reply.")
        try:
            message = b"".join(on_stick.blocks_of(path)).decode("ascii")
        except UnicodeDecodeError:
            return self._stays(path, "it is no armored OpenPGP message (gpg --armor).")
        try:
            line.inside(lambda desk: desk.reply(source.id, message))
        except RefusedError as refused:
            return self._stays(path, str(refused))
        self._put_away(path)
        return True

    def _stays(self, path: Path, why: str) -> bool:
        name = plain(f"{path.parent.name}/{path.name}")
        self.terminal.complain(f"the reply {name} was not carried and stays on the stick: {why}")
        return False

    def _put_away(self, path: Path) -> None:
        folder = self.stick.replies / _SENT / path.parent.name
        with stick_errors():
            on_stick.make_folder(folder)
            target, number = folder / path.name, 1
            while target.exists():
                number += 1
                target = folder / f"{path.stem} ({number}){_SUFFIX}"
        on_stick.publish(path, target)
