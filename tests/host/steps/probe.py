"""Runs inside a site's sandbox, and tries what it must not let through. Nothing but Python is here.

Usage: probe.py RESULT: writes {"must fail": {attempt: how it went}, "must work": {...}} there.
"""

import ctypes
import json
import mmap
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_DATA = Path("/var/lib/nightferry")
_libc = ctypes.CDLL(None, use_errno=True)


def _read(path: str) -> Callable[[], object]:
    return lambda: Path(path).read_bytes()


def _list(path: str) -> Callable[[], object]:
    def attempt() -> None:
        if not os.listdir(path):  # noqa: PTH208 # only whether there is anything
            raise FileNotFoundError(path)

    return attempt


def _write(path: str) -> Callable[[], object]:
    return lambda: Path(path).write_bytes(b"x")


def _open_socket(family: int, kind: int) -> Callable[[], object]:
    return lambda: socket.socket(family, kind).close()


def _start(*command: str) -> Callable[[], object]:
    return lambda: subprocess.run(command, check=True, capture_output=True)


def _call(name: str, *arguments: object) -> Callable[[], object]:
    def attempt() -> None:
        if getattr(_libc, name)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)

    return attempt


def _map_code() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def _start_what_was_uploaded() -> None:
    program = _DATA / "run" / "program"
    program.write_bytes(Path("/usr/bin/true").read_bytes())
    try:
        program.chmod(0o755)
        subprocess.run([program], check=True, capture_output=True)
    finally:
        program.unlink()


def _start_from_memory() -> None:
    program = os.memfd_create("program", 0)
    os.write(program, Path("/usr/bin/gpg").read_bytes())
    path = f"/proc/self/fd/{program}"
    subprocess.run([path, "--version"], check=True, capture_output=True, pass_fds=[program])


def _make_setuid() -> None:
    file = _DATA / "run" / "setuid"
    file.write_bytes(b"")
    try:
        file.chmod(0o4755)
    finally:
        file.unlink()


def _see_others() -> None:
    own = {os.getpid(), os.getppid()}
    seen = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    if set(seen) <= own:
        raise FileNotFoundError("/proc")


def _reach_interface() -> None:
    if [name for _, name in socket.if_nameindex() if name != "lo"] == []:
        raise OSError("no interface")


def _dump_core() -> None:
    if resource.getrlimit(resource.RLIMIT_CORE) == (0, 0):
        raise OSError("no core")


def _keep_in_data() -> None:
    file = _DATA / "uploads" / "probe"
    file.write_bytes(b"x")
    os.chmod(file, 0o600)  # noqa: PTH101 # what the store does
    file.unlink()


_CLONE_NEWUSER = 0x10000000

MUST_FAIL: dict[str, Callable[[], object]] = {
    "read the passwords": _read("/etc/shadow"),
    "look into root's home": _list("/root"),
    "look into homes": _list("/home"),
    "look at the host's logs": _list("/var/log"),
    "read tor's keys": _read("/var/lib/nightferry-tor/source/hs_ed25519_secret_key"),
    "look at tor's folder": _list("/var/lib/nightferry-tor"),
    "look at the backups": _list("/var/backups"),
    "change the code": _write("/usr/lib/nightferry/app/wsgi.py"),
    "add to the code": _write("/usr/lib/nightferry/app/sitecustomize.py"),
    "change the settings": _write("/etc/nightferry/nightferry.toml"),
    "add a recipient": _write("/etc/nightferry/recipients/mine.asc"),
    "write to /tmp": _write("/tmp/x"),
    "write to /var/tmp": _write("/var/tmp/x"),
    "write to /run": _write("/run/x"),
    "speak IPv4": _open_socket(socket.AF_INET, socket.SOCK_STREAM),
    "speak IPv6": _open_socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "speak netlink": _open_socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "speak raw": _open_socket(socket.AF_PACKET, socket.SOCK_RAW),
    "see an interface": _reach_interface,
    "start a shell": _start("/bin/sh", "-c", "true"),
    "start any program": _start("/usr/bin/true"),
    "start an uploaded program": _start_what_was_uploaded,
    "start a program from memory": _start_from_memory,
    "start a program by the loader": _start("/lib64/ld-linux-x86-64.so.2", "/usr/bin/true"),
    "make memory that is written and run": _map_code,
    "make a program that others run as this user": _make_setuid,
    "see other processes": _see_others,
    "read the first process": _read("/proc/1/environ"),
    "become root": lambda: os.setuid(0),
    "mount": _call("mount", b"none", b"/mnt", b"tmpfs", 0, None),
    "make a namespace": _call("unshare", _CLONE_NEWUSER),
    "trace a process": _call("ptrace", 16, 1, None, None),
    "set the clock": lambda: __import__("time").clock_settime(0, 0),
    "restart the machine": _call("reboot", 0x89ABCDEF),
    "change a setting of the kernel": _write("/proc/sys/kernel/core_pattern"),
    "leave a core dump": _dump_core,
}

MUST_WORK: dict[str, Callable[[], object]] = {
    "keep a file": _keep_in_data,
    "read the settings": _read("/etc/nightferry/nightferry.toml"),
    "speak to whoever systemd lets in": _open_socket(socket.AF_UNIX, socket.SOCK_STREAM),
}


def attempt(action: Callable[[], object]) -> str:
    """Try one thing; say how it went."""
    try:
        action()
    except Exception as error:  # noqa: BLE001 # whatever stops it, stops it
        return f"{type(error).__name__}: {error}"
    return "worked"


if __name__ == "__main__":
    found = {
        kind: {name: attempt(action) for name, action in attempts.items()}
        for kind, attempts in (("must fail", MUST_FAIL), ("must work", MUST_WORK))
    }
    Path(sys.argv[1]).write_text(json.dumps(found))
