"""The way breaks, the program dies, the desk lies: the stick ends up right."""

import signal

import pytest

from tests.fetch.circuit import Circuit
from tests.fetch.errand import Errand, digest, finish, kept, kill_when, send
from tests.live import Live, free_port, wait_until


def require_right(errand: Errand, upload: str) -> None:
    """Compare the stick with the server."""
    assert errand.sealed(upload).read_bytes() == kept(errand.live, upload)
    assert errand.index()[upload].items() >= digest(kept(errand.live, upload)).items()
    assert errand.parts() == []


def test_a_break_at_any_octet_costs_nothing(live: Live, errand: Errand) -> None:
    """Connections that end after 1 octet, in a head, in a listing, in a sealed file."""
    upload = send(live, 300_000)
    cuts = [30, 1, 700, 1_500, 2_100, *range(4_000, 60_000, 6_011)]
    with Circuit(live.desk_port, cuts) as circuit:
        errand.base = circuit.base
        ended = errand.run()
        assert circuit.cuts_left == 0
    assert ended.code == 0, ended.complained
    require_right(errand, upload)


def test_what_came_is_not_fetched_again(live: Live, errand: Errand) -> None:
    """Through many breaks the sealed octets cross the wire once, and little more."""
    upload = send(live, 2_000_000)
    with Circuit(live.desk_port, [100_000] * 30) as circuit:
        errand.base = circuit.base
        ended = errand.run()
        assert ended.code == 0, ended.complained
        assert circuit.broken >= 20
        assert circuit.octets < 1.5 * len(kept(live, upload))
    require_right(errand, upload)


def test_a_killed_run_goes_on(live: Live, errand: Errand) -> None:
    """kill -9 in the middle of a file: the next run begins where it was."""
    upload = send(live, 3_000_000)
    with Circuit(live.desk_port) as circuit:
        errand.base = circuit.base
        circuit.stall_after = 1_000_000
        process = errand.begin()
        assert circuit.stalled.wait(60)
        part = errand.part(upload)
        kill_when(process, part, 500_000)
    had = part.stat().st_size
    with Circuit(live.desk_port) as circuit:
        errand.base = circuit.base
        ended = errand.run()
        assert ended.code == 0, ended.complained
        assert b"Range: bytes=%d-" % had in circuit.asked
        assert circuit.octets < len(kept(live, upload)) - had + 50_000
    require_right(errand, upload)


def test_ctrl_c_keeps_what_came(live: Live, errand: Errand) -> None:
    """Even while nothing comes at all: it ends at once, in words, and the next run goes on."""
    upload = send(live, 3_000_000)
    with Circuit(live.desk_port) as circuit:
        errand.base = circuit.base
        circuit.stall_after = 1_000_000
        process = errand.begin()
        assert circuit.stalled.wait(60)
        part = errand.part(upload)
        wait_until(lambda: part.exists() and part.stat().st_size > 500_000)
        process.send_signal(signal.SIGINT)
        ended = finish(process)
    assert (ended.code, "run it again" in ended.complained) == (130, True)
    assert errand.part(upload).stat().st_size > 500_000
    errand.base = ""
    assert errand.run().code == 0
    require_right(errand, upload)


def test_a_turned_bit_is_found_and_fetched_again(live: Live, errand: Errand) -> None:
    """What is not what the desk has is thrown away, and comes right the second time."""
    upload = send(live, 300_000)
    with Circuit(live.desk_port, flips=1) as circuit:
        errand.base = circuit.base
        ended = errand.run()
        assert (ended.code, circuit.flips) == (0, 0), ended.complained
    require_right(errand, upload)


def test_what_is_wrong_twice_is_said(live: Live, errand: Errand) -> None:
    """Then it is not on the stick, not in the index, not marked; the next run tries again."""
    upload = send(live, 300_000)
    with Circuit(live.desk_port, flips=1_000) as circuit:
        errand.base = circuit.base
        ended = errand.run("--delete-after")
    assert (ended.code, "not what the desk has" in ended.complained) == (3, True)
    assert (errand.index(), errand.parts()) == ({}, [])
    assert kept(live, upload)
    errand.base = ""
    assert errand.run().code == 0
    require_right(errand, upload)


def test_a_damaged_part_is_thrown_away(live: Live, errand: Errand) -> None:
    """A stick that was pulled can have anything in what was written last."""
    upload = send(live, 300_000)
    errand.run()
    sealed = errand.sealed(upload)
    sealed.with_name(sealed.name + ".part").write_bytes(b"\0" * 100_000)
    sealed.unlink()
    assert errand.run("--all").code == 0
    require_right(errand, upload)


def test_a_desk_that_is_away_is_waited_for(live: Live, errand: Errand) -> None:
    """It is said once, and the run goes on when the desk is back."""
    upload = send(live, 50_000)
    port = free_port()
    errand.base = f"http://127.0.0.1:{port}"
    process = errand.begin()
    assert process.stderr is not None
    assert "the desk does not answer" in process.stderr.readline()
    with Circuit(live.desk_port, listen=port):
        ended = finish(process)
    assert ended.code == 0, ended.complained
    require_right(errand, upload)


def test_without_tor_it_waits_for_tor(live: Live, errand: Errand) -> None:
    """And through it, each line of the run has circuits of its own; the name goes to Tor as it is."""
    upload = send(live, 50_000)
    onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"
    port = free_port()
    process = errand.begin("--desk", f"http://{onion}", "--socks", f"127.0.0.1:{port}")
    assert process.stderr is not None
    assert f"Tor is not running at 127.0.0.1:{port}" in process.stderr.readline()
    with HostFor(live.desk_port, onion) as desk, Circuit(desk.port, socks=True, listen=port) as tor:
        ended = finish(process)
        assert ended.code == 0, ended.complained
        assert set(tor.names) == {(onion.encode(), 80)}
        assert len(set(tor.identities)) == len(tor.identities) > 1
    require_right(errand, upload)


class HostFor(Circuit):
    """Stands for the onion service: the desk of the tests answers to 127.0.0.1 alone."""

    def __init__(self, port: int, name: str) -> None:
        super().__init__(port)
        self._name = f"Host: {name}".encode()

    def translated(self, octets: bytes) -> bytes:
        return octets.replace(self._name, b"Host: 127.0.0.1")


def test_an_onion_that_tor_does_not_find_is_waited_for(live: Live, errand: Errand) -> None:
    """Tor's own reason comes in words, and nothing is lost."""
    onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"
    with Circuit(free_port(), socks=True) as tor:
        tor.refusal = 0xF4
        process = errand.begin("--desk", f"http://{onion}", "--socks", f"127.0.0.1:{tor.port}")
        assert process.stderr is not None
        assert "client key" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert finish(process).code == 130


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\n"]
)
def test_nobody_is_followed_elsewhere(errand: Errand, answer: bytes) -> None:
    """A page that sends on is no desk; the passphrase is not sent on."""
    with Liar(answer + b"Content-Length: 0\r\n\r\n") as liar:
        errand.base = liar.base
        ended = errand.run()
    assert (ended.code, "no desk" in ended.complained) == (1, True)


class Liar(Circuit):
    """Answers every connection with the same octets."""

    def __init__(self, said: bytes) -> None:
        super().__init__(0)
        self._said = said

    def _serve(self, client):  # type: ignore[no-untyped-def]
        with client:
            client.recv(1 << 16)
            client.sendall(self._said)


@pytest.mark.parametrize(
    "said", [b'{"sources": [{"id": "x", "designation": "../../\\u001b[2J"}]}', b"<html>", b"[1"]
)
def test_a_desk_that_lies_ends_the_run(errand: Errand, said: bytes) -> None:
    """What it says is not a path, and does not reach the terminal."""
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: nightferry_desk=%s\r\n" % (b"a" * 43)
    with Liar(head + b"Content-Length: %d\r\n\r\n" % len(said) + said) as liar:
        errand.base = liar.base
        ended = errand.run()
    assert (ended.code, "\x1b" in ended.complained) == (1, False)
    assert "does not understand" in ended.complained
    assert [path.name for path in errand.home.iterdir()] == ["lock"]


def test_words_of_a_liar_do_not_act(errand: Errand) -> None:
    """A refusal's words are written out, not obeyed."""
    said = b'{"error": "wrong \\u001b]0;title\\u0007 \\u202e"}'
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n" % len(said)
    with Liar(head + said) as liar:
        errand.base = liar.base
        ended = errand.run()
    assert ended.code == 1
    assert "<U+001B>" in ended.complained
    assert ended.complained.replace("\n", "").isprintable()
