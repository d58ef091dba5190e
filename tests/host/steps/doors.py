"""Who reaches the sites, and whom the host itself reaches."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from tests.host.deployment import Deployment
from tests.host.promise import expect

_OURS, _FAR = "192.0.2.1", "192.0.2.2"  # RFC 5737: addresses for examples
_CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"
_REACH = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
_LISTEN = """\
import selectors, socket, sys
chosen = selectors.DefaultSelector()
for port in map(int, sys.argv[2:]):
    chosen.register(socket.create_server((sys.argv[1], port)), selectors.EVENT_READ)
while True:
    for key, _ in chosen.select():
        key.fileobj.accept()[0].close()
"""


def both_sites_answer(host: Deployment) -> None:
    """Each gives its first page under its own onion address, and under no other name."""
    for name, route in (("source", "/"), ("desk", "/login")):
        site = host.site(name)
        answer = site.ask("GET", route)
        expect(answer.status == HTTPStatus.OK, f"the {name}'s page comes", str(answer))
        site.host = "other.onion"
        answer = site.ask("GET", route)
        refused = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        expect(refused, f"the {name} refuses another name", str(answer))
        telling = {"server", "date", "etag"} & set(answer.headers)
        expect(not telling, "no header tells of the host", str(answer.headers))


def tor_alone_gets_in(host: Deployment) -> None:
    """Of all users, tor's connects to the sockets; not the sites' users, nor anybody else."""
    for site in ("http", "desk"):
        for user in ("nightferry-tor", "nightferry", "nightferry-desk", "nobody", "_apt"):
            socket = f"/run/nightferry/{site}.sock"
            said = host.machine.run("python3", "-c", _REACH, socket, user=user)
            may = user == "nightferry-tor"
            words = "reaches" if may else "does not reach"
            expect((said.code == 0) == may, f"{user} {words} {socket}", said.text)


def firewall_lets_tor_out(host: Deployment) -> None:
    """Seen from a second machine on a wire: who gets out, who is refused, and what gets in."""
    with _second_machine(host):
        for user, port, may in (
            ("nightferry-tor", 9001, True),
            ("nightferry", 9001, False),
            ("nightferry-desk", 443, False),
            ("debian-tor", 9001, False),
            ("nobody", 443, False),
            ("root", 443, True),
            ("root", 9001, False),
            ("_apt", 80, True),
        ):
            said = host.machine.run("python3", "-c", _CONNECT, _FAR, str(port), user=user)
            words = "gets out to" if may else "is stopped before"
            expect((said.code == 0) == may, f"{user} {words} port {port}", said.text)
        for port, may in ((22, True), (8080, False)):
            reach = ["ip", "netns", "exec", "far", "python3", "-c", _CONNECT, _OURS, str(port)]
            words = "let in" if may else "kept out"
            said = host.machine.run(*reach)
            expect((said.code == 0) == may, f"port {port} is {words}", said.text)
        said = host.machine.run("python3", "-c", _CONNECT, "127.0.0.1", "8080", user="nightferry")
        expect(said.code != 0, "a site's user reaches nobody on loopback", said.text)


@contextmanager
def _second_machine(host: Deployment) -> Iterator[None]:
    """Have somebody at the other end of a wire who listens, and somebody here who does."""
    wire = (
        "ip netns add far && ip link add wire type veth peer name eriw netns far && "
        f"ip addr add {_OURS}/24 dev wire && ip link set wire up && "
        f"ip -n far addr add {_FAR}/24 dev eriw && ip -n far link set eriw up && "
        "ip -n far link set lo up"
    )
    host.run("sh", "-c", wire, promise="two machines are wired")
    far = ["systemd-run", "--quiet", "--unit=far", "--property=NetworkNamespacePath=/run/netns/far"]
    here = ["systemd-run", "--quiet", "--unit=here"]
    listen = ["python3", "-u", "-c", _LISTEN]
    host.run(*far, *listen, _FAR, "80", "443", "9001", promise="the second machine listens")
    host.run(*here, *listen, "0.0.0.0", "22", "8080", promise="this one listens")
    try:
        for where, address, port in (("far", _FAR, 9001), ("", "127.0.0.1", 8080)):
            inside = ["ip", "netns", "exec", where] if where else []
            waiting = f"until python3 -c '{_CONNECT}' {address} {port}; do :; done"
            host.run(*inside, "sh", "-c", f"{waiting} 2>/dev/null", promise="they listen")
        yield
    finally:
        host.machine.run("systemctl", "stop", "far.service", "here.service")
        host.machine.run("ip", "netns", "delete", "far")
        host.machine.run("ip", "link", "delete", "wire")
