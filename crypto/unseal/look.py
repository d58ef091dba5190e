"""Write a contact sheet into a bag: `index.html`, which opens offline, and what belongs to it.

It lies outside `data/` and no manifest names it: the bag stays what it was, whoever checks it, and
the sheet can be thrown away and made again. What was seen of a content is kept beside it by hash, so a
run that was stopped goes on, a later one looks only at what is new, and copies are looked at once.
"""

import contextlib
import dataclasses
import json
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from crypto.unseal.content import disk_errors
from crypto.unseal.entries import Entry, read_entries
from crypto.unseal.errors import NotABagError
from crypto.unseal.media import Looker, Seen, may_be_media
from crypto.unseal.sandbox import Sandbox, find_program
from crypto.unseal.sheet import FOLDER, INDEX, THUMBNAILS, Sheet, thumbnail_name
from crypto.unseal.terminal import Progress, Terminal, counted, duration, wrapped

_NOTES = "seen.jsonl"
_MOST_AT_ONCE = 8
_PRIVATE, _PRIVATE_FOLDER = 0o600, 0o700
_DIGEST = re.compile(r"[0-9a-f]{64}(?:[0-9a-f]{64})?")
_KINDS = {"video", "image", "audio", "other"}


class _Looking(Progress):
    """Progress by files: what a decoder needs has little to do with a file's size."""

    def line(self) -> str:
        """Give the one line."""
        said = f"{self.done_files:,} of {self.files:,} files looked at"
        if self.seconds and self.done_files:
            left = self.seconds * (self.files - self.done_files) / self.done_files
            said += f"  about {duration(left)} left"
        return said


def bags_in(given: Sequence[Path]) -> list[Path]:
    """Give the bags that are meant: each folder itself, or those in it. Raises NotABagError."""
    found = []
    for folder in given:
        here = [folder] if _is_bag(folder) else []
        with disk_errors(folder):
            inside = sorted(folder.iterdir()) if folder.is_dir() and not here else []
        here += [path for path in inside if _is_bag(path)]
        if not here:
            raise NotABagError(where=folder, why="neither it nor a folder in it has a bagit.txt")
        found += here
    return found


def _is_bag(folder: Path) -> bool:
    return (folder / "bagit.txt").is_file()


def find_looker(terminal: Terminal, *, without_sandbox: bool) -> tuple[Looker | None, list[str]]:
    """Give what can look on this machine, and what cannot, in sentences."""
    walls = find_program("bwrap")
    programs = [find_program(name) for name in ("ffprobe", "ffmpeg", "exiftool")]
    sandbox = Sandbox(None if without_sandbox else walls, find_program("prlimit") or "prlimit")
    if not without_sandbox and (walls is None or not sandbox.works()):
        return None, [_NO_WALLS if walls is None else _BROKEN_WALLS]
    if without_sandbox:
        terminal.complain(wrapped(_NO_SANDBOX))
    looker = Looker(sandbox, *programs)
    lacks = [words for path, words in zip(programs, _LACKS, strict=True) if path is None and words]
    return looker, lacks


_NO_WALLS = (
    "No thumbnails, lengths and codecs: bubblewrap (bwrap) is not on this machine, and without its "
    "sandbox no decoder is let at files from strangers. To have them: apt install bubblewrap ffmpeg "
    "libimage-exiftool-perl, then unseal look again."
)
_BROKEN_WALLS = (
    "No thumbnails, lengths and codecs: the sandbox (bwrap) does not start on this machine, and "
    "without it no decoder is let at files from strangers. Its administrator may have forbidden "
    "unprivileged user namespaces."
)
_NO_SANDBOX = (
    "WITHOUT A SANDBOX, as you asked: whoever made a file that a decoder stumbles over can do on this "
    "machine what you can do."
)
_NO_FFMPEG = (
    "No thumbnails, lengths and codecs: ffprobe is not on this machine. To have them: "
    "apt install ffmpeg, then unseal look again."
)
_NO_EXIFTOOL = (
    "Times of recording that only exiftool can read are not shown: it is not on this machine. To have "
    "them: apt install libimage-exiftool-perl, then unseal look again."
)
_LACKS = (_NO_FFMPEG, "", _NO_EXIFTOOL)  # ffmpeg comes with ffprobe


@dataclass
class Looked:
    """What is known of each content, and where it is written down."""

    bag: Path
    seen: dict[str, Seen]

    @classmethod
    def load(cls, bag: Path, programs: Sequence[str]) -> "Looked":
        """Read what earlier runs saw, if they had the same programs or more."""
        path = bag / FOLDER / _NOTES
        with disk_errors(path):
            folder = bag / FOLDER
            if folder.is_symlink() or (folder / THUMBNAILS).is_symlink() or path.is_symlink():
                raise NotABagError(where=bag, why=f"its {FOLDER} leads elsewhere")
            (folder / THUMBNAILS).mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            lines = path.read_bytes().splitlines() if path.exists() else []
        return cls(bag, dict(_remembered(bag, lines, set(programs))))

    def add(self, digest: str, seen: Seen, picture: bytes, programs: Sequence[str]) -> None:
        """Write the thumbnail, then the line."""
        if picture:
            write(self.bag / thumbnail_name(digest), picture)
        facts = {"digest": digest, "with": list(programs), "seen": dataclasses.asdict(seen)}
        path = self.bag / FOLDER / _NOTES
        with disk_errors(path):
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, _PRIVATE)
            with os.fdopen(file, "r+b", buffering=0) as opened:
                end = opened.seek(0, os.SEEK_END)
                torn = end and os.pread(file, 1, end - 1) != b"\n"
                opened.write(b"\n" * bool(torn) + json.dumps(facts).encode() + b"\n")
        self.seen[digest] = seen


def _remembered(
    bag: Path, lines: Sequence[bytes], programs: set[str]
) -> Iterator[tuple[str, Seen]]:
    """Give what lines say that are whole, and still true."""
    for line in lines:
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            facts = json.loads(line)
            digest, seen = facts["digest"], Seen(**facts["seen"])
            has_picture = not seen.thumbnail or (bag / thumbnail_name(digest)).is_file()
            is_ours = _DIGEST.fullmatch(digest) and seen.kind in _KINDS and _has_its_types(seen)
            if is_ours and has_picture and programs <= set(facts["with"]):
                yield digest, seen


def _has_its_types(seen: Seen) -> bool:
    pattern = Seen()
    return all(
        isinstance(getattr(seen, f.name), type(getattr(pattern, f.name)))
        or (f.name == "seconds" and isinstance(seen.seconds, int))
        for f in dataclasses.fields(Seen)
    )


def look(bag: Path, looker: Looker | None, troubles: Sequence[str], terminal: Terminal) -> None:
    """Look at what is new in a bag and write its pages. Raises RunError and its children."""
    entries = read_entries(bag)
    programs = looker.programs if looker else []
    looked = Looked.load(bag, programs)
    if looker and looker.ffprobe:
        todo = {e.digest: e for e in entries if e.digest not in looked.seen and _is_worth(e)}
        _look_at(bag, looker, list(todo.values()), looked, terminal)
    for name, text in Sheet(bag.absolute().name, entries, looked.seen, troubles).pages():
        write(bag / name, text.encode())
    kinds = [looked.seen.get(entry.digest, Seen()).kind for entry in entries]
    counts = ", ".join(counted(kinds.count(k), k) for k in ("video", "image") if k in kinds)
    terminal.say(f"{bag / INDEX}: {counted(len(entries), 'file')}{counts and ': ' + counts}")


def _is_worth(entry: Entry) -> bool:
    return entry.what == "file" and entry.size > 0 and may_be_media(entry.place)


def _look_at(
    bag: Path, looker: Looker, todo: Sequence[Entry], looked: Looked, terminal: Terminal
) -> None:
    progress = _Looking(len(todo), 0)
    pool = ThreadPoolExecutor(min(_MOST_AT_ONCE, os.cpu_count() or 1))
    futures: dict[Future[tuple[Seen, bytes]], Entry] = {
        pool.submit(looker.look, bag / entry.place): entry for entry in todo
    }
    try:
        with terminal.showing(progress):
            for future in as_completed(futures):
                looked.add(futures.pop(future).digest, *future.result(), looker.programs)
                progress.done_files += 1
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        looker.sandbox.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def write(path: Path, octets: bytes) -> None:
    """Write a file of the sheet by rename. Raises DiskFullError, DiskError."""
    new = path.with_name(path.name + ".new")
    with disk_errors(path):
        new.unlink(missing_ok=True)
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _PRIVATE)
        with os.fdopen(file, "wb") as opened:
            opened.write(octets)
        new.rename(path)
