"""A host on which everything is as it should be: a folder of real files, sockets and programs.

All its users have the number of whoever runs the tests, so that nobody need be root. Programs
that ask a whole machine (systemctl, nft, df ...) are scripts that say what a healthy one says,
from `said/NAME`; GnuPG is the real one.
"""

import datetime as dt
import os
import shutil
import socketserver
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.doctor.patient import Patient
from deploy.host import Host
from deploy.places import FOLDERS, SOCKETS
from submit.store.database import migrate
from tests.deploy.doctor.speakers import ControlSpeaker, HttpSpeaker

HOUSE = Path(__file__).parents[3]
SHIPPED = HOUSE / "deploy"
ONION, DESK = "a" * 55 + "d.onion", "b" * 55 + "d.onion"
UPLOAD = "a" * 26

_USERS = ("root", "nightferry", "nightferry-desk", "nightferry-tor")
_SETTINGS = f"""
data = "/var/lib/nightferry"
database = "sqlite:////var/lib/nightferry/nightferry.db"
recipients = ["/etc/nightferry/recipients/ngo.asc"]
hosts = ["{ONION}"]
desk_hosts = ["{DESK}"]
listen = "unix:/run/nightferry/http.sock"
disk_reserve = 16777216
"""
_SCRIPT = """#!/bin/sh
if [ -e "$ROOT/said/{name}.error" ]; then /bin/cat "$ROOT/said/{name}.error" >&2; exit 1; fi
exec /bin/cat "$ROOT/said/{name}"
"""
_SAYS = {
    "timedatectl": "yes\n",
    "df": "  1B-blocks        Avail  Inodes   IFree\n1000000000000 900000000000 6000000 5900000\n",
    "lsblk": "disk\n",
    "dpkg-query": "installed",
    "dpkg": "",
    "setpriv": "Configuration was valid\n",
    "apt-get": "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n",
    "sendmail": "",
}
_MODULES = {"systemd": "usr/lib/systemd/system", "sysctl.d": "usr/lib/sysctl.d"}


class HealthyHost:
    """Such a host with its sockets open, from `with` to its end."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.host = Host(root, root / "programs")
        self._servers: list[socketserver.BaseServer] = []
        for folder in FOLDERS:
            self.at(folder.path).chmod(folder.mode)  # a copy loses the setgid bit

    def at(self, absolute: Path | str) -> Path:
        """Where one of its files lies."""
        return self.host.path(Path(absolute))

    def patient(self) -> Patient:
        """Give it as the doctor sees it, now, with no pause before a second look."""
        return Patient(self.host, dt.datetime.now(dt.UTC), lambda: None)

    def says(self, program: str, words: str) -> None:
        """Let a program say something else."""
        (self.root / "said" / program).write_text(words)

    def fails(self, program: str, words: str) -> None:
        """Let a program fail with these words."""
        (self.root / "said" / f"{program}.error").write_text(words)

    def said(self, program: str) -> str:
        """Give what a program says."""
        return (self.root / "said" / program).read_text()

    def edit(self, absolute: Path | str, old: str, new: str) -> None:
        """Change words in a file; they must be there."""
        path = self.at(absolute)
        before = path.read_text()
        assert old in before
        kept = path.stat()
        path.write_text(before.replace(old, new))
        os.utime(path, (kept.st_atime, kept.st_mtime))

    def unit(self, name: str, **values: str) -> None:
        """Let systemctl show other values of a unit."""
        blocks = self.said("systemctl").split("\n\n")
        (place,) = (i for i, one in enumerate(blocks) if f"Id={name}\n" in f"{one}\n")
        for key, value in values.items():
            kept = [line for line in blocks[place].splitlines() if not line.startswith(f"{key}=")]
            blocks[place] = "\n".join([*kept, f"{key}={value}"])
        self.says("systemctl", "\n\n".join(blocks))

    def close(self, absolute: Path | str) -> None:
        """Let nobody listen at a socket any more; the socket stays."""
        for server in self._servers:
            if server.server_address == str(self.at(absolute)):
                server.shutdown()
                server.server_close()

    def answers_with(self, absolute: Path | str, status: int) -> None:
        """Let a site answer with another status."""
        for server in self._servers:
            if server.server_address == str(self.at(absolute)):
                server.status = status  # type: ignore[attr-defined]

    @property
    def tor(self) -> ControlSpeaker:
        """Its tor, as it speaks over the control socket."""
        (found,) = (one for one in self._servers if isinstance(one, ControlSpeaker))
        return found

    def __enter__(self) -> Self:
        cookie = self.at("/run/nightferry-tor/control.authcookie").read_bytes()
        self._servers = [
            HttpSpeaker(self.at(SOCKETS / "http.sock")),
            HttpSpeaker(self.at(SOCKETS / "desk.sock")),
            ControlSpeaker(self.at("/run/nightferry-tor/control"), cookie, (ONION, DESK)),
        ]
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


def make_files(root: Path, certificate: Path) -> None:
    """Make all files of a healthy host below a root."""
    _make_users(root)
    for folder in FOLDERS:
        (root / folder.path.relative_to("/")).mkdir(parents=True, exist_ok=True)
    _put_shipped(root)
    _put_settings(root, certificate)
    _put_kept(root)
    _put_kernel(root)
    _put_programs(root)


def write(root: Path, absolute: str, content: str | bytes, mode: int = 0o644) -> Path:
    """Write one file, and the folders above it."""
    path = root / absolute.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def _make_users(root: Path) -> None:
    user, group = os.getuid(), os.getgid()
    write(root, "etc/passwd", "".join(f"{n}:x:{user}:{group}::/:/bin/false\n" for n in _USERS))
    write(root, "etc/group", "".join(f"{name}:x:{group}:\n" for name in _USERS))


def _put_shipped(root: Path) -> None:
    for room, folder in _MODULES.items():
        shutil.copytree(SHIPPED / room, root / folder, dirs_exist_ok=True)
    journal = "usr/lib/systemd/journald@nightferry.conf.d/nightferry.conf"
    write(root, journal, (SHIPPED / "journald/nightferry.conf").read_text())
    share = root / "usr/share/nightferry"
    share.mkdir(parents=True)
    shutil.copy(SHIPPED / "tor/torrc.in", share)
    shutil.copy(SHIPPED / "nftables/nftables.conf", share)
    write(root, "usr/lib/nightferry/app/wsgi.py", "# the code\n")


def _put_settings(root: Path, certificate: Path) -> None:
    write(root, "etc/nightferry/nightferry.toml", _SETTINGS, 0o640)
    write(root, "etc/nightferry/host.toml", 'backup_to = "/var/backups/nightferry"\n')
    write(root, "etc/nightferry/recipients/ngo.asc", certificate.read_bytes())
    torrc = (SHIPPED / "tor/torrc.in").read_text()
    for name, place in {
        "TOR_DATA": "/var/lib/nightferry-tor",
        "TOR_RUN": "/run/nightferry-tor",
        "TORRC_D": "/etc/nightferry/torrc.d",
        "SOURCE_SOCKET": "/run/nightferry/http.sock",
        "DESK_SOCKET": "/run/nightferry/desk.sock",
    }.items():
        torrc = torrc.replace(f"@{name}@", place)
    assert "@" not in torrc
    write(root, "etc/nightferry/torrc", torrc)


def _put_kept(root: Path) -> None:
    data = root / "var/lib/nightferry"
    migrate(f"sqlite:///{data / 'nightferry.db'}")
    (data / "nightferry.db").chmod(0o660)
    write(root, "var/lib/nightferry/codename.salt", os.urandom(32), 0o600)
    write(root, "var/lib/nightferry/run/owners", bytes(64), 0o660)
    for folder, name in (("source", ONION), ("desk", DESK)):
        write(root, f"var/lib/nightferry-tor/{folder}/hostname", f"{name}\n", 0o600)
        write(root, f"var/lib/nightferry-tor/{folder}/hs_ed25519_secret_key", os.urandom(96), 0o600)
    client = "var/lib/nightferry-tor/desk/authorized_clients/ana.auth"
    write(root, client, "descriptor:x25519:AAAA\n", 0o600)
    backups = root / "var/backups/nightferry"
    backups.mkdir(parents=True)
    backups.chmod(0o700)
    day = dt.datetime.now(dt.UTC).date()
    write(root, f"var/backups/nightferry/snapshots/{day}.01/files", "")
    (root / "var/lib/nightferry-report").mkdir()
    (root / "var/lib/nightferry-report").chmod(0o750)
    (root / SOCKETS.relative_to("/")).mkdir(parents=True)
    (root / SOCKETS.relative_to("/")).chmod(0o750)


def _put_kernel(root: Path) -> None:
    for line in (SHIPPED / "sysctl.d/60-nightferry.conf").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.removeprefix("-").partition("=")
            write(root, f"proc/sys/{key.strip().replace('.', '/')}", f"{value.strip()}\n")
    write(root, "proc/swaps", "Filename Type Size Used Priority\n")
    heads = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
    write(root, "proc/1/net/tcp", heads)
    write(root, "proc/1/net/tcp6", heads)
    write(root, "sys/module/apparmor/parameters/enabled", "Y\n")
    profiles = "".join(f"nightferry-{name} (enforce)\n" for name in ("source", "desk", "tor"))
    write(root, "sys/kernel/security/apparmor/profiles", profiles)
    for pid, name in (("11", "source"), ("12", "desk"), ("13", "tor")):
        write(root, f"proc/{pid}/attr/current", f"nightferry-{name} (enforce)\n")
        (root / f"proc/{pid}/root/tmp").mkdir(parents=True)
        maps = "7f0-7f1 r-xp 0 fe:00 9    /usr/lib/libssl.so.3\n7f2-7f3 rw-s 0 00:01 7    /dev/zero (deleted)\n"
        write(root, f"proc/{pid}/maps", maps)
    write(root, "var/lib/apt/lists/debian_InRelease", "")
    write(root, "run/nightferry-tor/control.authcookie", os.urandom(32))


def _put_programs(root: Path) -> None:
    # nft lists each rule on one line, as it was written; tests/host asks the real one.
    rules = (SHIPPED / "nftables/nftables.conf").read_text()
    says = _SAYS | {"systemctl": _shown(root), "nft": rules}
    for name, words in says.items():
        write(root, f"said/{name}", words)
        write(root, f"programs/{name}", _SCRIPT.format(name=name), 0o755)
    (root / "programs/gpg").symlink_to(shutil.which("gpg") or "gpg")


def _shown(root: Path) -> str:
    """Say what systemctl shows of the shipped units, each as it was shipped."""
    pids = {
        "nightferry-source.service": 11,
        "nightferry-desk.service": 12,
        "nightferry-tor.service": 13,
    }
    blocks = []
    for path in sorted((root / _MODULES["systemd"]).iterdir()):
        timed = path.suffix == ".service" and path.with_suffix(".timer").exists()
        plain = dict(
            line.split("=", 1)
            for line in path.read_text()
            .partition("[Service]")[2]
            .partition("[Install]")[0]
            .splitlines()
            if "=" in line and not line.startswith("#")
        )
        shown = plain | {
            "Id": path.name,
            "LoadState": "loaded",
            "ActiveState": "inactive" if timed else "active",
            "ActiveEnterTimestamp": f"@{int(dt.datetime.now(dt.UTC).timestamp()) + 3600}",
            "FragmentPath": f"/usr/lib/systemd/system/{path.name}",
            "DropInPaths": "",
            "NeedDaemonReload": "no",
            "UnitFileState": "static" if timed else "enabled",
            "NRestarts": "0",
            "MainPID": str(pids.get(path.name, 0)),
        }
        blocks.append("\n".join(f"{key}={value}" for key, value in shown.items()))
    return "\n\n".join(blocks) + "\n"
