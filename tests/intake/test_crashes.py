"""One upload, and a crash at every single operation of its disk's: what was told stays true.

The machine meets these stories by chance; here they are told one by one.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path

import pytest

from crypto.layout import CHUNK
from submit.intake.refusals import DamagedUploadError
from submit.intake.sessions import Session
from submit.store.errors import DiskFaultError
from submit.store.records import State
from submit.tus.metadata import Facts
from submit.tus.requests import Append, Creation
from tests import reader
from tests.crypto.keys.making import make_ngo, new_home
from tests.intake.lossy_disk import DiedError, Fate, Trouble
from tests.intake.world import PIECE, IntakeWorld, ScriptedBody

CONTENT = bytes(5 * CHUNK)  # all of its chunks begin with the same octets
HOLE = [Fate.LOST, Fate.KEPT, Fate.KEPT]
# What became of unsynced octets, and of how many names; None: the power did not fail.
CRASHES = [None, ([], 0), ([], 1), ([], 9), ([Fate.LENGTH], 0), (HOLE, 0), (HOLE, 9)]
STEPS = range(1, 15)  # as many as any request here takes


class Site:
    """An intake that begins to sync after three pieces, and one source."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        self.world = IntakeWorld(folder, certificate, sync_interval=3 * PIECE)
        self.cookie = self.world.intake.sources.create().cookie
        # The first upload brings a file of its own, which introduces the source.
        self.create(0)
        self.world.intake.uploads.terminate(self.session, self.upload)

    @property
    def session(self) -> Session:
        return self.world.intake.sources.recall(self.cookie)

    def create(self, first: int) -> None:
        creation = Creation(len(CONTENT), "", Facts(filename="a.bin"), Append(0, first, None))
        body = ScriptedBody(CONTENT[:first])
        self.upload = self.world.intake.uploads.create(self.session, creation, body).id

    def send(self, begin: int, end: int = len(CONTENT)) -> int:
        append, body = Append(begin, end - begin, None), ScriptedBody(CONTENT[begin:end])
        return self.world.intake.uploads.append(self.session, self.upload, append, body).offset

    def ask(self) -> int:
        return self.world.intake.uploads.status(self.session, self.upload).offset

    def finish(self) -> None:
        """Send what is missing; the recipient reads it."""
        if (offset := self.ask()) < len(CONTENT):
            self.send(offset)
        row = self.world.row(self.session, self.upload)
        assert row is not None
        assert row.state is State.COMPLETE
        opened = reader.read(self.world.sealed(self.upload), self.world.last_key)
        assert opened.content == CONTENT

    @contextmanager
    def death(self, step: int) -> Iterator[None]:
        """Kill the process at a step of what it does, if it takes so many."""
        self.world.disk.trouble = Trouble(step, "die")
        with suppress(DiedError):
            yield
        self.world.disk.trouble = None

    def lose_power(self, fates: list[Fate], names: int = 0) -> None:
        self.world.disk.lose_power(fates, names)
        self.world.start(clean=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the certificate of a recipient."""
    with new_home() as home:
        yield make_ngo(home, tmp_path_factory.mktemp("ngo"), "ed25519", "cv25519").certificate


@pytest.fixture
def site(tmp_path: Path, certificate: Path) -> Iterator[Site]:
    """Give a new site."""
    made = Site(tmp_path / "site", certificate)
    yield made
    made.world.close()


def test_what_is_acknowledged_survives_a_power_cut(site: Site) -> None:
    """An upload that was only created, and the offset of every append to it."""
    for end in (0, 1, 1000, CHUNK - 1, CHUNK, 3 * CHUNK, 3 * CHUNK + 1):
        site.create(end)
        site.lose_power([])
        assert site.ask() == end
        assert site.send(end, end + CHUNK) == end + CHUNK
        site.lose_power([])
        assert site.ask() == end + CHUNK
        site.finish()


@pytest.mark.parametrize("step", STEPS)
def test_what_is_told_after_a_crash_survives_the_next(site: Site, step: int) -> None:
    """Whatever a crash has left unsynced is durable before HEAD tells of it."""
    for crash in CRASHES:
        site.create(CHUNK)
        with site.death(step):
            site.send(CHUNK, 3 * CHUNK)
        if crash is None:
            site.world.start(clean=False)
        else:
            site.lose_power(*crash)
        told = site.ask()
        assert told >= CHUNK
        site.lose_power([])
        assert site.ask() == told
        site.finish()


@pytest.mark.parametrize("step", STEPS)
def test_what_a_crash_leaves_of_a_creation_can_be_finished_or_is_not_there(
    site: Site, step: int
) -> None:
    """A file whose start was never durable has no name: what was sent behind it, nobody opens."""
    for fate, names in product(Fate, [0, 9]):
        with site.death(step):
            site.create(2 * CHUNK)
        site.lose_power([fate], names)
        for found in site.world.intake.drop.show(site.session).unfinished:
            site.upload = found.id
            site.finish()


@pytest.mark.parametrize("first", Fate)
def test_what_was_not_synced_counts_up_to_the_first_hole(site: Site, first: Fate) -> None:
    """A power cut can keep a later chunk and lose an earlier one."""
    for fates in product([first], Fate, Fate):
        site.create(CHUNK)
        with site.death(6):  # after two syncs and three pieces
            site.send(CHUNK)
        site.lose_power(list(fates))
        told = site.ask()
        sealed, tail = site.world.sealed(site.upload), site.world.tail(site.upload)
        sound = reader.read_partial(sealed, site.world.last_key, tail)
        assert CHUNK <= told == len(sound.content)
        site.finish()


def test_a_failed_take_over_is_not_believed_the_second_time(site: Site) -> None:
    """The kernel shows what it could not write, until it is told to look at the disk."""
    site.create(CHUNK)
    with site.death(6):
        site.send(CHUNK)
    site.world.start(clean=True)  # another worker is there before the crash was noticed
    site.world.disk.trouble = Trouble(1, "sync fails", fates=[Fate.LOST, Fate.KEPT])
    with pytest.raises(DiskFaultError):
        site.ask()
    told = site.ask()
    assert told == CHUNK
    site.lose_power([])
    assert site.ask() == told
    site.finish()


@pytest.mark.parametrize(("clean", "back"), [(True, 0), (False, 0), (False, 1), (False, 3)])
def test_a_sector_that_cannot_be_read_is_sent_again(site: Site, back: int, *, clean: bool) -> None:
    """EIO is no answer for ever: the chunk is cut back, whenever it is found, and written anew."""
    site.create(4 * CHUNK)
    length = len(site.world.sealed(site.upload))
    site.world.start(clean=clean)
    site.world.disk.lose_sector(f"{site.upload}.tar.gpg", length - 1 - back * CHUNK)
    told = site.ask()
    with suppress(DamagedUploadError):
        site.send(told)
    site.finish()


def test_a_tail_like_the_one_before_is_written_too(site: Site) -> None:
    """Zeros behind zeros: the tail of the next chunk has the same octets and is another."""
    site.create(CHUNK + 1000)
    assert site.send(CHUNK + 1000, 2 * CHUNK + 1000) == 2 * CHUNK + 1000
    assert site.ask() == 2 * CHUNK + 1000
    site.finish()


def test_a_tail_goes_with_the_chunks_that_are_cut_off(site: Site) -> None:
    """Its octets must not come back when another content has reached its chunk."""
    site.create(3 * CHUNK + 1000)
    site.lose_power([])
    site.world.disk.damage(f"{site.upload}.tar.gpg", CHUNK + 5000)
    told = site.ask()
    assert told < CHUNK
    assert site.send(told, told + 2 * CHUNK) == told + 2 * CHUNK
    assert site.ask() == told + 2 * CHUNK
    site.finish()
