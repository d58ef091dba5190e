"""Promise 2: whatever kills the server, and whenever, nothing that was acknowledged is lost."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest
import requests

from tests.faults.records import ask, upload_id
from tests.faults.sending import Crowd, FormSource, Source, TusSource
from tests.faults.tracing import WRITING, attached, inject
from tests.live import Live, running, wait_until

_LONGEST = 3 << 20  # octets of one upload


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server as it is shipped."""
    with running(tmp_path_factory.mktemp("live")) as live:
        yield live


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with one worker, so that there is one to sit on."""
    with running(tmp_path_factory.mktemp("lone"), workers=1) as live:
        yield live


def kill_and_start(live: Live) -> None:
    """End everything at one stroke, as a power cut ends processes; then begin again."""
    live.kill()
    live.start()


def kill_a_worker(live: Live) -> None:
    """End one worker only; the master starts another."""
    os.kill(live.workers()[0], signal.SIGKILL)


def survive(live: Live, folder: Path, rounds: int) -> None:
    """Let sources send while the server is killed again and again; then open everything."""
    random, before = Random(f"{live.port}"), set(live.uploads.glob("*.tar.gpg"))
    tus = [TusSource(live, random, _LONGEST) for _ in range(3)]
    forms = [FormSource(live, random, _LONGEST // 4)]
    crowd = Crowd([*tus, *forms])
    crowd.start()
    for number in range(rounds):
        time.sleep(random.uniform(0.05, 0.5))
        kill_a_worker(live) if number % 3 == 2 else kill_and_start(live)
        if crowd.failures:
            break
    crowd.finish()
    assert sum(source.resumed for source in tus), "no kill ever met an upload on its way"
    kill_and_start(live)
    check_everything_opens(live, folder, set(live.uploads.glob("*.tar.gpg")) - before, tus, forms)


def check_everything_opens(
    live: Live,
    folder: Path,
    sealed: set[Path],
    tus: list[TusSource],
    forms: list[FormSource],
) -> None:
    """Each acknowledged octet opens; nothing lies there that nobody sent or can go on with."""
    sources: list[Source] = [*tus, *forms]
    unfinished = {upload for source in sources for upload in unfinished_of(live, source)}
    whole = [path for path in sealed if path.name[:26] not in unfinished]
    everything = [live.open(path, folder / "opened") for path in whole]
    introduced = Counter(each.name for each in everything if each.name.startswith("reply-to-"))
    assert set(introduced.values()) == {1}, "a source was introduced twice"
    assert len(introduced) == len(sources)
    opened = Counter(each.content for each in everything if each.name not in introduced)
    uploaded = Counter(upload.content for source in tus for upload in source.uploads)
    assert uploaded <= opened, "an acknowledged upload is missing"
    rest = opened - uploaded
    acknowledged = set().union(*(source.acknowledged for source in forms))
    sent = set().union(*(source.sent for source in forms))
    assert acknowledged <= set(rest), "an acknowledged form or message is missing"
    assert set(rest) <= sent
    assert max(rest.values(), default=0) <= 1


def unfinished_of(live: Live, source: Source) -> list[str]:
    """Ask which uploads a source can go on with."""
    drop = source.session.get(f"{live.base}/drop", timeout=30).json()
    return [upload_id(upload["url"]) for upload in drop["unfinished"]]


def test_nothing_acknowledged_is_lost_by_kill_9(live: Live, tmp_path: Path) -> None:
    """GL delivery.py, 201 before durable: twelve kills amid uploads, forms and messages."""
    survive(live, tmp_path, rounds=12)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_acknowledged_is_lost_by_300_kills(live: Live, tmp_path: Path) -> None:
    """The same for as many rounds as patience lasts."""
    for block in range(15):
        survive(live, tmp_path / f"{block}", rounds=20)


def test_a_killed_worker_makes_open_uploads_suspect(live: Live, tmp_path: Path) -> None:
    """A worker that dies alone leaves its uploads to be read back before they are complete."""
    source = TusSource(live, Random(1), 1)
    content = Random(2).randbytes(500_000)
    url = live.create(source.session, len(content))
    assert live.append(source.session, url, 0, content[:300_001]).status_code == 204
    kill_a_worker(live)
    suspect = "select suspect from uploads where id = ?"
    wait_until(lambda: ask(live, suspect, upload_id(url)) == [(1,)])
    assert live.offset(source.session, url) == 300_001
    assert live.append(source.session, url, 300_001, content[300_001:]).status_code == 204
    assert live.open(live.uploads / f"{upload_id(url)}.tar.gpg", tmp_path).content == content


def test_a_codename_acknowledged_before_a_kill_lets_its_source_in(live: Live) -> None:
    """The source has written the codename down and has nothing else."""
    source = live.new_source()
    kill_and_start(live)
    fields = {"codename": source.codename}  # type: ignore[attr-defined] # set by Live
    headers = {"Accept": "application/json"}
    answer = requests.post(f"{live.base}/session", data=fields, headers=headers, timeout=30)
    assert answer.status_code == 200


class Step:
    """One request on an upload of 200,001 octets, in the state before it."""

    content = Random(3).randbytes(200_001)

    def __init__(self, live: Live, begin: int, end: int) -> None:
        """Prepare a PATCH from `begin` to `end`."""
        self.live, self.begin, self.end = live, begin, end
        self.source = live.new_source()
        self.url = live.create(self.source, len(self.content))
        if begin:
            self.send(0, begin)

    def send(self, begin: int, end: int) -> None:
        """Send octets; AssertionError if they are refused, RequestException if nobody answers."""
        answer = self.live.append(self.source, self.url, begin, self.content[begin:end])
        assert answer.status_code == 204

    def run(self) -> bool:
        """Send the step's octets; False if the server died over it."""
        with suppress(requests.RequestException):
            self.send(self.begin, self.end)
            return True
        return False

    def go_on(self, answered: bool) -> None:
        """Go on after the server is back, and look at what arrived."""
        offset = self.live.offset(self.source, self.url)
        assert offset >= (self.end if answered else self.begin)
        if offset < len(self.content):
            self.send(offset, len(self.content))
        assert self.live.offset(self.source, self.url) == len(self.content)

    def check(self, folder: Path, leftovers: set[str]) -> None:
        """Open the sealed file, and see that nothing but `leftovers` lies beside it."""
        upload = upload_id(self.url)
        sealed = self.live.uploads / f"{upload}.tar.gpg"
        beside = {path.name[26:] for path in self.live.uploads.glob(f"{upload}*")}
        assert {".tar.gpg"} <= beside <= {".tar.gpg", *leftovers}
        assert sealed.stat().st_mtime % 86400 == 0
        assert self.live.open(sealed, folder).content == self.content


@contextmanager
def deadly(live: Live, call: str, when: int) -> Iterator[None]:
    """Kill the worker before the `when`-th system call of that name in its next request."""
    [worker] = live.workers()
    options = inject(call, "signal=SIGKILL", when)
    with attached(worker, live.folder / "trace", *options):
        yield


def kill_before(live: Live, step: Step, call: str, when: int, *, all_at_once: bool) -> bool:
    """Kill the server before a system call of a step, and go on; False if it never came to it."""
    with deadly(live, call, when):
        answered = step.run()
    if not answered and all_at_once:
        kill_and_start(live)
    wait_until(live.answers)
    step.go_on(answered)
    # What a lone worker leaves is sealed, and goes with the next start or the daily work.
    step.check(live.folder / "opened", set() if all_at_once else {".tail", ".tail.new"})
    return not answered


# Into the middle of a chunk; from there over an edge; and to the end.
FIRST, MIDDLE, LAST = (0, 100_000), (100_000, 180_000), (180_000, 200_001)


@pytest.mark.parametrize(
    ("step", "call", "when"),
    [
        (FIRST, "rename", 1),
        (MIDDLE, "fsync", 3),
        (MIDDLE, "rename", 1),
        (LAST, "pwrite64", 2),
        (LAST, "fsync", 2),
        (LAST, "fdatasync", 1),
        (LAST, "unlink", 1),
    ],
)
def test_killed_before_one_system_call_nothing_is_lost(
    lone: Live, step: tuple[int, int], call: str, when: int
) -> None:
    """A sample of the next test: the moments that are the most intricate."""
    all_at_once = call in {"unlink", "fdatasync"}
    assert kill_before(lone, Step(lone, *step), call, when, all_at_once=all_at_once)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("call", WRITING.split(","))
@pytest.mark.parametrize(("begin", "end"), [FIRST, MIDDLE, LAST, (0, 200_001)])
@pytest.mark.parametrize("all_at_once", [False, True])
def test_killed_before_every_system_call_nothing_is_lost(
    lone: Live, call: str, begin: int, end: int, all_at_once: bool
) -> None:
    """Every index of every writing system call, until the request gets through alive."""
    when = 1
    while kill_before(lone, Step(lone, begin, end), call, when, all_at_once=all_at_once):
        when += 1
