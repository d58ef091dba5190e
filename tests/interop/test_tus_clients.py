"""tuspy and tus-js-client send over connections that break, and everything arrives.

What a break costs is counted: the octets that left the client, over the file's length.
"""

import functools
import os
import socket
from base64 import b64encode
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPResponse
from itertools import repeat
from pathlib import Path

import pytest
import requests

from tests.interop.tus_client import COMMANDS, Client, Order, cookie_of
from tests.interop.tus_scenarios import MIB, NO_STALL, SCENARIOS, Scenario
from tests.live import Live, wait_until
from tests.proxy import Fault, Kind, Proxy

NAME = "съёмка 17.mp4"
LENGTH = 20 * MIB + 1
# A restart takes its time on a busy machine.
UNTIL_RESTARTED = (250,) * 160

every_client = pytest.mark.parametrize("client", COMMANDS)


@dataclass(frozen=True)
class Shipment:
    """How one scenario went."""

    proxy: Proxy
    outcome: dict[str, str]
    content: Path

    @property
    def frugality(self) -> float:
        """Octets that left the client for each octet of the file."""
        return self.proxy.octets / max(1, self.content.stat().st_size)


def make_file(folder: Path, length: int) -> Path:
    """Make a file with random content, if there is none of this length yet."""
    path = folder / str(length)
    if not path.exists():
        path.write_bytes(os.urandom(length))
    return path


def assert_arrived(server: Live, url: str, content: Path, into: Path, name: str = NAME) -> None:
    """Open what arrived with stock gpg and tar, compare it, and make room."""
    sealed = server.uploads / f"{url.rpartition('/')[2]}.tar.gpg"
    opened = server.open(sealed, into / "opened")
    assert opened.name == name
    assert opened.content == content.read_bytes()
    sealed.unlink()


def assert_only_good_news(proxy: Proxy) -> None:
    """Any answer to HEAD but 200 makes tus-js-client begin again from the first octet."""
    assert set(proxy.statuses("HEAD")) == {HTTPStatus.OK}


def unfinished_of(server: Live, source: requests.Session) -> list[dict[str, str]]:
    """Look at the source's page, which disturbs no upload."""
    unfinished: list[dict[str, str]] = source.get(f"{server.base}/drop", timeout=30).json()[
        "unfinished"
    ]
    return unfinished


def plans_of(client: str) -> dict[str, Scenario]:
    """Give what a client can do: tuspy sends nothing along with the creation."""
    can_together = client != "tuspy"
    return {name: plan for name, plan in SCENARIOS.items() if can_together or not plan.together}


@pytest.fixture(scope="module")
def ship(
    server: Live, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, Shipment]]:
    """Let a client go through all scenarios at once, each over a connection of its own."""
    folder = tmp_path_factory.mktemp("sources")

    @functools.cache
    def ship_all(client: str) -> dict[str, Shipment]:
        cookie = cookie_of(server.new_source())
        plans = plans_of(client)
        files = [make_file(folder, plan.length) for plan in plans.values()]
        with ExitStack() as stack:
            ways = [stack.enter_context(Proxy(server.port, plan.faults)) for plan in plans.values()]
            orders = map(order_of, plans.values(), ways, repeat(cookie), files)
            outcomes = stack.enter_context(Client(client, list(orders))).outcomes()
        return dict(zip(plans, map(Shipment, ways, outcomes, files), strict=True))

    return ship_all


def order_of(plan: Scenario, proxy: Proxy, cookie: str, path: Path) -> Order:
    """Say to a client what a scenario asks of it."""
    return Order(
        f"{proxy.base}/uploads",
        cookie,
        str(path),
        NAME,
        chunk=plan.chunk,
        stall=plan.stall,
        together=plan.together,
    )


@pytest.mark.parametrize(
    ("client", "scenario"),
    [(client, scenario) for client in COMMANDS for scenario in plans_of(client)],
)
def test_everything_arrives_over_a_breaking_connection(
    server: Live,
    ship: Callable[[str], dict[str, Shipment]],
    client: str,
    scenario: str,
    tmp_path: Path,
) -> None:
    """Whatever breaks, the client's own means bring it all, exactly, and hardly anything twice."""
    shipment = ship(client)[scenario]
    assert "url" in shipment.outcome, shipment.outcome
    assert shipment.proxy.faults_left == []
    assert_arrived(server, shipment.outcome["url"], shipment.content, tmp_path)
    assert set(shipment.proxy.statuses("HEAD")) <= {HTTPStatus.OK}
    print(f"octets sent for each octet: {shipment.frugality:.4f}")
    # The heads of the requests alone outweigh a file of one octet.
    assert shipment.frugality <= 1.1 or shipment.content.stat().st_size < MIB


@every_client
def test_four_uploads_of_one_source_break_at_once(
    server: Live, client: str, tmp_path: Path
) -> None:
    """Uploads of one session disturb each other neither in their octets nor in their names."""
    files = [make_file(tmp_path, 5 * MIB + number) for number in range(4)]
    cookie = cookie_of(server.new_source())
    faults = [
        *(Fault(kind, after=300_000) for kind in (Kind.CUT, Kind.GHOST, Kind.END, Kind.LOSE)),
        *(Fault(kind, skip=3, after=65_536) for kind in (Kind.GHOST, Kind.LOSE, Kind.CUT)),
    ]
    with Proxy(server.port, faults) as proxy:
        endpoint = f"{proxy.base}/uploads"
        orders = [Order(endpoint, cookie, str(file), file.name) for file in files]
        with Client(client, orders) as sender:
            urls = sender.urls()
    assert proxy.faults_left == []
    for url, file in zip(urls, files, strict=True):
        assert_arrived(server, url, file, tmp_path, file.name)
    assert_only_good_news(proxy)
    assert proxy.octets <= 1.1 * sum(file.stat().st_size for file in files)


@every_client
def test_a_second_client_goes_on_while_the_first_is_half_open(
    server: Live, client: str, tmp_path: Path
) -> None:
    """The newer client is served at once; the older one, when it wakes, finds the work done."""
    file = make_file(tmp_path, LENGTH)
    source = server.new_source()
    stall = Fault(Kind.STALL, skip=5, after=300_000)
    with Proxy(server.port, [stall]) as old_way, Proxy(server.port) as new_way:
        order = Order(f"{old_way.base}/uploads", cookie_of(source), str(file), NAME, stall=NO_STALL)
        with Client(client, [order]) as old:
            assert old_way.struck.wait(60)
            [begun] = unfinished_of(server, source)
            order = Order(
                f"{new_way.base}/uploads",
                cookie_of(source),
                str(file),
                NAME,
                url=f"{new_way.base}{begun['url']}",
            )
            with Client(client, [order]) as new:
                [url] = new.urls()
            old_way.release()
            [same] = old.urls()
    assert url.rpartition("/")[2] == same.rpartition("/")[2]
    assert_arrived(server, url, file, tmp_path)
    assert_only_good_news(old_way)
    assert_only_good_news(new_way)
    assert old_way.octets + new_way.octets <= 1.1 * LENGTH


@pytest.mark.parametrize("end", [Live.kill, Live.stop])
@pytest.mark.parametrize("client", ["tus-js-client", pytest.param("tuspy", marks=pytest.mark.slow)])
def test_a_restart_in_the_middle_only_delays_an_upload(
    server: Live, client: str, end: Callable[[Live], None], tmp_path: Path
) -> None:
    """Killed or asked to stop, the server comes back, and the same session's upload goes on."""
    file = make_file(tmp_path, LENGTH)
    cookie = cookie_of(server.new_source())
    slow = Fault(Kind.SLOW, skip=7, after=300_000, amount=MIB // 4)
    with Proxy(server.port, [slow]) as proxy:
        endpoint = f"{proxy.base}/uploads"
        order = Order(endpoint, cookie, str(file), NAME, delays=UNTIL_RESTARTED, stall=NO_STALL)
        with Client(client, [order]) as sender:
            assert proxy.struck.wait(60)
            end(server)
            server.start()
            [url] = sender.urls()
    assert proxy.statuses("POST") == [HTTPStatus.CREATED]
    assert_arrived(server, url, file, tmp_path)
    assert_only_good_news(proxy)
    assert proxy.octets <= 1.1 * LENGTH


def begin_append(server: Live, source: requests.Session, url: str, length: int) -> socket.socket:
    """Send the head of a PATCH at offset 0, as a browser would."""
    head = [
        f"PATCH {url.removeprefix(server.base)} HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Cookie: {cookie_of(source)}",
        "Tus-Resumable: 1.0.0",
        "Upload-Offset: 0",
        "Content-Type: application/offset+octet-stream",
        f"Content-Length: {length}",
    ]
    connection = socket.create_connection(("127.0.0.1", server.port), 30)
    connection.sendall("\r\n".join([*head, "", ""]).encode())
    return connection


def read_answer(connection: socket.socket) -> HTTPResponse:
    """Wait for an answer."""
    answer = HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer


def test_an_unasked_second_sending_of_a_request_harms_nothing(server: Live, tmp_path: Path) -> None:
    """A browser sends a PATCH again while the server still holds the first: 409, and no more."""
    file = make_file(tmp_path, 8 * MIB)
    content = file.read_bytes()
    source = server.new_source()
    url = server.create(source, len(content), "filename " + b64encode(NAME.encode()).decode())
    with begin_append(server, source, url, len(content)) as first:
        first.sendall(content[: 3 * MIB])
        wait_until(lambda: int(unfinished_of(server, source)[0]["offset"]) > 2 * MIB)
        with begin_append(server, source, url, len(content)) as second:
            second.sendall(content)
            assert read_answer(second).status == HTTPStatus.CONFLICT
        first.sendall(content[3 * MIB :])
        answer = read_answer(first)
    assert answer.status == HTTPStatus.NO_CONTENT
    assert answer.headers["Upload-Offset"] == str(len(content))
    assert_arrived(server, url, file, tmp_path)
