"""A host in a folder: its files are real; systemd and the service are small programs that behave.

They keep what they know in files of the folder (`state/`), note each call in `called`, and fail
where a test has put a file `state/refuse-UNIT`. Users' numbers are real ones if root runs the tests.
"""

import datetime as dt
import os
import shutil
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path

from deploy.host import Host
from deploy.init.asking import Asker, Words, make_plan
from deploy.init.command import initialise
from deploy.init.step import Tally, go_through
from deploy.init.steps import all_steps

HOUSE = Path(__file__).parents[3]
TODAY = dt.datetime.now(dt.UTC).date()

_HEAD = """#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
state=$ROOT/state
echo "${0##*/} $*" >>"$ROOT/called"
"""
PROGRAMS = {
    "systemd-sysusers": """
cat "$ROOT/sysusers.passwd" >>"$ROOT/etc/passwd"
cat "$ROOT/sysusers.group" >>"$ROOT/etc/group"
""",
    "systemd-tmpfiles": 'mkdir -p "$ROOT/run/nightferry"',
    "systemctl": """
verb=$1
for unit; do :; done
[ ! -e "$state/refuse-$unit" ] || { echo "Job for $unit failed." >&2; exit 1; }
case $verb in
is-active) [ -e "$state/active-$unit" ] ;;
is-enabled) [ -e "$state/enabled-$unit" ] ;;
enable) touch "$state/enabled-$unit"; case $* in *--now*) touch "$state/active-$unit" ;; esac ;;
disable) rm -f "$state/enabled-$unit" "$state/active-$unit" ;;
start) [ -e "$state/active-$unit" ] || touch "$state/active-$unit" ;;
restart | reload-or-restart) touch "$state/active-$unit" ;;
stop) rm -f "$state/active-$unit" ;;
show) stat -c @%Y "$state/active-$2" ;;
esac
""",
    "nightferry": """
database=$ROOT/var/lib/nightferry/nightferry.db
case "$1 $2" in
"migrate --config") echo 'the database is at this form'; touch "$database" ;;
"staff list") [ -e "$database" ] || exit 1; cat "$state/staff" 2>/dev/null || echo 'no accounts' ;;
"staff add") echo "$3" >>"$state/staff"; echo 'passphrase  eight words' ;;
esac
""",
    "tor": "",
    "nft": "",
}
NAMES = ("nightferry", "nightferry-desk", "nightferry-tor")


@dataclass
class Machine:
    """One such host, what was said on its terminal, and what answers to questions there."""

    root: Path
    said: list[str] = field(default_factory=list)
    answers: list[str] | None = None

    @property
    def host(self) -> Host:
        return Host(self.root, self.root / "programs")

    def init(self, words: Words, *, dry_run: bool = False) -> Tally:
        """Run `nightferry init` and keep what it said."""
        self.said.clear()
        ask = None if self.answers is None else self._answer
        asker = Asker(ask, self.said.append, TODAY)
        return initialise(self.host, words, asker, dry_run=dry_run)

    def interrupted_before(self, step: int, words: Words) -> int:
        """Make the first steps only, as if power had gone then; give how many."""
        asker = Asker(None, self.said.append, TODAY)
        steps = all_steps(self.host, make_plan(self.host, words, asker))[:step]
        go_through(steps, self.said.append, dry_run=False)
        return step

    def _answer(self, question: str) -> str:
        assert self.answers
        self.said.append(question)
        return self.answers.pop(0)

    @property
    def words(self) -> str:
        return "\n".join(self.said)

    @property
    def called(self) -> list[str]:
        path = self.root / "called"
        return path.read_text().splitlines() if path.exists() else []

    def forget_calls(self) -> None:
        (self.root / "called").unlink(missing_ok=True)

    def refuse(self, unit: str) -> Path:
        """Let systemd be unable to do anything with a unit, until the file is removed."""
        path = self.root / "state" / f"refuse-{unit}"
        path.touch()
        return path

    def add_program(self, name: str, body: str) -> None:
        _write_program(self.root / "programs" / name, body)

    def snapshot(self) -> dict[str, tuple[int, int, bytes]]:
        """Everything that is kept on this host: mode, time of change and content, by path."""
        kept = ("etc", "var", "run", "state")
        paths = (path for top in kept for path in sorted((self.root / top).rglob("*")))
        return {str(path.relative_to(self.root)): _look(path) for path in paths}


def _look(path: Path) -> tuple[int, int, bytes]:
    found = path.lstat()
    return found.st_mode, found.st_mtime_ns, path.read_bytes() if path.is_file() else b""


def make_machine(root: Path) -> Machine:
    """Make a host on which the package is installed, and nothing else was done."""
    for folder in ("etc", "run", "var/lib", "state", "programs", "usr/lib/nightferry"):
        (root / folder).mkdir(parents=True)
    share = root / "usr/share/nightferry"
    share.mkdir(parents=True)
    shutil.copy(HOUSE / "deploy/tor/torrc.in", share / "torrc.in")
    for name, body in PROGRAMS.items():
        _write_program(root / "programs" / name, body)
    gpg = shutil.which("gpg")
    assert gpg
    (root / "programs" / "gpg").symlink_to(gpg)
    _write_users(root)
    return Machine(root)


def _write_program(path: Path, body: str) -> None:
    path.write_text(_HEAD + body)
    path.chmod(0o755)


def _write_users(root: Path) -> None:
    """Each user has a number of its own if this is root; a test without rights has one for all."""
    me, mine = os.getuid(), os.getgid()
    numbers = {name: 61_001 + n if me == 0 else me for n, name in enumerate(NAMES)}
    groups = {name: 61_001 + n if me == 0 else mine for n, name in enumerate(NAMES)}
    (root / "etc/passwd").write_text(f"root:x:{me}:{mine}::/root:/bin/sh\n")
    (root / "etc/group").write_text(f"root:x:{mine}:\n")
    (root / "sysusers.passwd").write_text(
        "".join(f"{name}:x:{number}:1::/:/bin/false\n" for name, number in numbers.items())
    )
    (root / "sysusers.group").write_text(
        "".join(f"{name}:x:{number}:\n" for name, number in groups.items())
    )


class Sites:
    """Two sockets that answer each request with a page, as the sites do."""

    def __init__(self, root: Path) -> None:
        (root / "run/nightferry").mkdir()
        self.sockets = [self._listen(root, name) for name in ("http.sock", "desk.sock")]

    def _listen(self, root: Path, name: str) -> socket.socket:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(root / "run/nightferry" / name))
        listening.listen()
        threading.Thread(target=self._serve, args=[listening], daemon=True).start()
        return listening

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:  # closed at the test's end
                return
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    def close(self) -> None:
        for listening in self.sockets:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
