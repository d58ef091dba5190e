"""`./nightferry send`: files to a site, by tuspy, however often the connection breaks.

An onion address is reached through Tor, whose SOCKS proxy `--socks` names. Every break is followed
by a new connection, on other circuits; a connection that says nothing counts as broken.

The codename is typed at a prompt or read from standard input, never given as an argument:
arguments are seen by every user of the machine. Started again with the same codename and
file, it goes on where the upload stopped; what is another file of the same name begins anew.
"""

import argparse
import getpass
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import requests
from tusclient.exceptions import TusCommunicationError

from submit.cli.failure import CommandError
from submit.cli.sameness import describe, is_same
from submit.cli.uploader import SessionUploader, ask_metadata, broken
from submit.cli.way import Session, open_session, require_tor

_PAUSES = (1, 2, 5, 10, 30)  # seconds between attempts; the last one from then on
_PASSING = {409, 423, 460}  # and everything from 500 on: worth another attempt
_TRIED_ENOUGH = 50  # attempts without a single new octet
_FIRST_TRIES = 4  # through Tor, until the site counts as away
_OTHER = (
    "{name}: an unfinished upload of this name is of another file, or of this one with another "
    "time. It stays as it is on the server; this file is sent from its beginning."
)


def run(options: argparse.Namespace) -> int:
    """Send every file, one after another."""
    for path in options.files:
        if not path.is_file():
            raise CommandError(f"{path}: no such file. Nothing was sent.")
    session = open_session(options.to, options.socks)
    _enter(session, new=options.new)
    for path in options.files:
        with closing(_Upload(session, path)) as uploader:
            _send(uploader, path)
    print("everything has arrived")
    return 0


def _enter(session: Session, *, new: bool) -> None:
    """Log in; a new codename is printed once."""
    codename = "" if new else _ask()
    if codename:
        answer = _reach(session, "/session", {"codename": codename})
    else:
        answer = _reach(session, "/source", {})
    if not answer.ok:
        raise CommandError(_words(answer))
    if not codename:
        print(
            f"Your codename, shown only now; it is the only way back:\n  {answer.json()['codename']}",
            flush=True,
        )


def _reach(session: Session, path: str, form: dict[str, str]) -> requests.Response:
    """Ask for the first time. A way through Tor may take more than one attempt."""
    left = _FIRST_TRIES if session.proxy else 1
    while True:
        try:
            return session.post(f"{session.base}{path}", form)
        except requests.RequestException:
            if session.proxy:
                require_tor(session.proxy)
            left -= 1
        if not left:
            raise CommandError(f"{session.base} does not answer. Nothing was sent.")
        pause = _PAUSES[_FIRST_TRIES - 1 - left]
        print(f"no answer yet; trying again in {pause} s", flush=True)
        time.sleep(pause)


def _ask() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Codename (not shown as you type; empty for a new one): ").strip()
    return sys.stdin.readline().strip()


def _words(answer: requests.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError):
        return f"the site answered {answer.status_code}. Is this the address of a Nightferry?"


def _send(uploader: "_Upload", path: Path) -> None:
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

    def __init__(self, session: Session, path: Path) -> None:
        self._session, self._path = session, path
        self._length = path.stat().st_size
        self._tus: SessionUploader | None = None
        self.offset = 0

    def close(self) -> None:
        """Let go of the file."""
        if self._tus is not None:
            self._tus.close()

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

    def _begin(self) -> SessionUploader:
        facts = describe(self._path)
        uploads = f"{self._session.base}/uploads"
        return SessionUploader(self._session, uploads, self._path, facts, self._unfinished(facts))

    def _unfinished(self, facts: dict[str, str]) -> str | None:
        """Find this file, and no other of its name, among what this source has begun."""
        namesakes = [one for one in self._begun() if one["name"] == self._path.name]
        for one in namesakes:
            url = f"{self._session.base}{one['url']}"
            if one["length"] == self._length and is_same(ask_metadata(self._session, url), facts):
                return url
        if namesakes:
            print(_OTHER.format(name=self._path.name), flush=True)
        return None

    def _begun(self) -> list[dict[str, Any]]:
        answer = self._session.get(f"{self._session.base}/drop")
        if not answer.ok:
            raise broken(answer.status_code, _words(answer).encode())
        begun: list[dict[str, Any]] = answer.json()["unfinished"]
        return begun

    def _tell(self, end: str = "") -> None:
        share = 100 * self.offset // self._length if self._length else 100
        print(f"\r{self._path.name}: {share} %, {self.offset} octets", end=end, flush=True)
