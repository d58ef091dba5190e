"""Many connections, slow ones, dead ones: what the worker does with each."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http import HTTPStatus
from pathlib import Path

import pytest
import requests

from crypto.layout import CHUNK
from tests.live import Live, running, wait_until
from tests.serve.wire import Wire

SLOW_UPLOADS = 300


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Give a server that admits three uploads at once."""
    folder = tmp_path_factory.mktemp("crowded")
    with running(folder, uploads_at_once=3, threads=40, workers=1) as live:
        yield live


@pytest.mark.parametrize("repetition", range(6))
def test_a_new_connection_resumes_while_the_old_one_is_half_open(
    server: Live, tmp_path: Path, repetition: int
) -> None:
    """The newest request owns the upload, whichever of the worker processes has the older one."""
    del repetition  # the kernel spreads connections over the workers
    content = os.urandom(300_000)
    source = server.new_source()
    url = server.create(source, len(content))
    with closing(Wire(server)) as old:
        old.begin_patch(source, url, 0, len(content))
        old.send(content[:200_000])
        wait_until(lambda: server.sealed(url).stat().st_size > CHUNK)
        offset = server.offset(source, url)
        assert server.append(source, url, offset, content[offset:]).status_code == 204
        assert server.offset(source, url) == len(content)
        assert b" 409 " in old.answer()
    opened = server.open(server.sealed(url), tmp_path)
    assert opened.content == content


def test_an_old_patch_sent_again_stops_nobody(server: Live) -> None:
    """A browser's unasked re-send with an old offset gets 409; the first request goes on."""
    source = server.new_source()
    content = os.urandom(200_000)
    url = server.create(source, len(content))
    assert server.append(source, url, 0, content[:100]).status_code == 204
    with closing(Wire(server)) as first:
        first.begin_patch(source, url, 100, len(content) - 100)
        first.send(content[100:70_000])
        assert server.append(source, url, 0, content[:100]).status_code == 409
        first.send(content[70_000:])
        assert first.answer().startswith(b"HTTP/1.1 204 ")


def test_a_slow_sender_is_kept(impatient: Live) -> None:
    """One octet at a time, each before the silence is too long, for longer than the silence."""
    source = impatient.new_source()
    url = impatient.create(source, 8)
    with closing(Wire(impatient)) as wire:
        wire.begin_patch(source, url, 0, 8)
        for octet in range(8):
            wire.send(bytes([octet]))
            _pause(0.8)
        assert wire.answer().startswith(b"HTTP/1.1 204 ")


def test_a_silent_sender_is_dropped_and_what_came_is_kept(impatient: Live) -> None:
    """A frozen circuit tells nobody: the server ends it, and nothing that came is lost."""
    source = impatient.new_source()
    url = impatient.create(source, 100_000)
    with closing(Wire(impatient)) as wire:
        wire.begin_patch(source, url, 0, 100_000)
        wire.send(b"x" * 70_001)
        assert wire.is_closed()
    assert impatient.offset(source, url) == 70_001


def test_more_uploads_than_places_are_told_to_wait(crowded: Live) -> None:
    """503 with Retry-After for the fourth; pages go on, and a place that is free is given."""
    source = crowded.new_source()
    content = os.urandom(2 * CHUNK)
    urls = [crowded.create(source, len(content)) for _ in range(4)]
    with ExitStack() as stack:
        wires = [stack.enter_context(closing(Wire(crowded))) for _ in urls[:3]]
        for wire, url in zip(wires, urls, strict=False):
            wire.begin_patch(source, url, 0, len(content))
            wire.send(content[:-1])
            wait_until(lambda url=url: crowded.sealed(url).stat().st_size > CHUNK)  # type: ignore[misc]
        refused = crowded.append(source, urls[3], 0, content)
        assert refused.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert refused.headers["Retry-After"] == "30"
        assert "kept" in refused.text
        assert crowded.answers()
        for wire in wires:
            wire.send(content[-1:])
            assert wire.answer().startswith(b"HTTP/1.1 204 ")
    assert crowded.append(source, urls[3], 0, content).status_code == HTTPStatus.NO_CONTENT


def test_pages_answer_while_three_hundred_slow_uploads_run(server: Live) -> None:
    """Uploads never take the threads that pages need."""
    source = server.new_source()
    with ExitStack() as stack:
        for _ in range(SLOW_UPLOADS):
            url = server.create(source, 1000)
            wire = stack.enter_context(closing(Wire(server)))
            wire.begin_patch(source, url, 0, 1000)
            wire.send(b"slow")
        for _ in range(20):
            assert server.answers()
        page = source.get(f"{server.base}/drop", timeout=30).json()
        assert len(page["unfinished"]) == SLOW_UPLOADS


def test_a_stop_keeps_every_octet_that_had_arrived(tmp_path: Path) -> None:
    """SIGTERM ends all uploads that run, each with exactly what it had received."""
    with running(tmp_path) as live:
        source = live.new_source()
        urls = [live.create(source, 1_000_000) for _ in range(8)]
        with ExitStack() as stack:
            for number, url in enumerate(urls):
                wire = stack.enter_context(closing(Wire(live)))
                wire.begin_patch(source, url, 0, 1_000_000)
                wire.send(b"x" * (100_000 + number))
            wait_until(lambda: _arrived(live) == len(urls))
            live.stop()
        assert not list((live.data / "run").glob("worker-*"))
        live.start()
        assert [live.offset(source, url) for url in urls] == [100_000 + n for n in range(8)]


def _arrived(live: Live) -> int:
    """Count the uploads whose first chunk is on disk: their requests are being received."""
    return sum(path.stat().st_size > CHUNK for path in live.uploads.glob("*.tar.gpg"))


def test_a_flood_of_guesses_leaves_the_pages_alone(crowded: Live) -> None:
    """LESSONS 22: more codenames than can wait are told to come back; nobody is locked out."""
    words = "abacus abdomen abdominal abide abiding ability ablaze able"

    def guess(_: int) -> int:
        headers = {"Accept": "application/json"}
        address = f"{crowded.base}/session"
        guessed = requests.post(address, {"codename": words}, headers=headers, timeout=60)
        return int(guessed.status_code)

    with ThreadPoolExecutor(60) as pool:
        answers = pool.map(guess, range(60))
        assert crowded.answers()
        assert set(answers) <= {403, 503}
    crowded.new_source()


def test_nothing_but_constant_words_answers_a_request_that_cannot_be_read(server: Live) -> None:
    """Neither the client's own words, nor Server, nor Date, come back; nor are they logged."""
    for nonsense in (b"CANARY / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nCANARY CANARY: 1\r\n\r\n"):
        with closing(Wire(server)) as wire:
            wire.send(nonsense)
            answer = wire.answer()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"CANARY" not in answer
        assert b"\r\nServer:" not in answer
        assert b"\r\nDate:" not in answer
    assert "CANARY" not in server.log.read_text()


def test_ctrl_c_ends_as_gently_as_a_stop(tmp_path: Path) -> None:
    """SIGINT to the whole group, as a terminal sends it: what had arrived is kept."""
    with running(tmp_path) as live:
        source = live.new_source()
        url = live.create(source, 500_000)
        with closing(Wire(live)) as wire:
            wire.begin_patch(source, url, 0, 500_000)
            wire.send(b"x" * 123_456)
            wait_until(lambda: _arrived(live) == 1)
            live.interrupt()
        live.start()
        assert live.offset(source, url) == 123_456


def _pause(seconds: float) -> None:
    """Be a slow sender."""
    time.sleep(seconds)
