"""Copies without metadata, for publishing, by mat2 in the sandbox; the originals are not touched.

Rule 1: a copy gets its name when mat2 has said that it is clean. What mat2 cannot clean has no copy.
Rule 2: what was removed, what is still there, and what no program can remove, is said in words, in
        a report beside the copies and not among them: it must not be published with them.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crypto.unseal.content import disk_errors
from crypto.unseal.entries import Entry, read_entries, shown
from crypto.unseal.look import write
from crypto.unseal.names import Names, safe_path
from crypto.unseal.sandbox import FILE, Limits, Sandbox, find_program
from crypto.unseal.terminal import Progress, Terminal, counted, visible, wrapped
from crypto.unseal.troubles import (
    CleaningInBagError,
    NoMat2Error,
    NotInBagError,
    NoWallsError,
)

_PRIVATE_FOLDER = 0o700
_PRIVATE = 0o600
_STAGING = ".cleaning"
_SECONDS, _MEMORY, _WORDS = 1800, 4 << 30, 1 << 20
_GROWS = 64 << 20  # octets that a copy may be larger
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}")
_FIELD = re.compile(r" +([^:]{1,80}): (.*)")
_MOST_FIELDS = 200
_TIME = 946_684_800  # 2000-01-01: the copies' times say nothing
# mat2 would take the name of our file for its kind, and clean in place; so it gets a copy to clean.
# Given to `sh -c` behind it: the file, its ending, mat2.
_SCRIPT = """set -e
cp -- "$1" "/out/copy$2"
"$3" --show "/out/copy$2" >/out/before
"$3" --inplace "/out/copy$2" >/out/said
"$3" --show "/out/copy$2" >/out/after
"""
_CANNOT = (
    "No program can take out what can be seen and heard: faces, bodies, gait, tattoos, voices, screens, "
    "papers, number plates, a view from a window, a time or a camera's number written into the picture, "
    "the sound of a place. Look at and listen to each copy to its end, and blur or cut, before you "
    "publish it. The names of files and folders are kept: rename them if they tell something. Who has "
    "the same film can tell from its pictures alone that it is the one, and with it perhaps from "
    "which camera, and when. Do not publish the report."
)


@dataclass
class Cleaned:
    """What became of one file: its copy's name and hash, and which fields mat2 showed; or why not.

    `replaced` have another value now, one that such a file has to have; `left` have the same.
    """

    entry: Entry
    name: str = ""
    copy: str = ""
    removed: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    trouble: str = ""


def find_cleaner(*, without_sandbox: bool) -> tuple[Sandbox, str]:
    """Give the sandbox, and where mat2 is. Raises NoMat2Error, NoWallsError."""
    mat2, walls = find_program("mat2"), find_program("bwrap")
    if mat2 is None:
        raise NoMat2Error
    sandbox = Sandbox(None if without_sandbox else walls, find_program("prlimit") or "prlimit")
    if not without_sandbox and (walls is None or not sandbox.works()):
        raise NoWallsError
    return sandbox, mat2


def choose(bag: Path, wanted: Sequence[str]) -> list[Entry]:
    """Give the files that are meant, all if none is named. Raises NotABagError, NotInBagError."""
    entries = read_entries(bag)
    if not wanted:
        return [entry for entry in entries if entry.what == "file"]
    known = {entry.place: entry for entry in entries}
    chosen = []
    for name in wanted:
        places = [name.removeprefix("./"), f"data/files/{name}", _below(bag, Path(name))]
        found = next((known[place] for place in places if place in known), None)
        if found is None:
            raise NotInBagError(name=name, where=bag)
        chosen.append(found)
    return chosen


def _below(bag: Path, path: Path) -> str:
    whole, home = path.absolute(), bag.absolute()
    return whole.relative_to(home).as_posix() if whole.is_relative_to(home) else ""


@dataclass
class Cleaner:
    """Cleans files of one bag into `folder`; its report lies beside that."""

    bag: Path
    into: Path
    sandbox: Sandbox
    mat2: str
    _names: Names = field(default_factory=Names)

    @property
    def folder(self) -> Path:
        """Give where the copies go."""
        return self.into / self.bag.absolute().name

    @property
    def report(self) -> Path:
        """Give where the report goes: not among the copies."""
        return self.into / f"{self.bag.absolute().name}-cleaned.txt"

    def clean(self, entries: Sequence[Entry], terminal: Terminal) -> list[Cleaned]:
        """Make the copies, write the report, and say how it went. Raises RunError and its children."""
        if self.into.resolve().is_relative_to(self.bag.resolve()):
            raise CleaningInBagError(where=self.into, bag=self.bag)
        progress = Progress(len(entries), sum(entry.size for entry in entries))
        done = []
        with terminal.showing(progress):
            for entry in entries:
                done.append(self._clean_one(entry))
                progress.add(entry.size)
                progress.done_files += 1
        with disk_errors(self.into):
            self.into.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        write(self.report, as_text(self.bag.absolute().name, done).encode())
        self._tell(done, terminal)
        return done

    def _clean_one(self, entry: Entry) -> Cleaned:
        staging = self.into / _STAGING
        place = entry.place.removeprefix("data/files/").removeprefix("data/")
        target = self.folder / self._names.choose(safe_path(place))
        ending = Path(entry.place).suffix
        ending = ending.lower() if _ENDING.fullmatch(ending) else ""
        with disk_errors(self.into):
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(mode=_PRIVATE_FOLDER, parents=True)
            try:
                if not self._run(entry, ending, staging):
                    return Cleaned(entry, trouble=_why_not(staging))
                return self._publish(entry, staging / f"copy{ending}", target)
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    def _run(self, entry: Entry, ending: str, staging: Path) -> bool:
        limits = Limits(_SECONDS, _MEMORY, _WORDS, entry.size * 2 + _GROWS)
        script = _SCRIPT if self.sandbox.walls else _SCRIPT.replace("/out/", "./")
        command = ["/usr/bin/sh", "-c", script, "clean", FILE, ending, self.mat2]
        if not self.sandbox.walls:
            command = ["/usr/bin/env", "-C", str(staging), *command]
        out = self.sandbox.run(
            command, self.bag / entry.place, limits, ending=ending, writable=staging
        )
        copy = staging / f"copy{ending}"
        # Somebody inside could have put a link there.
        return out is not None and copy.is_file() and not copy.is_symlink()

    def _publish(self, entry: Entry, copy: Path, target: Path) -> Cleaned:
        before, after = (_fields(copy.with_name(name)) for name in ("before", "after"))
        copy.chmod(_PRIVATE)
        os.utime(copy, (_TIME, _TIME))
        with copy.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        target.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        copy.rename(target)
        return Cleaned(
            entry,
            target.relative_to(self.into).as_posix(),
            digest,
            [name for name in before if name not in after],
            [name for name in after if before.get(name) != after[name]],
            [name for name in after if before.get(name) == after[name]],
        )

    def _tell(self, done: Sequence[Cleaned], terminal: Terminal) -> None:
        made = [each for each in done if not each.trouble]
        terminal.say(f"{self.folder}: {counted(len(made), 'copy').replace('copys', 'copies')}")
        for each in done:
            if each.trouble:
                terminal.complain(f"  NO COPY  {visible(each.entry.place)}: {each.trouble}")
        terminal.say(f"What was removed from each: {self.report}")
        terminal.say(wrapped(_CANNOT))


def _why_not(staging: Path) -> str:
    """Tell how far it came; the programs' own words may hold anything."""
    if not (staging / "said").is_file():
        return "mat2 does not know this kind of file, or could not read it"
    return "mat2 could not clean it; publish nothing of it that was not made anew"


def _fields(path: Path) -> dict[str, str]:
    """Give the fields that mat2 showed, in their order."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _WORDS:
        return {}
    lines = path.read_text(errors="replace").splitlines()
    found = [match for match in map(_FIELD.fullmatch, lines) if match]
    return {shown(match[1]): match[2] for match in found[:_MOST_FIELDS]}


def as_text(bag: str, done: Sequence[Cleaned]) -> str:
    """Give the report."""
    lines = [f"COPIES WITHOUT METADATA of {bag}, by mat2. The originals were not touched.", ""]
    lines += [wrapped(_CANNOT), ""]
    for each in done:
        lines.append(shown(each.entry.place))
        if each.trouble:
            lines += [f"    NO COPY: {each.trouble}", ""]
            continue
        lines.append(f"    copy:                  {shown(each.name)}")
        lines.append(f"    hash of the original:  {each.entry.digest}")
        lines.append(f"    SHA-256 of the copy:   {each.copy}")
        lines.append(f"    removed:               {', '.join(each.removed) or 'nothing was found'}")
        if each.replaced:
            lines.append(f"    of no more meaning:    {', '.join(each.replaced)}")
        if each.left:
            lines.append(f"    as it was:             {', '.join(each.left)}")
        lines.append("")
    return "\n".join(lines)
