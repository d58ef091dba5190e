"""The breaking connection itself: a proxy that breaks nothing would let every test pass."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.proxy import IN_HEAD, Fault, Kind, Proxy

BODY = b"0123456789"
REQUEST = b"PATCH /x HTTP/1.1\r\nContent-Length: 10\r\n\r\n" + BODY
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


@contextmanager
def connected(*faults: Fault) -> Iterator[tuple[Proxy, socket.socket, socket.socket]]:
    """Give a proxy, a client that has sent REQUEST, and the server's end of its connection."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Proxy(listener.getsockname()[1], faults) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), 30) as client,
    ):
        client.sendall(REQUEST)
        server, _ = listener.accept()
        with server:
            server.settimeout(30)
            yield proxy, client, server


def receive(end: socket.socket, octets: int) -> bytes:
    """Wait for a number of octets."""
    received = b""
    while len(received) < octets and (part := end.recv(octets - len(received))):
        received += part
    return received


def hears_nothing(end: socket.socket) -> bool:
    """Tell whether neither an octet nor an end arrives, for a moment."""
    end.settimeout(0.3)
    try:
        end.recv(1)
    except TimeoutError:
        return True
    return False


def test_without_a_fault_everything_passes() -> None:
    """Request and answer arrive as they were sent, and are counted."""
    with connected() as (proxy, client, server):
        assert receive(server, len(REQUEST)) == REQUEST
        server.sendall(ANSWER)
        assert receive(client, len(ANSWER)) == ANSWER
        assert proxy.octets == len(REQUEST)
        assert proxy.answers == [("PATCH", 204)]


@pytest.mark.parametrize("after", [0, 4, 10])
def test_a_cut_lets_exactly_so_many_octets_pass(after: int) -> None:
    """The server reads the head and `after` octets of the body; then both ends are reset."""
    with connected(Fault(Kind.CUT, after=after)) as (proxy, client, server):
        passed = len(REQUEST) - len(BODY) + after
        assert receive(server, passed) == REQUEST[:passed]
        for end in (client, server):
            with pytest.raises(ConnectionResetError):
                end.recv(1)
        assert proxy.faults_left == []


def test_a_cut_in_the_head_leaves_no_request() -> None:
    """The server reads half of the head."""
    with connected(Fault(Kind.CUT, after=IN_HEAD)) as (_, _client, server):
        half = (len(REQUEST) - len(BODY)) // 2
        assert receive(server, half) == REQUEST[:half]
        with pytest.raises(ConnectionResetError):
            server.recv(1)


def test_an_end_is_orderly() -> None:
    """Both ends read that there is no more."""
    with connected(Fault(Kind.END, after=4)) as (_, client, server):
        assert receive(server, len(REQUEST)) == REQUEST[:-6]
        assert client.recv(1) == b""


def test_the_server_never_hears_of_a_ghosts_end() -> None:
    """The client is gone and knows it; the server waits on."""
    with connected(Fault(Kind.GHOST, after=4)) as (_, client, server):
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert receive(server, len(REQUEST) - 6) == REQUEST[:-6]
        assert hears_nothing(server)


def test_a_stall_is_silent_on_both_sides_even_when_the_client_goes() -> None:
    """Neither end hears anything; after the client has gone, the server still does not."""
    with connected(Fault(Kind.STALL, after=4)) as (_, client, server):
        assert receive(server, len(REQUEST) - 6) == REQUEST[:-6]
        server.sendall(ANSWER)
        assert hears_nothing(client)
        client.close()
        assert hears_nothing(server)


def test_a_held_answer_never_comes_and_the_clients_end_is_passed_on() -> None:
    """One direction alone is stalled."""
    with connected(Fault(Kind.HOLD)) as (_, client, server):
        assert receive(server, len(REQUEST)) == REQUEST
        server.sendall(ANSWER)
        assert hears_nothing(client)
        client.close()
        assert server.recv(1) == b""


def test_a_lost_answer_is_taken_from_the_server_and_given_to_nobody() -> None:
    """The whole request passes, the answer is noted, and the client's connection is cut."""
    with connected(Fault(Kind.LOSE)) as (proxy, client, server):
        assert receive(server, len(REQUEST)) == REQUEST
        server.sendall(ANSWER)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert proxy.answers == [("PATCH", 204)]


@pytest.mark.parametrize("kind", [Kind.SLOW, Kind.DELAY])
def test_what_is_late_arrives_whole(kind: Kind) -> None:
    """A slow or late request is the same request."""
    with connected(Fault(kind, after=4, amount=0.2 if kind is Kind.DELAY else 50)) as (*_, server):
        assert receive(server, len(REQUEST)) == REQUEST


def test_faults_wait_for_their_turn_and_their_request() -> None:
    """The first is for another method, so the second does not strike either."""
    faults = [Fault(Kind.CUT, "HEAD"), Fault(Kind.CUT)]
    with connected(*faults) as (proxy, _, server):
        assert receive(server, len(REQUEST)) == REQUEST
        assert proxy.faults_left == faults
