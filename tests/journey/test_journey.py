"""From the source's disk to the staff's, and back: every step by the program that people use."""

import base64
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from crypto.unseal.build import zipped
from tests.fetch.circuit import Circuit
from tests.fetch.errand import Errand, new_errand
from tests.live import Live, running
from tests.unseal.staff import Staff

MESSAGE = "Вот записи. Позвоните матери."
ANSWER = "Спасибо. Всё дошло."
CLIP = "камера 3/2021-06-12 утро.mp4"
PLAIN = "список.txt"
UNFINISHED = "long.mp4"
_PATIENCE = 60


@dataclass
class Sender:
    """A source with two clips, a list and some words; one clip is not sent to its end yet."""

    live: Live
    clip: bytes = field(default_factory=lambda: os.urandom(1_500_000))
    unfinished: bytes = field(default_factory=lambda: os.urandom(700_000))
    list: bytes = "двое, имена в письме\n".encode()

    def send(self) -> None:
        """Send everything, each in its own way."""
        self._session = self.live.new_source()
        self.codename: str = self._session.codename  # type: ignore[attr-defined] # of tests.live
        url = self._create(CLIP, self.clip)
        for begin, end in ((0, 600_001), (600_001, len(self.clip))):
            assert self.live.append(self._session, url, begin, self.clip[begin:end]).ok
        self.unfinished_url = self._create(UNFINISHED, self.unfinished)
        self.live.append(self._session, self.unfinished_url, 0, self.unfinished[:300_000])
        self._post("/drop/files", files={"files": (PLAIN, self.list)})
        self._post("/drop/messages", json={"text": MESSAGE})

    def send_the_rest(self) -> None:
        """Go on with the clip that was not sent to its end."""
        at = self.live.offset(self._session, self.unfinished_url)
        assert self.live.append(self._session, self.unfinished_url, at, self.unfinished[at:]).ok

    def read_conversation(self) -> str:
        """Come back with the codename, in another browser, and open the conversation."""
        browser = requests.Session()
        came_back = browser.post(
            f"{self.live.base}/session",
            json={"codename": self.codename},
            headers={"Accept": "application/json"},
            timeout=_PATIENCE,
        )
        assert came_back.ok, came_back.text
        page = browser.get(f"{self.live.base}/drop/messages", timeout=_PATIENCE)
        assert page.headers["Content-Type"].startswith("text/html")
        return page.text

    def _create(self, path: str, content: bytes) -> str:
        pairs = {"filename": Path(path).name, "relativePath": path, "lastModified": "1623477600000"}
        coded = (f"{key} {base64.b64encode(it.encode()).decode()}" for key, it in pairs.items())
        return self.live.create(self._session, len(content), ",".join(coded))

    def _post(self, route: str, **said: object) -> None:
        answer = self._session.post(self.live.base + route, timeout=_PATIENCE, **said)  # type: ignore[arg-type]
        assert answer.ok, answer.text


@dataclass
class Office:
    """The staff: one machine online, with a breaking way to the desk; one that never is."""

    errand: Errand
    staff: Staff

    def fetch(self, *cuts: int) -> None:
        """Carry everything in both directions, through breaks."""
        with Circuit(self.errand.live.desk_port, cuts) as circuit:
            self.errand.base = circuit.base
            ended = self.errand.run()
            assert ended.code == 0, ended.complained
            assert circuit.broken

    def unseal(self, code: int) -> Path:
        """Open the stick, verify the bag, and give it."""
        ran = self.staff.open(self.errand.stick)
        assert ran.code == code, ran.complained
        assert "All that fetch had put on the stick is here" in ran.said
        [name] = [path.parent.name for path in self.staff.into.glob("*/bagit.txt")]
        assert self.staff.verify(name).code == 0
        return self.staff.into / name

    def answer(self, designation: str) -> None:
        """Write an answer in the editor, onto the stick."""
        ran = self.staff.run(
            "answer", designation, "--stick", self.errand.stick, "--bags", self.staff.into
        )
        assert ran.code == 0, ran.complained


@pytest.fixture
def runtime() -> Iterator[Path]:
    """Give a folder in memory."""
    folder = Path("/dev/shm") / f"test-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Give both sites."""
    with running(tmp_path) as live:
        yield live.start_desk()


@pytest.fixture
def office(live: Live, tmp_path: Path, runtime: Path) -> Office:
    """Give staff with an empty stick, the built program, and an editor that types."""
    program, editor = tmp_path / "unseal", tmp_path / "editor"
    program.write_bytes(zipped())
    editor.write_text(f"#!/bin/sh\nprintf '%s\\n' '{ANSWER}' >\"$1\"\n")
    editor.chmod(0o755)
    around = {"XDG_RUNTIME_DIR": str(runtime), "VISUAL": "", "EDITOR": str(editor)}
    staff = Staff(program, live.ngo.home, tmp_path / "opened", around)
    return Office(new_errand(live, tmp_path / "stick"), staff)


def test_the_whole_journey(live: Live, office: Office) -> None:
    """What a source sent is in a verified bag under its own names, and the answer comes back."""
    source = Sender(live)
    source.send()

    office.fetch(30, 2_000, 5_000, 150_000, 400_000)
    bag = office.unseal(code=3)  # something is partial
    files = bag / "data" / "files"
    assert (files / CLIP).read_bytes() == source.clip
    assert (files / PLAIN).read_bytes() == source.list
    assert (files / f"{UNFINISHED}.partial").read_bytes() == source.unfinished[:300_000]
    [message] = (bag / "data" / "messages").iterdir()
    assert message.read_text() == MESSAGE

    office.answer(bag.name)
    source.send_the_rest()
    office.fetch(1_000, 90_000)
    assert ANSWER in source.read_conversation()

    bag = office.unseal(code=0)
    assert (files / UNFINISHED).read_bytes() == source.unfinished
    assert not (files / f"{UNFINISHED}.partial").exists()
    assert len(list((office.errand.home / "replies" / "sent").rglob("*.asc"))) == 1
