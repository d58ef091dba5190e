"""A sysadmin who backs up, looks whether it is whole, and restores to a new place."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import requests

from deploy.__main__ import main
from deploy.backup.place import Place, Snapshot
from deploy.onion.keys import make_keys
from tests.crypto.keys.making import Ngo
from tests.faults.tracing import WRITING, tracing
from tests.live import Live

_ROOT = Path(__file__).parents[3]
CHANGING = f"{WRITING},renameat"
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

    def backs_up(self, *more: str) -> Done:
        """Run `nightferry backup`."""
        return run(*self.backing_up(*more))

    def is_killed_backing_up(self, call: str, when: int) -> None:
        """Let the command be killed before a system call."""
        done = run_apart(*self.backing_up(), wrapper=killing(call, when))
        assert done.status == -9, done.said

    def backing_up(self, *more: str) -> list[str]:
        """Give the words of the command."""
        to = ["--to", str(self.place.folder), "--onion", str(self.onion)]
        return ["backup", "--config", str(self.live.config), *to, *more]

    def verifies(self) -> Done:
        """Run `nightferry backup --verify`."""
        return run("backup", "--verify", "--to", str(self.place.folder))

    def restores(self, into: Path, *more: str) -> Done:
        """Run `nightferry restore` with the session key that the staff's gpg has shown."""
        key = self.folder / "session-key"
        key.write_text(self.asks_staff())
        return run(*self.restoring(into, "--session-key", str(key), *more))

    def restoring(self, into: Path, *more: str) -> list[str]:
        """Give the words of the command."""
        into.mkdir(exist_ok=True)
        return ["restore", str(self.place.folder), "--into", str(into), *more]

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
    """Give the session key of a sealed file, whole or not, as `gpg --show-session-key` prints it."""
    done = ngo.gpg("--show-session-key", "-d", str(sealed))
    return done.stderr.decode().split("session key: '")[1].split("'")[0]


def run(*arguments: str) -> Done:
    """Run one of the host's commands."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        status = main(arguments)
    return Done(status, said.getvalue())


def run_apart(*arguments: str, wrapper: Sequence[str] = ()) -> Done:
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


def killing(call: str, when: int) -> list[str]:
    """Give the command that starts another one, and kills it before a call."""
    strace, *_ = tracing(Path(os.devnull), CHANGING)
    fault = ["-e", f"trace={CHANGING}", "-e", f"inject={call}:signal=SIGKILL:when={when}"]
    return [strace, "-f", "-o", os.devnull, *fault]


def come_back(live: Live, codename: str) -> requests.Session:
    """Log in with a codename."""
    session = requests.Session()
    session.headers["Accept"] = "application/json"
    answer = session.post(f"{live.base}/session", data={"codename": codename}, timeout=30)
    assert answer.status_code == requests.codes.ok, answer.text
    return session


def flip(path: Path, position: int) -> None:
    """Flip one bit."""
    octets = bytearray(path.read_bytes())
    octets[position] ^= 1
    path.write_bytes(octets)
