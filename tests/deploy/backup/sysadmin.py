"""A sysadmin who backs up, looks whether it is whole, and restores to a new place."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import requests

from deploy.backup.place import Place, Snapshot
from deploy.onion.keys import make_keys
from tests.crypto.keys.making import Ngo
from tests.live import Live

_ROOT = Path(__file__).parents[3]
_PATIENCE = 60  # seconds for one command, on a busy machine


@dataclass(frozen=True)
class Done:
    """What a command said, and its status."""

    status: int
    said: str


@dataclass(frozen=True)
class Sysadmin:
    """Works on one service; everything of hers lies in `folder`."""

    live: Live
    folder: Path

    @property
    def place(self) -> Place:
        return Place(self.folder / "backups")

    @property
    def onion(self) -> Path:
        return self.folder / "tor"

    def makes_onions(self) -> bytes:
        """Make two onion services as tor keeps them; give the secret of the source's."""
        secrets = []
        for site in ("source", "desk"):
            keys = make_keys()
            (self.onion / site).mkdir(parents=True)
            for name, content in keys.files().items():
                (self.onion / site / name).write_bytes(content)
            secrets.append(keys.secret)
        return secrets[0]

    def backs_up(self, *more: str, wrapper: tuple[str, ...] = ()) -> Done:
        """Run `nightferry backup`."""
        return run(*self.backing_up(*more), wrapper=wrapper)

    def backing_up(self, *more: str) -> list[str]:
        """Give the words of the command."""
        to = ["--to", str(self.place.folder), "--onion", str(self.onion)]
        return ["backup", "--config", str(self.live.config), *to, *more]

    def verifies(self) -> Done:
        """Run `nightferry backup --verify`."""
        return run("backup", "--verify", "--to", str(self.place.folder))

    def restores(self, into: Path, *more: str) -> Done:
        """Run `nightferry restore` with the session key that the staff's gpg has shown."""
        into.mkdir(exist_ok=True)
        key = self.folder / "session-key"
        key.write_text(self.asks_staff())
        options = ["--into", str(into), "--session-key", str(key), *more]
        return run("restore", str(self.place.folder), *options)

    def asks_staff(self, snapshot: str = "") -> str:
        """Let the staff's gpg show what opens a backup's state."""
        name = snapshot or self.place.names()[-1]
        state = self.place.snapshots / name / "state.tar.gpg"
        return shown_key(self.live.ngo, state)

    def newest(self) -> Snapshot:
        return self.place.read(self.place.names()[-1])

    def moves_in(self, restored: Path, folder: Path) -> Live:
        """Make a service of what was restored: on a real host it lies in its place already."""
        folder.mkdir()
        shutil.move(below(restored, self.live.data), folder / "site")
        return Live(folder, self.live.ngo)


def below(root: Path, absolute: Path) -> Path:
    """Where something lies below another root."""
    return root / absolute.relative_to("/")


def shown_key(ngo: Ngo, sealed: Path) -> str:
    """Give the session key of a sealed file, as `gpg --show-session-key` prints it."""
    done = ngo.gpg("--show-session-key", "-d", str(sealed))
    assert done.returncode == 0, done.stderr.decode()
    return done.stderr.decode().split("session key: '")[1].split("'")[0]


def run(*arguments: str, wrapper: tuple[str, ...] = ()) -> Done:
    """Run one of the host's commands in a process of its own."""
    done = subprocess.run(
        [*wrapper, sys.executable, "-m", "deploy", *arguments],
        env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE,
    )
    return Done(done.returncode, done.stdout + done.stderr)


def come_back(live: Live, codename: str) -> requests.Session:
    """Log in with a codename."""
    session = requests.Session()
    session.headers["Accept"] = "application/json"
    answer = session.post(f"{live.base}/session", data={"codename": codename}, timeout=30)
    assert answer.status_code == requests.codes.ok, answer.text
    return session
