"""Two hosts on one wire, each a network namespace of its own: one with the firewall, one the world.

Run as a program, by root, in a namespace that was just made (unshare --net): it prints what came of
each attempt as one line of JSON. `python two_hosts.py RULES ATTEMPTS`; an attempt is
[who: user number, "in" or "out", protocol, port].
"""

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE, WORLD = "10.83.0.1", "10.83.0.2"
_PATIENCE = 2  # seconds that a packet may take which nobody answers


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)


@contextmanager
def _world() -> Iterator[list[str]]:
    """Make the other host; give the words that run a command on it."""
    with subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE) as keeper:
        enter = ["nsenter", "--net", f"--target={keeper.pid}"]
        own = Path("/proc/self/ns/net").readlink()
        while Path(f"/proc/{keeper.pid}/ns/net").readlink() == own:
            os.sched_yield()
        _run("ip", "link", "add", "here", "type", "veth", "peer", "name", "there")
        _run("ip", "link", "set", "there", "netns", str(keeper.pid))
        _run("ip", "address", "add", f"{HERE}/24", "dev", "here")
        _run("ip", "link", "set", "here", "up")
        _run("ip", "link", "set", "lo", "up")
        _run(*enter, "ip", "address", "add", f"{WORLD}/24", "dev", "there")
        _run(*enter, "ip", "link", "set", "there", "up")
        yield enter
        keeper.communicate()


def _attempt(user: int, protocol: str, address: str, port: int) -> str:
    """Speak to a port as a user; nobody listens anywhere, so "refused" means that it got there."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    os.seteuid(user)  # before there is a socket: it belongs to whoever made it
    try:
        with socket.socket(socket.AF_INET, kind) as speaker:
            speaker.settimeout(_PATIENCE)
            speaker.connect((address, port))
            speaker.send(b"?")
            speaker.recv(1)
    except TimeoutError:
        return "silence"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "?")
    finally:
        os.seteuid(0)
    return "answered"


def main(rules: str, attempts: str) -> None:
    """Load the rules here, make each attempt, print what came of it."""
    came = []
    with _world() as enter:
        _run("nft", "-f", rules)
        for user, way, protocol, port in json.loads(attempts):
            if way == "out":
                came.append(_attempt(user, protocol, WORLD, port))
            else:
                again = [*enter, sys.executable, __file__, "--knock", protocol, HERE, str(port)]
                came.append(
                    subprocess.run(again, check=True, capture_output=True, text=True).stdout.strip()
                )
    print(json.dumps(came))


if __name__ == "__main__":
    if sys.argv[1] == "--knock":
        print(_attempt(0, sys.argv[2], sys.argv[3], int(sys.argv[4])))
    else:
        main(*sys.argv[1:])
