"""Actors: what sources sent, as sealed files on a stick; and staff, who open them with the real program."""

import datetime as dt
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crypto.archive import Entry, encode_head
from crypto.layout import CHUNK, SEALED_CHUNK, Layout
from crypto.seal import ChunkCipher, Plaintext, Sealer, data_header, first_plaintext
from crypto.session_key import NewMessageKeys
from crypto.tail import TailCipher
from tests.unseal.archivist import judge

RECEIVED = dt.date(2026, 3, 1)
MODIFIED = 1_700_000_000_123
SOURCE = "quiet harbour"
TIMEOUT = 900
_IDS = itertools.count(1)
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")  # their order is that of numbers


def new_id() -> str:
    """An upload's id; later ones sort behind earlier ones."""
    return f"{next(_IDS):026x}".translate(_LETTERS)


@dataclass
class Sent:
    """One upload as the service keeps it: its id, and what a source's program said of it."""

    keys: NewMessageKeys
    content: bytes
    path: str = "clip.mp4"
    source: str = SOURCE
    modified: int | None = MODIFIED
    filetype: str | None = None
    set: str | None = None
    part: int | None = None
    upload: str = field(default_factory=new_id)
    iv: bytes = field(default_factory=lambda: os.urandom(15))

    @property
    def head(self) -> bytes:
        entry = Entry(
            self.path,
            self.modified,
            RECEIVED,
            self.filetype,
            self.upload,
            self.source,
            self.set,
            self.part,
        )
        return encode_head(entry, len(self.content))

    @property
    def layout(self) -> Layout:
        return Layout(len(self.keys.pkesks), len(self.head), len(self.content))

    def whole(self) -> bytes:
        """The sealed file of the complete upload."""
        start, sealer = self._begin()
        return b"".join([start, *sealer.add(self.content), *sealer.end()])

    def until(self, offset: int) -> tuple[bytes, bytes]:
        """Sealed file and tail of the upload when `offset` octets have arrived."""
        start, sealer = self._begin()
        sealed = b"".join([start, *sealer.add(self.content[:offset])])
        layout = self.layout
        index = layout.whole_chunks(len(sealed))
        plain = layout.literal.frame(0, b"b" + bytes(5) + self.head + self.content)
        edge = index * CHUNK
        end = next(at for at in range(edge, edge + CHUNK + 1) if layout.offset_at(at) >= offset)
        pending = Plaintext(bytes(plain[edge:end]))
        return sealed, TailCipher(self.keys.session_key).seal(index, pending)

    def _begin(self) -> tuple[bytes, Sealer]:
        cipher = ChunkCipher(self.keys.session_key, self.iv)
        sealer = Sealer(cipher, self.layout, 0, first_plaintext(self.layout, self.head))
        return self.keys.pkesks + data_header(self.layout, self.iv), sealer


@dataclass
class Stick:
    """A folder of sealed files."""

    folder: Path
    keys: NewMessageKeys

    def receive(
        self, content: bytes = b"a testimony", path: str = "clip.mp4", **facts: object
    ) -> Sent:
        """Put a complete upload on the stick."""
        sent = Sent(self.keys, content, path, **facts)  # type: ignore[arg-type]
        self.put(sent, sent.whole())
        return sent

    def receive_message(self, text: str, source: str = SOURCE) -> Sent:
        """Put a message on the stick."""
        return self.receive(text.encode(), "message.txt", source=source, modified=None)

    def receive_until(
        self, offset: int, content: bytes, path: str = "clip.mp4", *, tail: bool = True
    ) -> Sent:
        """Put an upload on the stick that is not complete."""
        sent = Sent(self.keys, content, path)
        sealed, sealed_tail = sent.until(offset)
        self.put(sent, sealed)
        if tail:
            self.tail_of(sent).write_bytes(sealed_tail)
        return sent

    def put(self, sent: Sent, sealed: bytes) -> Path:
        """Put these octets on the stick under an upload's name."""
        path = self.path_of(sent)
        path.write_bytes(sealed)
        return path

    def path_of(self, sent: Sent) -> Path:
        return self.folder / f"{sent.upload}.tar.gpg"

    def tail_of(self, sent: Sent) -> Path:
        return self.folder / f"{sent.upload}.tail"

    def change(self, sent: Sent, position: int, mask: int = 1) -> None:
        """Flip a bit of a sealed file."""
        octets = bytearray(self.path_of(sent).read_bytes())
        octets[position] ^= mask
        self.path_of(sent).write_bytes(octets)


@dataclass(frozen=True)
class Ran:
    """How a run of `unseal` ended, and what it said."""

    code: int
    said: str
    complained: str

    @property
    def words(self) -> str:
        """What it complained of, as one line."""
        return " ".join(self.complained.split())

    @property
    def refused(self) -> set[str]:
        """The uploads that it refused."""
        return set(re.findall(r"([a-z2-7]{26})\.tar\.gpg", self.complained))


@dataclass
class Staff:
    """Somebody with a key, the program, and a folder to open things into."""

    program: Path
    home: Path
    into: Path
    surroundings: Mapping[str, str] = field(default_factory=dict)

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-I", str(self.program), *map(str, arguments)]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "GNUPGHOME": str(self.home), **self.surroundings}

    def run(self, *arguments: object) -> Ran:
        done = subprocess.run(
            self.command(*arguments),
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def open(self, *what: object) -> Ran:
        """Run `unseal WHAT --into FOLDER`."""
        return self.run(*what, "--into", self.into)

    def verify(self, bag: str = "quiet-harbour") -> Ran:
        """Run `unseal verify`; an archivist, who has another program, must find the same."""
        ran = self.run("verify", self.into / bag)
        if (self.into / bag / "bagit.txt").exists():
            judged = judge(self.into / bag)
            assert judged.is_valid == (ran.code == 0), judged.words
        return ran

    def opened(self) -> dict[str, bytes]:
        """Everything that was opened: its place below the folder, and its content."""
        return {
            path.relative_to(self.into).as_posix(): path.read_bytes()
            for path in sorted(self.into.glob("*/data/**/*"))
            if path.is_file()
        }

    def files(self, bag: str = "quiet-harbour") -> dict[str, bytes]:
        """The files of one source, without what stands before all their names."""
        before = f"{bag}/data/files/"
        every = self.opened().items()
        return {place.removeprefix(before): o for place, o in every if place.startswith(before)}

    def custody(self, bag: str = "quiet-harbour") -> list[dict[str, object]]:
        """The custody report's entries."""
        report = json.loads((self.into / bag / "custody.json").read_bytes())
        received: list[dict[str, object]] = report["received"]
        return received

    def everything(self) -> dict[str, str]:
        """All files of all bags, with their times, as one comparable value."""
        return {
            path.relative_to(self.into).as_posix(): digest(path)
            for path in sorted(self.into.rglob("*"))
            if path.is_file() and ".unseal" not in path.parts
        }

    def leftovers(self) -> list[str]:
        """What lies half opened."""
        return [path.name for path in self.into.glob(".unseal/opening/*")]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def chunk_at(sent: Sent, index: int) -> int:
    """The position of a chunk in the sealed file, a little behind its beginning."""
    return sent.layout.chunk_begins(index) + SEALED_CHUNK // 3
