"""By which way the desk is reached: never one that shows who asks."""

import socket
import threading

import pytest

from submit.fetch.address import End, parse_end, parse_way
from submit.fetch.errors import BrokenError, FetchError
from submit.fetch.socks import Identity, connect
from tests.fetch.circuit import Circuit
from tests.live import free_port

# The Tor Project's own onion address: its checksum is somebody else's work.
ONION = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"


def test_an_onion_is_reached_through_tor() -> None:
    """Without --socks, Tor is looked for where Debian's tor listens."""
    way = parse_way(f"http://{ONION}/", None, no_tor=False)
    assert (way.desk, way.proxy) == (End(ONION, 80), End("127.0.0.1", 9050))


def test_tor_is_looked_for_where_it_is_said_to_be() -> None:
    """Tor Browser's tor listens at another port; a subdomain of an onion is the onion's."""
    way = parse_way(f"http://desk.{ONION}:8080", "127.0.0.1:9150", no_tor=False)
    assert (way.desk.port, way.proxy) == (8080, End("127.0.0.1", 9150))


def test_no_tor_does_not_lead_past_tor_to_an_onion() -> None:
    """An onion's name is never asked of anybody but Tor."""
    assert parse_way(f"http://{ONION}", None, no_tor=True).proxy is not None


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "localhost:8081"])
def test_this_machine_needs_no_tor(host: str) -> None:
    """To try it, the demo's desk is enough."""
    assert parse_way(f"http://{host}", None, no_tor=False).proxy is None


def test_any_other_host_needs_a_word() -> None:
    """It would not be anonymous, so it has to be said."""
    with pytest.raises(FetchError, match="no onion address"):
        parse_way("http://desk.example", None, no_tor=False)
    assert parse_way("http://desk.example", None, no_tor=True).proxy is None


def test_no_exit_reads_a_passphrase() -> None:
    """Through Tor to a plain http site, the exit would see everything."""
    with pytest.raises(FetchError, match="exit"):
        parse_way("http://desk.example", "127.0.0.1:9050", no_tor=True)


@pytest.mark.parametrize("at", [0, 20, 55])
def test_a_mistyped_onion_is_found_before_anybody_is_asked(at: int) -> None:
    """The address has a checksum of its own."""
    typed = ONION[:at] + ("a" if ONION[at] != "a" else "b") + ONION[at + 1 :]
    with pytest.raises(FetchError, match="mistyped"):
        parse_way(f"http://{typed}", None, no_tor=False)


@pytest.mark.parametrize(
    "typed",
    [
        f"https://{ONION}",
        f"http://ana:words@{ONION}",
        f"http://{ONION}/login",
        f"http://{ONION}?a=b",
        f"http://{ONION}:99999",
        f"http://{ONION}:port",
        "http://",
        ONION,
        "http://exa mple",
        "http://[::1",
        "http://short.onion",
        "http://.onion",
        "",
    ],
)
def test_what_is_no_address_of_a_desk_is_refused(typed: str) -> None:
    """No passphrase in an address, no path, no other scheme, no half onion."""
    with pytest.raises(FetchError):
        parse_way(typed, None, no_tor=False)


@pytest.mark.parametrize("typed", ["9050", "127.0.0.1:", ":9050", "127.0.0.1:0", "a b:1", "h:+1"])
def test_what_is_no_proxy_is_refused(typed: str) -> None:
    """A host and a port, nothing else."""
    with pytest.raises(FetchError, match="HOST:PORT"):
        parse_end(typed)


def test_tor_gets_the_name_and_a_fresh_identity() -> None:
    """The proxy resolves; each connection has a name and password that nobody used before."""
    with socket.create_server(("127.0.0.1", 0)) as desk:
        with Circuit(desk.getsockname()[1], socks=True) as tor:
            for _ in range(2):
                with connect(End("127.0.0.1", tor.port), End(ONION, 80), Identity(), 30):
                    desk.accept()[0].close()
        assert tor.names == [(ONION.encode(), 80)] * 2
        assert len({name for name, _ in tor.identities}) == 2
        assert all(len(name) == 32 and len(word) == 32 for name, word in tor.identities)


@pytest.mark.parametrize(
    ("status", "words"),
    [(1, "finds no way"), (4, "finds no way"), (0xF0, "descriptor"), (0xF4, "client key")],
)
def test_tors_no_comes_in_words(status: int, words: str) -> None:
    """What to look at: is the desk up, is the client key there."""
    with Circuit(free_port(), socks=True) as tor:
        tor.refusal = status
        with pytest.raises(BrokenError, match=words):
            connect(End("127.0.0.1", tor.port), End(ONION, 80), Identity(), 30)


def test_no_tor_at_all_comes_in_words() -> None:
    """The commonest trouble of all."""
    port = free_port()
    with pytest.raises(BrokenError, match=f"Tor is not running at 127.0.0.1:{port}"):
        connect(End("127.0.0.1", port), End(ONION, 80), Identity(), 30)


def test_another_program_is_not_taken_for_tor() -> None:
    """A web server at that port speaks no SOCKS."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        def answer() -> None:
            client = other.accept()[0]
            client.recv(100)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            client.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(BrokenError, match="not Tor"):
            connect(End("127.0.0.1", port), End(ONION, 80), Identity(), 30)
        thread.join(30)
