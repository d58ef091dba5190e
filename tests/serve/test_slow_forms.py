"""Strangers who open many connections and say next to nothing on them: what is left for sources."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest
import requests

from submit.serve.reader import Crowd, Patience, PatientUnreader
from tests.live import Live, running
from tests.serve.wire import Wire

FORM = "application/x-www-form-urlencoded"
DRIPS = 12
LONG = 200_000  # octets of a message's body that needs a place to be read
PLACES = 32  # for such messages, in one worker
TEXT = "What I saw, written for an hour. "
FOR_EVER = 60.0


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Give a server of one worker, so that its places can be counted."""
    with running(tmp_path_factory.mktemp("alone"), workers=1) as live:
        yield live


def begin(
    wire: Wire,
    path: str,
    length: int,
    source: requests.Session | None = None,
    kind: str = FORM,
    accepted: str = "",
) -> None:
    """Send the head of a POST."""
    cookie = f"Cookie: nightferry={source.cookies['nightferry']}\r\n" if source else ""
    accepted = accepted or ("application/json" if source else "text/html")
    wire.send(
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{cookie}Content-Type: {kind}\r\n"
        f"Accept: {accepted}\r\n"
        f"Content-Length: {length}\r\n\r\n".encode()
    )


def drip(*wires: Wire, octets: bytes = b"t" * DRIPS) -> None:
    """Send one octet after the other, each long before the silence is too long."""
    for octet in octets:
        for wire in wires:
            try:
                wire.send(bytes([octet]))
            except ConnectionError:  # it was given up
                continue
        time.sleep(0.8)  # be slow


def test_a_form_that_drips_is_given_up(impatient: Live) -> None:
    """Whatever short form it is: one octet now and then holds no thread, and the answer says so."""
    paths = ("/session", "/source", "/session/end", "/drop/messages")
    with ExitStack() as stack:
        wires = [stack.enter_context(closing(Wire(impatient))) for _ in paths]
        for wire, path in zip(wires, paths, strict=True):
            begin(wire, path, DRIPS)
        drip(*wires)
        answers = [wire.answer() for wire in wires]
    assert [answer[:13] for answer in answers] == [b"HTTP/1.1 408 "] * len(paths)


def test_a_large_form_that_drips_before_its_token_is_given_up(impatient: Live) -> None:
    """Only who holds a place among the uploads may be as slow as that."""
    source = impatient.new_source()
    token = source.get(f"{impatient.base}/drop", timeout=30).json()["token"]
    form = (
        f'\r\n--x\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n--x\r\n'
        'Content-Disposition: form-data; name="files"; filename="a"\r\n\r\n\r\n--x--\r\n'
    ).encode()
    with closing(Wire(impatient)) as wire:
        length = DRIPS + len(form)
        begin(wire, "/drop/files", length, source, "multipart/form-data; boundary=x", "text/html")
        drip(wire)
        with suppress(ConnectionError):
            wire.send(form)
        assert wire.answer().startswith(b"HTTP/1.1 400 ")


def test_files_of_a_form_may_drip(impatient: Live) -> None:
    """They are not short: each octet renews the patience, as for every upload."""
    source = impatient.new_source()
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
    slow, end = b"0123456789", b"\r\n--x--\r\n"
    with closing(Wire(impatient)) as wire:
        length = len(head + slow + end)
        begin(wire, "/drop/files", length, source, "multipart/form-data; boundary=x")
        wire.send(head)
        drip(wire, octets=slow)
        wire.send(end)
        assert wire.answer().startswith(b"HTTP/1.1 201 ")


def test_a_creation_that_brings_octets_may_drip(impatient: Live) -> None:
    """An upload is one, whichever request its octets come with."""
    source = impatient.new_source()
    with closing(Wire(impatient)) as wire:
        wire.send(
            f"POST /uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nTus-Resumable: 1.0.0\r\n"
            f"Cookie: nightferry={source.cookies['nightferry']}\r\nUpload-Length: {DRIPS}\r\n"
            "Content-Type: application/offset+octet-stream\r\n"
            f"Content-Length: {DRIPS}\r\n\r\n".encode()
        )
        drip(wire)
        assert wire.answer().startswith(b"HTTP/1.1 201 ")


def test_half_a_message_is_not_taken_for_a_whole_one(server: Live) -> None:
    """A connection that breaks in the middle of a message leaves nothing at the staff's."""
    source = server.new_source()
    with closing(Wire(server)) as wire:
        begin(wire, "/drop/messages", 1000, source)
        wire.send(b"text=Do+not+come.+If+you+can+read+only+this")
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.is_closed()
    assert source.get(f"{server.base}/drop", timeout=30).json()["received"]["messages"] == 0


def write(live: Live, source: requests.Session, text: str) -> requests.Response:
    """Send a message as a program does."""
    return source.post(f"{live.base}/drop/messages", json={"text": text}, timeout=60)


def test_strangers_take_no_place_of_those_who_are_inside(alone: Live) -> None:
    """More of them than there are places, each with a long message that never comes."""
    source = alone.new_source()
    with ExitStack() as stack:
        for _ in range(PLACES + 8):
            wire = stack.enter_context(closing(Wire(alone)))
            begin(wire, "/drop/messages", LONG)
            wire.send(b"t")
        assert alone.answers()
        for text in (TEXT, TEXT * (LONG // len(TEXT))):
            assert write(alone, source, text).status_code == 201


def test_a_short_message_needs_no_place(alone: Live) -> None:
    """Sources with long messages, all places taken: a long one more waits, a short one arrives."""
    source = alone.new_source()
    with ExitStack() as stack:
        for _ in range(PLACES):
            wire = stack.enter_context(closing(Wire(alone)))
            begin(wire, "/drop/messages", LONG, source)
            wire.send(b"t")
        assert alone.answers()
        refused = write(alone, source, TEXT * (LONG // len(TEXT)))
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
        assert write(alone, source, TEXT).status_code == 201


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give the two ends of a connection."""
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def test_in_a_crowd_a_request_has_less_time(ends: tuple[socket.socket, socket.socket]) -> None:
    """Head or short body: the more of them wait, the sooner each is given up."""
    crowd = Crowd(1)
    patience = Patience(FOR_EVER, FOR_EVER, crowded=0.1)
    reader = PatientUnreader(ends[0], patience, lambda: False, crowd)
    with crowd.join():
        for begin_to_wait in (reader.begin_head, reader.begin_body):
            begin_to_wait()
            reader.cut = False
            assert (reader.chunk(), reader.late) == (b"", True)


def test_in_a_crowd_an_upload_has_all_its_time(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """It holds a place of its own, which no page needs; and it is nobody's crowd."""
    crowd = Crowd(1)
    patience = Patience(FOR_EVER, FOR_EVER, crowded=0.1)
    reader = PatientUnreader(ends[0], patience, lambda: False, crowd)
    reader.begin_body()
    reader.take_time()
    sending = threading.Timer(1, ends[1].sendall, [b"octets"])
    with crowd.join():
        sending.start()
        assert reader.chunk() == b"octets"
    sending.join()


def test_alone_a_request_has_all_its_time(ends: tuple[socket.socket, socket.socket]) -> None:
    """Who comes slowly over Tor, while nobody else does, is waited for."""
    patience = Patience(FOR_EVER, FOR_EVER, crowded=0.1)
    reader = PatientUnreader(ends[0], patience, lambda: False, Crowd(1))
    reader.begin_body()
    sending = threading.Timer(1, ends[1].sendall, [b"octets"])
    sending.start()
    assert reader.chunk() == b"octets"
    sending.join()
