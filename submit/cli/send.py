"""`./nightferry send`: files to a site, by tuspy, however often the connection breaks.

The codename is typed at a prompt or read from standard input, never given as an argument:
arguments are seen by every user of the machine. Started again with the same codename and
file, it goes on where the upload stopped.
"""

import argparse
import getpass
import sys
import time
from pathlib import Path
from typing import Any

import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from submit.cli.failure import CommandError

_PIECE = 4 << 20  # octets in one PATCH: small enough that the offset moves on a slow circuit
_PATIENCE = 180  # seconds; longer than the server waits for a silent sender
_PAUSES = (1, 2, 5, 10, 30)  # seconds between attempts; the last one from then on
_PASSING = {409, 423, 460}  # and everything from 500 on: worth another attempt
_TRIED_ENOUGH = 50  # attempts without a single new octet


def run(options: argparse.Namespace) -> int:
    """Send every file, one after another."""
    base = options.to.rstrip("/")
    for path in options.files:
        if not path.is_file():
            raise CommandError(f"{path}: no such file. Nothing was sent.")
    session = _enter(base, new=options.new)
    for path in options.files:
        _send(base, session, path)
    print("everything has arrived")
    return 0


def _enter(base: str, *, new: bool) -> requests.Session:
    """Log in; a new codename is printed once."""
    session = requests.Session()
    session.headers["Accept"] = "application/json"
    codename = "" if new else _ask()
    try:
        if codename:
            answer = session.post(f"{base}/session", {"codename": codename}, timeout=_PATIENCE)
        else:
            answer = session.post(f"{base}/source", timeout=_PATIENCE)
    except requests.RequestException:
        raise CommandError(f"{base} does not answer. Nothing was sent.") from None
    if not answer.ok:
        raise CommandError(_words(answer))
    if not codename:
        print(
            f"Your codename, shown only now; it is the only way back:\n  {answer.json()['codename']}"
        )
    return session


def _ask() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Codename (not shown as you type; empty for a new one): ").strip()
    return sys.stdin.readline().strip()


def _words(answer: requests.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError):
        return f"the site answered {answer.status_code}. Is this the address of a Nightferry?"


def _send(base: str, session: requests.Session, path: Path) -> None:
    uploader = _Upload(base, session, path)
    vain = 0
    while True:
        before = uploader.offset
        try:
            return uploader.go_on()
        except (TusCommunicationError, requests.RequestException) as error:
            uploader.require_passing(error)
        vain = 0 if uploader.offset > before else vain + 1
        if vain == _TRIED_ENOUGH:
            raise CommandError(f"{path.name}: no way through. What arrived is kept: try later.")
        pause = _PAUSES[min(vain, len(_PAUSES) - 1)]
        print(f"\n  the connection broke; going on in {pause} s", flush=True)
        time.sleep(pause)


class _Upload:
    """One file on its way."""

    def __init__(self, base: str, session: requests.Session, path: Path) -> None:
        self._base, self._session, self._path = base, session, path
        self._length = path.stat().st_size
        self._tus: Any = None
        self.offset = 0

    def go_on(self) -> None:
        """Send what is left; raises what tuspy and requests raise when the connection breaks."""
        if self._tus is None:
            self._tus = self._begin()
        if self._tus.url:
            self._tus.offset = self.offset = self._tus.get_offset()
        else:
            self._tus.set_url(self._tus.create_url())
        while self.offset < self._length:
            self._tus.upload_chunk()
            self.offset = self._tus.offset
            self._tell()
        self._tell(end="\n")

    def require_passing(self, error: Exception) -> None:
        """Raise CommandError for what another attempt will not mend."""
        status = getattr(error, "status_code", None)
        if status is None or status in _PASSING or status >= requests.codes.server_error:
            return
        content = getattr(error, "response_content", b"") or b""
        words = content.decode(errors="replace").strip() if isinstance(content, bytes) else ""
        raise CommandError(f"{self._path.name}: {words or f'the site answered {status}'}")

    def _begin(self) -> Any:  # noqa: ANN401 # tuspy ships no types
        cookies = "; ".join(f"{name}={value}" for name, value in self._session.cookies.items())
        client = TusClient(f"{self._base}/uploads", headers={"Cookie": cookies})
        modified = int(self._path.stat().st_mtime * 1000)
        return client.uploader(
            str(self._path),
            url=self._unfinished(),
            metadata={"filename": self._path.name, "lastModified": str(modified)},
            chunk_size=_PIECE,
        )

    def _unfinished(self) -> str | None:
        """Find this file among what this source has begun: same name, same length."""
        drop = self._session.get(f"{self._base}/drop", timeout=_PATIENCE).json()
        for upload in drop["unfinished"]:
            if (upload["name"], upload["length"]) == (self._path.name, self._length):
                return self._base + str(upload["url"])
        return None

    def _tell(self, end: str = "") -> None:
        share = 100 * self.offset // self._length if self._length else 100
        print(f"\r{self._path.name}: {share} %, {self.offset} octets", end=end, flush=True)
