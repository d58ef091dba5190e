"""Staff on an errand: the real program, a stick, and a phone with codes."""

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from config.settings import load
from submit.app import World, build_accounts
from submit.store.database import Database
from tests.desk.staff import Phone, StaffMember
from tests.live import Live, wait_until

ROOT = Path(__file__).parents[2]
TIMEOUT = 60
_NUMBERS = itertools.count(1)


@dataclass
class Ended:
    """How a run ended, and what it said."""

    code: int
    said: str
    complained: str


@dataclass
class Errand:
    """Staff with one stick. Each run is by somebody else: there are three codes in a minute."""

    live: Live
    stick: Path
    base: str = ""
    member: StaffMember = field(init=False)

    @property
    def home(self) -> Path:
        """What the program has made on the stick."""
        return self.stick / "nightferry"

    def begin(self, *arguments: str, stdin: str | None = None) -> subprocess.Popen[str]:
        """Start it; nothing but Python's own library is in its reach (-S).

        Typed are two codes, the second for when the answer to the first login is lost; or `stdin`.
        """
        self.member = new_member(self.live)
        self.credentials.write_text(
            f'name = "{self.member.name}"\npassphrase = "{self.member.passphrase}"\n'
        )
        self.credentials.chmod(0o600)
        process = subprocess.Popen(
            [sys.executable, "-S", "-m", "submit.fetch", *self._arguments(arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.stick,
            env={"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "PATH": os.environ["PATH"]},
        )
        assert process.stdin is not None
        for typed in ("{code}", "{code}") if stdin is None else stdin.splitlines():
            code = self.member.phone.code() if "{code}" in typed else ""
            process.stdin.write(typed.replace("{code}", code) + "\n")
        process.stdin.flush()
        return process

    def run(self, *arguments: str, stdin: str | None = None) -> Ended:
        """Let it run to its end."""
        return finish(self.begin(*arguments, stdin=stdin))

    def index(self) -> dict[str, dict[str, Any]]:
        """Give the items of the index by their ids; their source's designation is with them."""
        said = json.loads((self.home / "index.json").read_text())
        assert said["nightferry"] == 1
        return {
            item["id"]: item | {"designation": source["designation"]}
            for source in said["sources"]
            for item in source["items"]
        }

    def sealed(self, upload: str) -> Path:
        """Find a sealed file on the stick."""
        [path] = self.home.glob(f"sources/*/{upload}.tar.gpg")
        return path

    def tail(self, upload: str) -> Path:
        """Find the tail of an unfinished upload on the stick."""
        [path] = self.home.glob(f"sources/*/{upload}.tail")
        return path

    @property
    def credentials(self) -> Path:
        """The private file with name and passphrase."""
        return self.stick.with_name(f"{self.stick.name} credentials.toml")

    def part(self, upload: str) -> Path:
        """Find a sealed file that is not whole on the stick."""
        [path] = self.home.glob(f"sources/*/{upload}.tar.gpg.part")
        return path

    def parts(self) -> list[Path]:
        """Find what is not whole."""
        return sorted(self.home.rglob("*.part"))

    def _arguments(self, given: Sequence[str]) -> list[str]:
        desk = [] if "--desk" in given else ["--desk", self.base or self.live.desk]
        return [*desk, "--to", str(self.stick), "--credentials", str(self.credentials), *given]


def finish(process: subprocess.Popen[str]) -> Ended:
    """Wait for the end of a run; one that does not end is killed, so that no later test meets it."""
    try:
        said, complained = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Ended(process.returncode, said, complained)


def new_errand(live: Live, stick: Path) -> Errand:
    """Give staff with an empty stick."""
    stick.mkdir()
    return Errand(live, stick)


def new_member(live: Live) -> StaffMember:
    """Make an account."""
    name = f"ana{next(_NUMBERS)}"
    database = Database(load(live.config).database, 1)
    try:
        made = build_accounts(World(), database).add(name)
    finally:
        database.close()
    member = StaffMember(live, name, made.passphrase, Phone(made.totp))
    member.phone.code()  # That of the half minute before would be too old a moment later.
    return member


def send(live: Live, length: int, until: int | None = None) -> str:
    """Be a new source that sends one file, or the first octets of one; give the upload's id."""
    source = live.new_source()
    content = os.urandom(length)
    url = live.create(source, length)
    assert live.append(source, url, 0, content[:until]).ok
    return url.rpartition("/")[2]


def kept(live: Live, upload: str) -> bytes:
    """Give the sealed file as the server has it."""
    return (live.uploads / f"{upload}.tar.gpg").read_bytes()


def digest(octets: bytes) -> dict[str, object]:
    """Give what the index says of a sealed file."""
    return {"length": len(octets), "sha256": hashlib.sha256(octets).hexdigest()}


def clear(live: Live, desk: requests.Session) -> None:
    """Delete every source that is at the desk."""
    for source in desk.get(live.desk, timeout=TIMEOUT).json()["sources"]:
        answer = desk.post(
            f"{live.desk}/sources/{source['id']}/delete",
            json={
                "designation": source["designation"],
                "unfetched": "yes",
                "unfinished": "yes",
            },
            timeout=TIMEOUT,
        )
        assert answer.ok, answer.text


def kill_when(process: subprocess.Popen[str], path: Path, octets: int) -> None:
    """Kill it as soon as a file has so many octets."""
    wait_until(lambda: path.exists() and path.stat().st_size >= octets)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=TIMEOUT)
