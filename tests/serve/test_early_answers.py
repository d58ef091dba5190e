"""An answer that comes while the client is still sending; docs/decisions/0011-early-answers.md."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.live import Live, running, wait_until
from tests.serve.wire import Wire

PIECE = bytes(1 << 20)
PIECES = 40  # more than a connection that only lingers would take


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Give a server that waits three seconds for the next octet."""
    with running(tmp_path_factory.mktemp("impatient"), body_idle_seconds=3) as live:
        yield live


def begin_form(wire: Wire, accept: str) -> None:
    """Send the head of a form without a session, and a first piece of it."""
    wire.send(
        f"POST /drop/files HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {accept}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {PIECES * len(PIECE)}\r\n\r\n".encode()
    )
    wire.send(PIECE)


def test_a_browser_has_its_answer_and_may_send_all_the_same(server: Live) -> None:
    """The answer is there first; then everything is taken, and the end is no reset."""
    with closing(Wire(server)) as wire:
        begin_form(wire, "text/html")
        assert wire.answer().startswith(b"HTTP/1.1 403 ")
        for _ in range(PIECES - 1):
            wire.send(PIECE)
        while wire.socket.recv(65_536):  # the page; a reset would be an error here
            pass


def test_a_program_is_not_kept(server: Live) -> None:
    """It has read the answer, so the connection ends in the middle of what it sends."""
    with closing(Wire(server)) as wire:
        begin_form(wire, "application/json")
        assert wire.answer().startswith(b"HTTP/1.1 403 ")
        with pytest.raises(ConnectionError):
            wire.send(PIECE * (PIECES - 1))


def test_who_falls_silent_after_a_refusal_is_dropped(impatient: Live) -> None:
    """A frozen circuit holds no thread for ever, whatever it was refused for."""
    with closing(Wire(impatient)) as wire:
        begin_form(wire, "text/html")
        assert wire.answer().startswith(b"HTTP/1.1 403 ")
        assert wire.is_closed()


def test_a_stop_does_not_wait_for_what_is_thrown_away(tmp_path: Path) -> None:
    """A server that is asked to end ends, though a browser goes on sending."""
    with running(tmp_path) as live, closing(Wire(live)) as wire:
        begin_form(wire, "text/html")
        assert wire.answer().startswith(b"HTTP/1.1 403 ")
        live.stop()
        wait_until(lambda: not live.answers())
