"""What the kernel saw: nothing is written outside the data folder, and nobody is called."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.faults.story import Story
from tests.faults.tracing import Call, read_trace, tracing
from tests.live import Live, running, wait_until

_TRACED = (
    "open,openat,openat2,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,"
    "mkdirat,mknod,mknodat,truncate,memfd_create,bind,connect,sendto,sendmsg,execve,umask"
)
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE|O_TRUNC|O_APPEND")
_PATHS = re.compile(r'"((?:[^"\\]|\\.)*)"')
_UPLOAD = r"uploads/[a-z2-7]{26}\.(tar\.gpg|tail|tail\.new|part)"
_ALLOWED = (
    rf"DATA/{_UPLOAD}",
    r"DATA/nightferry\.db(-wal|-shm|-journal)?",
    r"DATA/run/(owners|worker-\d+)",
    r"DATA(/uploads|/run|/gnupg)?",  # mkdir, when they are there already
    r"DATA/codename\.salt(\.new)?",
    r"/dev/shm/wgunicorn-\w+",  # a heartbeat without content
    r"/dev/null",
    r"/dev/tty",  # GnuPG looks whether there is one
)


@dataclass(frozen=True)
class Watched:
    """What the server did while a source told its whole story."""

    live: Live
    story: Story
    calls: list[Call]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A server under strace from its first moment to its last."""
    folder = tmp_path_factory.mktemp("watched")
    trace = folder / "trace"
    with pytest.MonkeyPatch.context() as patch, running(folder, workers=1) as live:
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        live.stop()
        live.start(*tracing(trace, _TRACED))
        story = Story(live, 0)
        story.tell()
        refused(live)
        with story.half_sent() as path:
            pass
        story.session.delete(live.base + path, headers={"Tus-Resumable": "1.0.0"}, timeout=30)
        stop_under_strace(live)
        yield Watched(live, story, read_trace(trace))


def stop_under_strace(live: Live) -> None:
    """Ask the master to end; strace, which stands in its place, would only let go of it."""
    [master] = live.workers()
    os.kill(master, signal.SIGTERM)
    wait_until(lambda: not Path(f"/proc/{master}").exists())
    live.kill()


def refused(live: Live) -> None:
    """Send a large form and a large body that nobody takes: frameworks spool these first."""
    large = bytes(3 << 20)
    files = [("files", ("a.bin", large))]
    for address in ("/drop/files", "/drop/messages", "/session", "/source", "/uploads", "/none"):
        answer = requests.post(live.base + address, files=files, timeout=30)
        assert answer.status_code >= 400


def written_paths(watched: Watched) -> set[str]:
    """Give every path that was opened for writing, created, renamed or linked."""
    found = set()
    for call in watched.calls:
        if call.result.startswith("-1") and "EEXIST" not in call.remark:
            continue
        if not call.name.startswith("open") or _WRITES.search(call.arguments):
            found |= {absolute(call, path) for path in paths(call)}
    return found


def paths(call: Call) -> list[str]:
    """Give the paths among a call's arguments."""
    if call.name in {"execve", "connect", "bind", "sendto", "sendmsg", "memfd_create", "umask"}:
        return []
    return _PATHS.findall(call.arguments)


def absolute(call: Call, path: str) -> str:
    """Give a path as it is from the root; strace -y shows what openat's folder is."""
    folder = re.match(r"(?:AT_FDCWD|\d+)<([^>]*)>", call.arguments)
    return path if path.startswith("/") or folder is None else f"{folder[1]}/{path}"


def test_nothing_is_written_outside_the_data_folder(watched: Watched) -> None:
    """SD: two temporary files for each upload. Here: sealed files, tails, the database, no more."""
    data = re.escape(str(watched.live.data))
    allowed = re.compile("|".join(pattern.replace("DATA", data) for pattern in _ALLOWED))
    written = written_paths(watched)
    assert [path for path in written if not allowed.fullmatch(path)] == []
    assert sum(path.endswith(".tar.gpg") for path in written) >= 4, "the watch saw no upload"


def test_no_file_without_a_name_is_written(watched: Watched) -> None:
    """A temporary file can have no name (O_TMPFILE, memfd): there is none of these either."""
    assert [call for call in watched.calls if call.name == "memfd_create"] == []
    assert [call for call in watched.calls if "O_TMPFILE" in call.arguments] == []


def test_no_outbound_request_is_made(watched: Watched) -> None:
    """HL V-001, blind SSRF: the service calls nobody, neither by name nor by address."""
    called = [call for call in watched.calls if call.name in {"connect", "sendto", "sendmsg"}]
    elsewhere = [call for call in called if re.search(r"sa_family=AF_(?!UNIX)", call.arguments)]
    assert elsewhere == []
    sockets = {
        path for call in called for path in re.findall(r'sun_path=@?"([^"]*)"', call.arguments)
    }
    assert {path for path in sockets if "gnupg" in path or "gpg" in path} == set()
    assert sockets <= {"/var/run/nscd/socket"}  # the C library asks it for the user's name


def test_it_listens_on_loopback_alone(watched: Watched) -> None:
    """Another address would be reachable without Tor."""
    bound = [call.arguments for call in watched.calls if call.name == "bind"]
    assert any(f"htons({watched.live.port})" in where for where in bound)
    loopback = ('inet_addr("127.0.0.1")', 'inet_pton(AF_INET6, "::1"')
    assert [where for where in bound if not any(one in where for one in loopback)] == []


def test_gpg_is_the_only_program_and_gets_no_secret_in_its_arguments(watched: Watched) -> None:
    """Anybody on the machine can list processes and, as root, their environment."""
    started = [call for call in watched.calls if call.name == "execve" and call.result == "0"]
    programs = {Path(paths_of_program(call)).name for call in started}
    assert programs <= {"gpg", Path(sys.executable).resolve().name, "python", "python3"}
    assert "gpg" in programs
    shown = "".join(call.arguments for call in started).encode()
    assert [why for needle, why in watched.story.marks().items() if needle in shown] == []


def paths_of_program(call: Call) -> str:
    """Give the path of what execve started."""
    [program] = _PATHS.findall(call.arguments.split(", [", 1)[0])
    return str(program)
