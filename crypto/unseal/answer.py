"""Answer a source: write, encrypt to it alone, put on the stick for `fetch` to carry.

The text is on no disk: it is written in memory and gone when this ends. Everything that can be
refused is refused before the editor opens, so that nobody writes for nothing.
"""

import os
import re
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crypto.unseal.content import disk_errors
from crypto.unseal.editor import written_in
from crypto.unseal.encrypting import Certificate, Encryptor
from crypto.unseal.gnupg import GnuPG
from crypto.unseal.memory import folder_in_memory
from crypto.unseal.shelf import CERTIFICATES, certificate_name
from crypto.unseal.terminal import Terminal, visible, wrapped
from crypto.unseal.troubles import (
    ManyCertificatesError,
    NoCertificateError,
    NoStickError,
    NotADesignationError,
    TooLongError,
)

LONGEST = 131_072  # octets of text: the desk refuses a longer one (docs/protocol.md)
_DESIGNATION = re.compile(r"[^\W_]+(?:-[^\W_]+)+")
_PRIVATE = 0o600
_PRIVATE_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class Answer:
    """What the command line asked for. `certificate` is named if there are several."""

    designation: str
    stick: Path
    bags: Path
    certificate: Path | None = None


def answer(options: Answer, gnupg: GnuPG, terminal: Terminal) -> bool:
    """Let staff write, and put the reply on the stick; tell whether there is one.

    Raises RunError and its children.
    """
    name = _name(options.designation)
    if not options.stick.is_dir():
        raise NoStickError(where=options.stick)
    path = options.certificate or _certificate(options.bags, name)
    with _ended_by_signals(), folder_in_memory() as folder:
        encryptor = Encryptor(gnupg, folder)
        certificate = encryptor.read(path)
        encryptor.encrypt("", certificate)  # what cannot be encrypted to is said before
        text = written_in(folder)
        if len(text.encode()) > LONGEST:
            raise TooLongError(length=f"{len(text.encode()):,}", most=f"{LONGEST:,}")
        if not text:
            terminal.say(wrapped(_NOTHING))
            return False
        message = encryptor.encrypt(text + "\n", certificate)
    _put(options.stick / "nightferry" / "replies" / name, message)
    _tell(name, certificate, terminal)
    return True


_NOTHING = (
    "Nothing was written, so nothing is sent. If your editor opened a window of its own and came back "
    "at once, take another one, for this time: EDITOR=nano unseal answer …"
)


def _tell(name: str, certificate: Certificate, terminal: Terminal) -> None:
    terminal.say(f"The reply to {visible(name)} is on the stick, encrypted to this source alone:")
    terminal.say(f"  certificate {certificate.fingerprint}")
    terminal.say(
        wrapped(
            "Not even you can open it now, and the text is nowhere on this machine. The next fetch "
            "with this stick carries it to the desk; the source reads it at its next visit."
        )
    )


def _name(designation: str) -> str:
    name = "-".join(re.split(r"[\s-]+", designation.strip()))
    if not _DESIGNATION.fullmatch(name):
        raise NotADesignationError(designation=designation)
    return name


def _certificate(bags: Path, name: str) -> Path:
    """Find the source's certificate; copies of one are one."""
    stem = certificate_name(name).removesuffix(".asc")
    folder = bags / CERTIFICATES
    # A second one of the same name was kept apart by a number.
    alike = re.compile(rf"{re.escape(stem)}(?: \([0-9]+\))?\.asc")
    with disk_errors(folder):
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        different = {path.read_bytes(): path for path in found if alike.fullmatch(path.name)}
    if not different:
        raise NoCertificateError(designation=name, where=folder)
    if len(different) > 1:
        raise ManyCertificatesError(designation=name, count=len(different))
    return next(iter(different.values()))


def _put(folder: Path, message: bytes) -> None:
    """Write the reply by rename; its name says nothing."""
    name = secrets.token_hex(16)
    new, path = folder / f"{name}.part", folder / f"{name}.asc"
    with disk_errors(folder):
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
        with os.fdopen(file, "wb") as opened:
            opened.write(message)
            opened.flush()
            os.fsync(opened.fileno())
        new.rename(path)
        above = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(above)
        finally:
            os.close(above)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a closed window or a shutdown end it as Ctrl-C does, so that the text is removed."""
    ends = (signal.SIGHUP, signal.SIGTERM)
    before = [signal.signal(each, signal.default_int_handler) for each in ends]
    try:
        yield
    finally:
        for each, handler in zip(ends, before, strict=True):
            signal.signal(each, handler)
