"""Any order of appends, lost answers, two clients, kills, power cuts, faults, restarts, expiry.

invariant: what was acknowledged is exactly what the recipient reads, and no position of a
sealed file ever held two different octets (the lossy disk asserts it at every write).
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from crypto.layout import CHUNK, SEALED_CHUNK
from submit.errors import Refusal
from submit.intake.sessions import Session
from submit.store.records import State
from submit.tus.metadata import Facts
from submit.tus.refusals import OffsetMismatchError
from submit.tus.requests import Append, Creation
from tests import reader
from tests.crypto.keys.making import make_ngo, new_home
from tests.intake.lossy_disk import DiedError, Trouble
from tests.intake.world import DAY, DeafBody, IntakeWorld, ScriptedBody

LENGTHS = [0, 1, 1000, CHUNK - 3000, CHUNK, 2 * CHUNK + 1, 3 * CHUNK - 1548, 5 * CHUNK + 77]


@dataclass
class Client:
    """One upload as its source knows it."""

    upload: str
    content: bytes = field(repr=False)
    key: bytes = field(repr=False)
    acknowledged: int
    believed: int
    is_gone: bool = False
    is_over: bool = False  # expired, or complete and forgotten


class UploadMachine(RuleBasedStateMachine):
    """A source, its clients, and everything that can go wrong."""

    template: Path
    certificate: Path
    uploads: Bundle[Client] = Bundle("uploads")

    @initialize()
    def arrive(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="machine-")) / "site"
        self.world = IntakeWorld(self.folder, self.certificate, self.template)
        self.clients: list[Client] = []
        entered = self.world.intake.sources.create()
        self.cookie, self.codename = entered.cookie, str(entered.codename)

    def teardown(self) -> None:
        if hasattr(self, "world"):
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

    def _create(self, length: int, along: float) -> Client:
        content = _content(len(self.clients), length)
        first = int(length * along)
        body = Append(0, first, None) if first else None
        creation = Creation(length, "", Facts(filename="видео.mp4"), body)
        status = self.world.intake.uploads.create(
            self.session, creation, ScriptedBody(content[:first])
        )
        client = Client(status.id, content, self.world.keys.last, status.offset, status.offset)
        self.clients.append(client)
        assert status.offset == first
        return client

    @rule(client=uploads, share=st.floats(0, 0.6), cut=st.floats(0, 1.2), heard=st.booleans())
    def append(self, client: Client, share: float, cut: float, heard: bool) -> None:
        """Send a PATCH from where the client believes it is; it may be cut, or its answer lost."""
        self._patch(client, share, cut, heard=heard)

    @rule(
        target=uploads,
        along=st.floats(0, 0.6),
        cut=st.floats(0, 1),
        deaf=st.booleans(),
        resume=st.booleans(),
    )
    def two_connections(self, along: float, cut: float, deaf: bool, resume: bool) -> Client:
        """A newer request comes while the older one, on a half-open connection, still reads."""
        client = self._create(LENGTHS[-1], along)

        def newer() -> None:
            self.ask(client)
            if resume:
                self._patch(client, cut, 1)

        offset = client.believed
        body = (DeafBody if deaf else ScriptedBody)(client.content[offset:], newer)
        with self._refusals():
            self.world.intake.uploads.append(
                self.session,
                client.upload,
                Append(offset, len(client.content) - offset, None),
                body,
            )
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
        """HEAD: never less than what was acknowledged, and from now on that is acknowledged."""
        if client.is_gone or client.is_over:
            return
        offset = self.world.intake.uploads.status(self.session, client.upload).offset
        assert client.acknowledged <= offset <= len(client.content)
        client.acknowledged = client.believed = offset

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

    @rule(
        client=uploads,
        share=st.floats(0, 1),
        at=st.integers(1, 14),
        torn=st.floats(0, 1),
        power=st.none() | st.integers(0, 3),
    )
    def die(self, client: Client, share: float, at: int, torn: float, power: int | None) -> None:
        """The process is killed, or the power fails, in the middle of a request."""
        self.world.disk.trouble = Trouble(at, "die", torn)
        with suppress(DiedError):
            self._patch(client, share, 1)
        self.world.disk.trouble = None
        if power is not None:
            self.world.disk.lose_power(lambda waiting: min(power, waiting))
        self.world.start(clean=False)

    @rule(kept=st.integers(0, 3))
    def power_fails(self, kept: int) -> None:
        """The power fails while nothing is being sent: only what was not synced may go."""
        self.world.disk.lose_power(lambda waiting: min(kept, waiting))
        self.world.start(clean=False)

    @rule(
        client=uploads,
        share=st.floats(0, 1),
        at=st.integers(1, 6),
        kind=st.sampled_from(["full", "sync fails"]),
        torn=st.floats(0, 1),
    )
    def disk_fails(self, client: Client, share: float, at: int, kind: str, torn: float) -> None:
        """The disk is full for a while, or one fsync fails."""
        self.world.disk.trouble = Trouble(at, kind, torn)
        try:
            self._patch(client, share, 1)
        finally:
            self.world.disk.trouble = None

    @rule()
    def restart(self) -> None:
        """The service is restarted as it should be."""
        self.world.start(clean=True)

    @rule()
    def a_month_passes(self) -> None:
        """What nobody moved expires: its key is gone, its chunks stay."""
        self.world.now += 32 * DAY
        self.world.intake.housekeeping.daily()
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
            self._check(client)

    def _check(self, client: Client) -> None:
        row = None if client.is_gone else self.world.row(self.session, client.upload)
        if row is None:
            assert client.is_gone or client.acknowledged == 0
            client.is_gone = True
        elif row.state is State.COMPLETE:
            sealed = self.world.sealed(client.upload)
            assert reader.read(sealed, client.key).content == client.content
        elif row.state is State.OPEN:
            assert self.world.intake.uploads.peek(self.session, row) >= client.acknowledged
            salvaged = self._salvaged(client)
            assert len(salvaged) >= client.acknowledged
            assert client.content.startswith(salvaged)

    def _salvaged(self, client: Client) -> bytes:
        """Read file and tail; nothing if not even the head is on disk."""
        sealed, tail = self.world.sealed(client.upload), self.world.tail(client.upload)
        if len(sealed) < SEALED_CHUNK and not tail:
            return b""
        return reader.read_partial(sealed, client.key, tail).content

    # --- how

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
            client.acknowledged = max(client.acknowledged, status.offset)
            if heard:
                client.believed = status.offset

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Let a refusal be an answer: the invariant tells whether it told the truth."""
        with suppress(Refusal):
            yield


def _content(seed: int, length: int) -> bytes:
    return hashlib.shake_128(bytes([seed % 256])).digest(length)


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
