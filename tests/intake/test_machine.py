"""Any order of appends, lost answers, two clients, kills, power cuts, faults, restarts, expiry.

invariant: what was acknowledged is on the platter, and is exactly what the recipient reads; no
position of a sealed file ever held two different octets (the lossy disk asserts it at every
write). And whatever has happened, who asks and sends the rest gets to the end.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from crypto.layout import CHUNK
from submit.errors import Refusal
from submit.intake.sessions import Session
from submit.store.records import State
from submit.tus.metadata import Facts
from submit.tus.refusals import OffsetMismatchError
from submit.tus.requests import Append, Creation
from tests import reader
from tests.crypto.keys.making import make_ngo, new_home
from tests.intake.accidents import FATES, HOLES, Crash, crashes, troubles
from tests.intake.client import Client, make_content, salvage
from tests.intake.lossy_disk import DiedError, Fate, Trouble
from tests.intake.world import DAY, PIECE, DeafBody, IntakeWorld, ScriptedBody

LENGTHS = [0, 1, 1000, CHUNK - 3000, CHUNK, 2 * CHUNK + 1, 3 * CHUNK - 1548, 7 * CHUNK + 77]
BEHIND_START = 2000  # is the first chunk of any file


class UploadMachine(RuleBasedStateMachine):
    """A source, its clients, and everything that can go wrong."""

    template: Path
    certificate: Path
    uploads: Bundle[Client] = Bundle("uploads")

    @initialize()
    def arrive(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="machine-")) / "site"
        self.world = IntakeWorld(self.folder, self.certificate, self.template, 3 * PIECE)
        self.clients: list[Client] = []
        self.creations = 0
        entered = self.world.intake.sources.create()
        self.cookie, self.codename = entered.cookie, str(entered.codename)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self._everything_can_be_finished()
            finally:
                self.world.close()
                shutil.rmtree(self.folder.parent)

    @property
    def session(self) -> Session:
        return self.world.intake.sources.recall(self.cookie)

    # --- what clients do

    @rule(target=uploads, length=st.sampled_from(LENGTHS), along=st.floats(0, 1))
    def create(self, length: int, along: float) -> Client:
        """Make an upload, some of its octets along with the creation."""
        return self._create(length, along)

    @rule(client=uploads)
    def create_again(self, client: Client) -> None:
        """The creation's answer was lost: asked again, it makes nothing and reads nothing."""
        if client.is_gone or client.is_over or client.creation is None:
            return
        status = self.world.intake.uploads.create(
            self.session, client.creation, ScriptedBody(b"never read")
        )
        assert (status.id, status.again) == (client.upload, True)
        assert client.acknowledged <= status.offset <= len(client.content)
        client.acknowledge(status.offset)
        client.believed = status.offset

    @rule(client=uploads, share=st.floats(0, 0.6), cut=st.floats(0, 1.2), heard=st.booleans())
    def append(self, client: Client, share: float, cut: float, heard: bool) -> None:
        """Send a PATCH from where the client believes it is; it may be cut, or its answer lost."""
        self._patch(client, share, cut, heard=heard)

    @rule(
        target=uploads,
        pieces=st.integers(1, 3),
        deaf=st.booleans(),
        resume=st.none() | st.floats(0, 1),
        trouble=st.none() | troubles(1, 2),
    )
    def two_connections(
        self, pieces: int, deaf: bool, resume: float | None, trouble: Trouble | None
    ) -> Client:
        """A newer request comes while the older one, on a half-open connection, still reads."""
        client = self._create(LENGTHS[-1], 0)

        def newer() -> None:
            with self._disk_trouble(trouble):
                self.ask(client)
            if resume is not None:
                self._patch(client, resume, 1)

        body = (DeafBody if deaf else ScriptedBody)(client.content, newer, pieces)
        append = Append(0, len(client.content), None)
        with self._refusals():
            self.world.intake.uploads.append(self.session, client.upload, append, body)
        return client

    @rule(client=uploads, back=st.integers(1, CHUNK))
    def send_again(self, client: Client, back: int) -> None:
        """Send an old PATCH again, unasked, as browsers do: refused, and nothing moves."""
        if client.is_gone or client.is_over:
            return
        self.ask(client)
        stale = max(0, client.believed - back)
        if stale == client.believed:
            return
        with pytest.raises(OffsetMismatchError):
            self.world.intake.uploads.append(
                self.session,
                client.upload,
                Append(stale, 1, None),
                ScriptedBody(client.content[stale : stale + 1]),
            )

    @rule(client=uploads)
    def ask(self, client: Client) -> None:
        """HEAD: all that authenticates and no more, and from now on that is acknowledged."""
        if client.is_gone or client.is_over:
            return
        offset = self.world.intake.uploads.status(self.session, client.upload).offset
        assert client.acknowledged <= offset <= len(client.content)
        client.acknowledge(offset)
        client.believed = offset
        row = self.world.row(self.session, client.upload)
        if row is not None and row.state is State.OPEN and not client.is_damaged:
            assert offset == len(self._salvaged(client))

    @rule(client=uploads)
    def terminate(self, client: Client) -> None:
        """DELETE: what is not complete goes, what is complete stays."""
        row = self.world.row(self.session, client.upload)
        if row is None or row.state is State.COMPLETE:
            return
        self.world.intake.uploads.terminate(self.session, client.upload)
        client.is_gone = True
        assert not [n for n in self.world.disk.names() if n.startswith(client.upload)]

    # --- what goes wrong

    @rule(target=uploads, length=st.sampled_from(LENGTHS), crash=crashes(1, 12))
    def die_creating(self, length: int, crash: Crash) -> MultipleResults[Client]:
        """Dying while an upload is made, which its source then finds among the unfinished."""
        before, made = self._unfinished(), list[Client]()
        with self._death(crash):
            made.append(self._create(length, 1))
        if not made:
            content, key = make_content(len(self.clients), length), self.world.last_key
            made = [Client(found, content, key, 0, 0) for found in self._unfinished() - before]
            self.clients += made
        return multiple(*made)

    @rule(client=uploads, asking=st.booleans(), share=st.floats(0, 1), crash=crashes(1, 14))
    def die(self, client: Client, asking: bool, share: float, crash: Crash) -> None:
        """Dying in the middle of a request."""
        with self._death(crash):
            self._request(client, asking, share)

    @rule(target=uploads, along=st.floats(0, 0.4), crash=crashes(5, 9, HOLES))
    def power_fails_in_a_long_upload(self, along: float, crash: Crash) -> Client:
        """Several chunks wait to be synced; the first of them is lost, and later ones are there."""
        client = self._create(LENGTHS[-1], along)
        crash.power = True
        with self._death(crash):
            self._patch(client, 1, 1)
        self.ask(client)
        return client

    @rule(fates=FATES, names=st.integers(0, 3))
    def power_fails(self, fates: list[Fate], names: int) -> None:
        """The power fails while nothing is being sent: only what was not synced may go."""
        self.world.disk.lose_power(fates, names)
        self.world.start(clean=False)

    @rule(client=uploads, asking=st.booleans(), share=st.floats(0, 1), trouble=troubles(1, 6))
    def disk_fails(self, client: Client, asking: bool, share: float, trouble: Trouble) -> None:
        """The disk is full for a while, or one fsync fails."""
        with self._disk_trouble(trouble):
            self._request(client, asking, share)

    @rule(target=uploads, along=st.floats(0, 0.5), trouble=troubles(1, 9))
    def disk_fails_in_a_long_upload(self, along: float, trouble: Trouble) -> Client:
        """The same, while several chunks wait to be synced."""
        client = self._create(LENGTHS[-1], along)
        with self._disk_trouble(trouble):
            self._patch(client, 1, 1)
        return client

    @rule(target=uploads, along=st.floats(0.7, 0.99), where=st.floats(0, 0.9))
    def crash_and_damage(self, along: float, where: float) -> Client:
        """A crash, and what was durable is not as it was: beyond what a disk may do."""
        client = self._create(LENGTHS[-1], along)
        self.power_fails([], 0)
        length = len(self.world.sealed(client.upload))
        place = BEHIND_START + int(where * (length - BEHIND_START))
        self.world.disk.damage(f"{client.upload}.tar.gpg", place)
        client.is_damaged = True
        client.acknowledged = 0
        return client

    @rule()
    def restart(self) -> None:
        """The service is restarted as it should be."""
        self.world.start(clean=True)

    @rule()
    def a_month_passes(self) -> None:
        """What nobody moved expires: its key is gone, its chunks stay."""
        self.world.now += 32 * DAY
        self.world.do_daily_work()
        self.cookie = self.world.intake.sources.enter(self.codename).cookie
        for client in self.clients:
            row = self.world.row(self.session, client.upload)
            if row is not None and row.state is not State.OPEN:
                assert row.wrapped is None
                client.is_over = True

    # --- what must hold

    @invariant()
    def acknowledged_is_what_the_recipient_reads(self) -> None:
        """Read every upload as the recipient would, and with the tail as the source resumes."""
        for client in getattr(self, "clients", []):
            if not client.is_read:
                self._check(client)

    def _check(self, client: Client) -> None:
        session = self.session
        row = None if client.is_gone else self.world.row(session, client.upload)
        if row is None:
            assert client.is_gone or client.acknowledged == 0
            client.is_gone = True
        elif row.state is State.COMPLETE:
            sealed = self.world.sealed(client.upload)
            assert sealed == self._durable(client)
            assert reader.read(sealed, client.key).content == client.content
            client.is_read = True
        elif row.state is State.OPEN:
            assert self.world.intake.uploads.peek(session, row) >= client.acknowledged
            durable = salvage(client, self._durable(client), self._durable(client, ".tail"))
            for salvaged in (self._salvaged(client), durable):
                assert len(salvaged) >= client.acknowledged
                assert client.content.startswith(salvaged)

    def _salvaged(self, client: Client) -> bytes:
        """Read file and tail as they are seen now."""
        return salvage(client, self.world.sealed(client.upload), self.world.tail(client.upload))

    def _durable(self, client: Client, ending: str = ".tar.gpg") -> bytes:
        return self.world.disk.durable(client.upload + ending)

    # --- how

    def _create(self, length: int, along: float) -> Client:
        content = make_content(len(self.clients), length)
        first = int(length * along)
        body = Append(0, first, None) if first else None
        self.creations += 1
        creation_key = f"creation-{self.creations:016}"
        creation = Creation(length, "", Facts(filename="видео.mp4"), body, creation_key)
        status = self.world.intake.uploads.create(
            self.session, creation, ScriptedBody(content[:first])
        )
        client = Client(status.id, content, self.world.last_key, status.offset, status.offset)
        client.creation = creation
        self.clients.append(client)
        assert status.offset == first
        return client

    def _unfinished(self) -> set[str]:
        return {one.id for one in self.world.intake.drop.show(self.session).unfinished}

    def _patch(self, client: Client, share: float, cut: float, *, heard: bool = True) -> None:
        """Send `share` of what is left, cut off after `cut` of it."""
        offset = client.believed
        length = int((len(client.content) - offset) * share)
        octets = client.content[offset : offset + length]
        append = Append(offset, length, None)
        body = ScriptedBody(octets[: int(length * cut)])
        with self._refusals():
            status = self.world.intake.uploads.append(self.session, client.upload, append, body)
            assert status.offset == offset + length
            client.acknowledge(status.offset)
            if heard:
                client.believed = status.offset

    def _request(self, client: Client, asking: bool, share: float) -> None:
        if asking:
            self.ask(client)
        else:
            self._patch(client, share, 1)

    @contextmanager
    def _death(self, crash: Crash) -> Iterator[None]:
        """Let the process die on its way, or behind the last operation if there are fewer."""
        self.world.disk.trouble = Trouble(crash.at, "die", crash.torn)
        with suppress(DiedError):
            yield
        self.world.disk.trouble = None
        if crash.power:
            self.world.disk.lose_power(crash.fates, crash.names)
        self.world.start(clean=False)

    @contextmanager
    def _disk_trouble(self, trouble: Trouble | None) -> Iterator[None]:
        """Let the disk fail on the way; a refusal is an answer."""
        self.world.disk.trouble = trouble
        with self._refusals():
            yield
        self.world.disk.trouble = None

    def _everything_can_be_finished(self) -> None:
        for client in self.clients:
            for _ in range(3):  # damage may be found at the end, and a part be sent again
                if not (client.is_gone or client.is_over or client.is_read):
                    self.ask(client)
                    self._patch(client, 1, 1)
                    self._check(client)
            assert client.is_gone or client.is_over or client.is_read

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Let a refusal be an answer: the invariant tells whether it told the truth."""
        with suppress(Refusal):
            yield


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[UploadMachine]]:
    """Give machines that share a recipient and the empty database they start from."""
    folder = tmp_path_factory.mktemp("machine")
    with new_home() as home:
        ngo = make_ngo(home, folder, "ed25519", "cv25519")
        template = folder / "template"
        IntakeWorld(template, ngo.certificate).close()
        UploadMachine.template, UploadMachine.certificate = template, ngo.certificate
        yield UploadMachine


@pytest.mark.timeout(900)
def test_nothing_acknowledged_is_lost_whatever_happens(
    machine: type[UploadMachine],
) -> None:
    """See the module: the invariant holds after every step of every story."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=100,
            stateful_step_count=20,
            derandomize=bool(os.environ.get("CI")),
            deadline=None,
        ),
    )
