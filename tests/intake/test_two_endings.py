"""Two requests find the same upload whole at the same moment: one ends it, one asks about it.

It happens when the circuit dies between the last octet and its 204, and the client comes back
at once: the file has its end, but its row does not know yet.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from crypto.layout import CHUNK
from submit.intake.sessions import Session
from submit.store.records import State
from submit.tus.metadata import Facts
from submit.tus.requests import Append, Creation
from tests import reader
from tests.crypto.keys.making import make_ngo, new_home
from tests.intake.lossy_disk import DiedError, LossyDisk, Trouble
from tests.intake.world import IntakeWorld, ScriptedBody

CONTENT = bytes(range(256)) * (2 * CHUNK // 256) + b"the end"
FEWEST_STEPS = 8  # what HEAD does to the disk while it ends an upload, and some more


class PausingDisk(LossyDisk):
    """Lets something happen once, when a file has its end and its row does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.pause: Callable[[], object] | None = None

    def set_day(self, name: str, day: int) -> None:
        pause, self.pause = self.pause, None
        if pause is not None:
            pause()
        super().set_day(name, day)


class Site:
    """An intake on a disk that pauses, with a source and its upload."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        self.world = IntakeWorld(folder, certificate)
        self.disk = self.world.disk = PausingDisk()
        self.uploads = self.world.start(clean=True).uploads
        cookie = self.world.intake.sources.create().cookie
        self.session: Session = self.world.intake.sources.recall(cookie)
        creation = Creation(len(CONTENT), "", Facts(filename="видео.mp4"), None)
        self.upload = self.uploads.create(self.session, creation, ScriptedBody(b"")).id

    def ask(self) -> int:
        """Ask with HEAD."""
        return self.uploads.status(self.session, self.upload).offset

    def send(self) -> int:
        """Send everything; give the offset that is acknowledged."""
        append = Append(0, len(CONTENT), None)
        body = ScriptedBody(CONTENT)
        return self.uploads.append(self.session, self.upload, append, body).offset

    def arrived(self) -> bytes:
        """Read what the recipient reads of an upload whose row says that it is complete."""
        row = self.world.row(self.session, self.upload)
        assert row is not None
        assert row.state is State.COMPLETE
        return reader.read(self.world.sealed(self.upload), self.world.last_key).content


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Give a new site with one upload."""
    with new_home() as home:
        made = Site(tmp_path / "site", make_ngo(home, tmp_path, "ed25519", "cv25519").certificate)
        yield made
        made.world.close()


def test_whoever_asks_while_an_upload_ends_hears_that_it_is_whole(site: Site) -> None:
    """Any answer but 200 would make tus-js-client send everything again."""
    heard: list[int] = []
    site.disk.pause = lambda: heard.append(site.ask())
    assert site.send() == len(CONTENT)
    assert heard == [len(CONTENT)]
    assert site.arrived() == CONTENT


def test_two_who_ask_at_once_both_hear_that_it_is_whole(site: Site) -> None:
    """After a kill between file and row, HEAD ends the upload, and a second HEAD comes."""

    def die() -> None:
        raise DiedError

    site.disk.pause = die
    with suppress(DiedError):
        site.send()
    heard: list[int] = []
    site.disk.pause = lambda: heard.append(site.ask())
    assert site.ask() == len(CONTENT)
    assert heard == [len(CONTENT)]
    assert site.arrived() == CONTENT


@pytest.mark.parametrize("step", range(1, FEWEST_STEPS))
def test_a_complete_upload_is_never_without_its_end(site: Site, step: int) -> None:
    """Whoever asks may be killed at any step: what the other calls complete is complete."""

    def ask_and_die() -> None:
        site.disk.trouble = Trouble(step, "die")
        with suppress(DiedError):
            site.ask()
        site.disk.trouble = None

    site.disk.pause = ask_and_die
    assert site.send() == len(CONTENT)
    assert site.arrived() == CONTENT
