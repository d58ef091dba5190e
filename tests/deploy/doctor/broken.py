"""The table of broken hosts: what is broken, how, and what the doctor says of it."""

import datetime as dt
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

from sqlalchemy import create_engine, insert

from deploy.doctor.finding import Grade
from submit.store.schema import sources, uploads
from tests.crypto.keys.making import export, generate, new_home
from tests.deploy.doctor.healthy import DESK, UPLOAD, HealthyHost, write

WARNING, WRONG = Grade.WARNING, Grade.WRONG
SETTINGS, TORRC = "/etc/nightferry/nightferry.toml", "/etc/nightferry/torrc"
SNAPSHOTS = "/var/backups/nightferry/snapshots"
DATA, RECIPIENTS = "/var/lib/nightferry", "/etc/nightferry/recipients"
SOURCE, TOR = "nightferry-source.service", "nightferry-tor.service"


class Broken(NamedTuple):
    """A host that is broken in one way, and what the doctor says."""

    name: str
    check: str
    grade: Grade
    words: str
    broken: Callable[[HealthyHost], object]


def new_key(host: HealthyHost, days: str, made: str | None = None) -> None:
    """Replace the recipient's certificate by one that lives so long."""
    with new_home() as home:
        until = {"expires": days, "subkeys_expire": days}
        fingerprint = generate(home, today=made, **until)
        path = export(home, host.at(f"{RECIPIENTS}/ngo.asc"), fingerprint)
        os.utime(path, (0, 0))


def days_ago(host: HealthyHost, absolute: str, days: int) -> None:
    """Let a file be that old."""
    then = dt.datetime.now(dt.UTC).timestamp() - days * 86400
    os.utime(host.at(absolute), (then, then))


def backed_up(host: HealthyHost, days: int) -> None:
    """Let the only backup be that old."""
    (made,) = host.at(SNAPSHOTS).iterdir()
    then = dt.datetime.now(dt.UTC).date() - dt.timedelta(days)
    made.rename(made.with_name(f"{then}.01"))


def row(host: HealthyHost) -> None:
    """Put an upload into the database, whose file is not there."""
    engine = create_engine(f"sqlite:///{host.at(f'{DATA}/nightferry.db')}")
    with engine.begin() as connection:
        connection.execute(insert(sources).values(locator=b"1", designation="a b", last_visit=1))
        connection.execute(
            insert(uploads).values(id=UPLOAD, source=b"1", kind="file", state="complete", day=1)
        )
    engine.dispose()


def moved(host: HealthyHost) -> None:
    """Let tor have another address than the one in the settings."""
    write(host.root, "/var/lib/nightferry-tor/source/hostname", "c" * 56 + ".onion\n", 0o600)
    host.tor.descriptors.add("c" * 56)


def overwrite(host: HealthyHost) -> None:
    """Write over the last page of the database."""
    with host.at(f"{DATA}/nightferry.db").open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(b"\xff" * 4096)


def change(host: HealthyHost, *statements: str) -> None:
    """Change the database as no program of ours would."""
    with closing(sqlite3.connect(host.at(f"{DATA}/nightferry.db"))) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def empty_day(host: HealthyHost) -> None:
    """Put an empty value where the schema allows none, as a fault of the disk might."""
    change(
        host,
        "PRAGMA writable_schema=ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'last_visit INTEGER NOT NULL', 'last_visit INT')",
    )
    change(
        host,
        "INSERT INTO sources (locator, designation, last_visit, confirmed, introduced, remembers) "
        "VALUES (x'01', 'a b', NULL, 0, 0, 0)",
        "PRAGMA writable_schema=ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'last_visit INT', 'last_visit INTEGER NOT NULL')",
    )


def opened(host: HealthyHost) -> None:
    """Let everybody read a sealed file that has its row."""
    row(host)
    write(host.root, f"{DATA}/uploads/{UPLOAD}.tar.gpg", os.urandom(99), 0o644)


def linked(host: HealthyHost) -> None:
    """Let a folder lie elsewhere."""
    folder = host.at("/etc/nightferry/nftables.d")
    folder.rename(host.root / "elsewhere")
    folder.symlink_to(host.root / "elsewhere")


def put(absolute: str, content: str | bytes, mode: int = 0o644) -> Callable[[HealthyHost], object]:
    """Break a host by a file."""
    return lambda host: write(host.root, absolute, content, mode)


def edit(absolute: str, old: str, new: str) -> Callable[[HealthyHost], object]:
    """Break a host by changing a file."""
    return lambda host: host.edit(absolute, old, new)


def chmod(absolute: str, mode: int) -> Callable[[HealthyHost], object]:
    """Break a host by a mode."""
    return lambda host: host.at(absolute).chmod(mode)


def says(program: str, words: str) -> Callable[[HealthyHost], object]:
    """Break a host on which a program says something else."""
    return lambda host: host.says(program, words)


def fails(program: str, words: str) -> Callable[[HealthyHost], object]:
    """Break a host on which a program fails."""
    return lambda host: host.fails(program, words)


def unit(name: str, **values: str) -> Callable[[HealthyHost], object]:
    """Break a host of which systemctl shows something else."""
    return lambda host: host.unit(name, **values)


def remove(absolute: str) -> Callable[[HealthyHost], object]:
    """Break a host by removing a file."""
    return lambda host: host.at(absolute).unlink()


def df(size: int, free: int, inodes: int = 6000000, inodes_free: int = 5900000) -> str:
    """Say what df would."""
    return f" 1B-blocks Avail Inodes IFree\n{size} {free} {inodes} {inodes_free}\n"


# The data's disk has room, the system's has none.
DF_BY_PLACE = f"""#!/bin/sh
case $4 in
*/var/lib/nightferry) echo '{df(100 << 30, 90 << 30).strip()}' ;;
*) echo '{df(100 << 30, 1 << 20).strip()}' ;;
esac
"""
UNKNOWN_KEY = edit(SETTINGS, "disk_reserve", "disc_reserve")
NO_TIME = says("timedatectl", "no\n")
# fmt: off
TABLE = (
    Broken("no settings", "settings", WRONG, "cannot be read", remove(SETTINGS)),
    Broken("a key that nobody knows", "settings", WRONG, "disc_reserve", UNKNOWN_KEY),
    Broken("another socket", "settings", WRONG, "the units are made for unix:/run/nightferry/http.sock",
        edit(SETTINGS, "unix:/run/nightferry/http.sock", "127.0.0.1:8080")),
    Broken("the host's settings have a slip", "settings", WRONG, "bakcup_to",
        edit("/etc/nightferry/host.toml", "backup_to", "bakcup_to")),
    Broken("a certificate expired", "keys", WRONG, "this certificate has expired",
        lambda host: new_key(host, "2d", made="20200101T000000")),
    Broken("a certificate expires in 20 days", "keys", WARNING, "From that day nothing can be sealed",
        lambda host: new_key(host, "20d")),
    Broken("no certificate", "keys", WRONG, "is no OpenPGP certificate",
        edit(f"{RECIPIENTS}/ngo.asc", "BEGIN PGP PUBLIC", "BEGIN PGP PUBLISHED")),
    Broken("a rotation half done", "keys", WARNING, "nothing is sealed to /etc/nightferry/recipients/new.asc",
        lambda host: os.link(host.at(f"{RECIPIENTS}/ngo.asc"), host.at(f"{RECIPIENTS}/new.asc"))),
    Broken("a certificate named twice", "keys", WRONG, "this certificate is listed twice",
        edit(SETTINGS, '["/etc/nightferry/recipients/ngo.asc"]', '["/etc/nightferry/recipients/ngo.asc", "/etc/nightferry/recipients/../recipients/ngo.asc"]')),
    Broken("the site has ended", "services", WRONG, "the source's site is down",
        unit(SOURCE, ActiveState="failed")),
    Broken("tor is masked", "services", WRONG, "nobody can reach either site",
        unit(TOR, LoadState="masked", ActiveState="inactive")),
    Broken("no firewall", "services", WRONG, "other programs than tor can speak",
        unit("nightferry-firewall.service", ActiveState="inactive")),
    Broken("the site dies again and again", "services", WARNING, "started again 7 times",
        unit(SOURCE, NRestarts="7")),
    Broken("the last expiry failed", "services", WARNING, "failed at its last run",
        unit("nightferry-daily.service", ActiveState="failed")),
    Broken("nothing starts at boot", "services", WRONG, "after the next start",
        unit("nightferry.target", UnitFileState="disabled")),
    Broken("settings changed, no restart", "services", WARNING, "before its settings or certificates",
        unit("nightferry-desk.service", ActiveEnterTimestamp="@1700000000")),
    Broken("nobody listens", "sites", WRONG, "the source's site does not answer at /run/nightferry/http.sock: nobody",
        lambda host: host.close("/run/nightferry/http.sock")),
    Broken("no socket", "sites", WRONG, "there is no socket", remove("/run/nightferry/desk.sock")),
    Broken("something else listens", "sites", WRONG, "the source's site does not answer at /run/nightferry/http.sock: BadStatusLine",
        lambda host: host.answers_with("/run/nightferry/http.sock", 5)),
    Broken("the desk has a fault", "sites", WRONG, "the desk does not answer at /run/nightferry/desk.sock: it answers 500",
        lambda host: host.answers_with("/run/nightferry/desk.sock", 500)),
    Broken("tor has no network", "circuits", WRONG, "45 % done",
        lambda host: host.tor.knows.update({"status/bootstrap-phase": "X PROGRESS=45 TAG=x"})),
    Broken("tor has no circuits", "circuits", WRONG, "tor has no circuits",
        lambda host: host.tor.knows.update({"status/circuit-established": "0"})),
    Broken("the desk is not announced", "circuits", WARNING, "'desk' has made no descriptor",
        lambda host: host.tor.descriptors.discard(DESK.removesuffix(".onion"))),
    Broken("tor cannot be asked", "circuits", WARNING, "could not be looked at: tor's control socket",
        lambda host: host.close("/run/nightferry-tor/control")),
    Broken("another tor's cookie", "circuits", WARNING, "tor does not accept its own cookie",
        lambda host: setattr(host.tor, "cookie", b"another")),
    Broken("another address", "onions", WRONG, "refuses everybody: hosts does not name",
        moved),
    Broken("the onion key is gone", "onions", WRONG, "holds no onion address",
        remove("/var/lib/nightferry-tor/source/hs_ed25519_secret_key")),
    Broken("the desk is open", "onions", WRONG, "asks nobody for a client key",
        remove("/var/lib/nightferry-tor/desk/authorized_clients/ana.auth")),
    Broken("PoW is off", "torrc", WRONG, "'HiddenServicePoWDefensesEnabled 1' is not set for the onion service 'source'",
        edit(TORRC, "HiddenServicePoWDefensesEnabled 1", "HiddenServicePoWDefensesEnabled 0")),
    Broken("a SOCKS port", "torrc", WRONG, "'SocksPort 0' is not set for the whole of tor",
        edit(TORRC, "SocksPort 0", "SocksPort 9050")),
    Broken("tor writes a log", "torrc", WRONG, "says 'Log info file /var/log/tor.log': what happens is logged",
        put("/etc/nightferry/torrc.d/log.conf", "Log info file /var/log/tor.log\n")),
    Broken("the onion is not anonymous", "torrc", WRONG, "the server is not anonymous",
        put("/etc/nightferry/torrc.d/fast.conf", "HiddenServiceSingleHopMode 1\n")),
    Broken("a protection undone beside it", "torrc", WARNING, "says 'NoExec 0', where 'NoExec 1' was shipped",
        put("/etc/nightferry/torrc.d/pt.conf", "NoExec 0\n")),
    Broken("streams without end", "torrc", WRONG, "one circuit can open streams without end",
        edit(TORRC, "HiddenServiceMaxStreams 40", "HiddenServiceMaxStreams 0")),
    Broken("another onion in this tor", "torrc", WARNING, "adds an onion service to this tor",
        put("/etc/nightferry/torrc.d/blog.conf", "HiddenServiceDir /var/lib/nightferry-tor/blog\n")),
    Broken("no torrc", "torrc", WRONG, "is missing: tor does not start", put(TORRC, "")),
    Broken("tor refuses its settings", "torrc", WRONG, "Unknown option 'Foo'",
        lambda host: write(host.root, "programs/setpriv", "#!/bin/sh\necho \"Nov 22 [warn] Unknown option 'Foo'\"; exit 1\n", 0o755)),
    Broken("the disk is full", "disk", WRONG, "uploads are told to wait (507)",
        says("df", df(100 << 30, 1 << 20))),
    Broken("the disk is nearly full", "disk", WARNING, "are for uploads",
        says("df", df(100 << 30, 5 << 30))),
    Broken("no inodes", "disk", WRONG, "soon no file can be made",
        says("df", df(100 << 30, 90 << 30, 1000, 10))),
    Broken("the system's disk is full", "disk", WRONG, "are left at /: upgrades fail",
        lambda host: write(host.root, "programs/df", DF_BY_PLACE, 0o755)),
    Broken("another version's database", "database", WRONG, "it has the form 0001",
        lambda host: change(host, "UPDATE alembic_version SET version_num = '0001'")),
    Broken("a torn database", "database", WRONG, "SQLite finds it damaged", overwrite),
    Broken("no database", "database", WRONG, "SQLite finds it damaged",
        put(f"{DATA}/nightferry.db", b"x" * 4096, 0o660)),
    Broken("a value that cannot be", "database", WRONG, "it is damaged: NULL value in sources.last_visit",
        empty_day),
    Broken("a row without its source", "database", WRONG, "rows whose source is gone",
        lambda host: change(host, "INSERT INTO replies VALUES ('a', x'02', 1, x'03')")),
    Broken("an upload without its file", "files", WRONG, f"1 uploads have no file in {DATA}/uploads: {UPLOAD}",
        row),
    Broken("a file without its row", "files", WARNING, "1 sealed files belong to nobody",
        put(f"{DATA}/uploads/{UPLOAD}.tar.gpg", os.urandom(5000), 0o600)),
    Broken("a file of the source's", "plaintext", WRONG, "lies what does not belong there: passport.jpg",
        put(f"{DATA}/uploads/passport.jpg", os.urandom(5000), 0o600)),
    Broken("an upload in clear", "plaintext", WRONG, "can be read without a key",
        put(f"{DATA}/uploads/{UPLOAD}.tail", "I saw it happen. " * 900, 0o600)),
    Broken("a copy of the database", "plaintext", WRONG, "nightferry.db.bak",
        put(f"{DATA}/nightferry.db.bak", "x", 0o600)),
    Broken("a secret key on the server", "plaintext", WRONG, "private-keys-v1.d",
        lambda host: host.at(f"{DATA}/run/private-keys-v1.d").mkdir()),
    Broken("swap in clear", "memory", WARNING, "/dev/sda2 is swap in clear",
        put("/proc/swaps", "Filename\n/dev/sda2 partition 1 0 -2\n")),
    Broken("a core file", "memory", WRONG, "core.python3.990",
        put("/var/lib/systemd/coredump/core.python3.990.x.zst", "x")),
    Broken("a core file of old", "memory", WRONG, "/var/crash/core.77",
        put("/var/crash/core.77", "x")),
    Broken("a file in the site's /tmp", "memory", WRONG, f"{SOURCE} has left files in its /tmp: spooled",
        put("/proc/11/root/tmp/spooled", "x")),
    Broken("the salt is open", "modes", WRONG, "codename.salt has the mode 0644 instead of 0600",
        chmod(f"{DATA}/codename.salt", 0o644)),
    Broken("the uploads shut the desk out", "modes", WRONG, "uploads has the mode 0700 instead of 2770",
        chmod(f"{DATA}/uploads", 0o700)),
    Broken("a folder is missing", "modes", WRONG, "/etc/nightferry/torrc.d missing",
        lambda host: shutil.rmtree(host.at("/etc/nightferry/torrc.d"))),
    Broken("a folder is a link", "modes", WRONG, "/etc/nightferry/nftables.d is a link",
        linked),
    Broken("tor is somebody else", "modes", WRONG, "/var/lib/nightferry-tor does not belong to nightferry-tor",
        lambda host: host.edit("/etc/passwd", f"nightferry-tor:x:{os.getuid()}", "nightferry-tor:x:4242")),
    Broken("others' sealed files", "modes", WRONG, "1 files belong to others or are open to them",
        opened),
    Broken("the onion key is open", "modes", WRONG, "they can pretend to be this site",
        chmod("/var/lib/nightferry-tor/source/hs_ed25519_secret_key", 0o644)),
    Broken("the code can be changed", "modes", WRONG, "others than root can change the program",
        chmod("/usr/lib/nightferry/app/wsgi.py", 0o666)),
    Broken("a changed program", "package", WRONG, "files of the package were changed or are gone: /usr/lib/nightferry/app/wsgi.py",
        says("dpkg", "??5?????? /usr/lib/nightferry/app/wsgi.py\n")),
    Broken("an edited AppArmor profile", "package", WARNING, "edited here",
        says("dpkg", "??5?????? c /etc/apparmor.d/nightferry-tor\n")),
    Broken("a dpkg that is torn", "package", WARNING, "could not be looked at: dpkg --verify failed",
        lambda host: write(host.root, "programs/dpkg", "#!/bin/sh\nexit 2\n", 0o755)),
    Broken("no package", "package", WRONG, "not installed", fails("dpkg-query", "no packages found")
        ),
    Broken("a drop-in", "units", WARNING, "is changed by /etc/systemd/system/x.d/override.conf",
        unit(SOURCE, DropInPaths="/etc/systemd/system/x.d/override.conf")),
    Broken("a lost protection", "units", WRONG, "PrivateNetwork is no, shipped as yes",
        unit(SOURCE, PrivateNetwork="no")),
    Broken("a lost ban on core files", "units", WRONG, "LimitCORE is infinity, shipped as 0",
        unit("nightferry-desk.service", LimitCORE="infinity")),
    Broken("a right that was given back", "units", WRONG, "CapabilityBoundingSet is cap_sys_admin, shipped as nothing",
        unit(TOR, CapabilityBoundingSet="cap_sys_admin")),
    Broken("another unit file", "units", WRONG, "stands before the shipped one",
        unit(TOR, FragmentPath=f"/etc/systemd/system/{TOR}")),
    Broken("a unit not read again", "units", WARNING, "systemd still runs an older",
        unit(TOR, NeedDaemonReload="yes")),
    Broken("no AppArmor", "apparmor", WARNING, "does not have it switched on",
        put("/sys/module/apparmor/parameters/enabled", "N\n")),
    Broken("a profile that only complains", "apparmor", WRONG, "nightferry-tor is complain: it stops nothing",
        edit("/sys/kernel/security/apparmor/profiles", "tor (enforce)", "tor (complain)")),
    Broken("a process without its profile", "apparmor", WRONG, f"{SOURCE} runs without its profile",
        put("/proc/11/attr/current", "unconfined\n")),
    Broken("a firewall that is not loaded", "firewall", WRONG, "every program can speak to the network",
        fails("nft", "Error: No such file or directory")),
    Broken("a firewall that shuts tor in", "firewall", WRONG, "tor itself cannot speak to the network",
        lambda host: host.says("nft", host.said("nft").replace("skuid nightferry-tor", "skuid 4242"))),
    Broken("a firewall that cannot be read", "firewall", WARNING, "could not be looked at: nft: Operation not permitted",
        fails("nft", "Operation not permitted")),
    Broken("a firewall that is open", "firewall", WRONG, "what no rule names is let out",
        lambda host: host.says("nft", host.said("nft").replace("hook output priority filter; policy drop", "hook output priority filter; policy accept"))),
    Broken("a rule that was added", "firewall", WRONG, "something was added or taken out while it ran",
        lambda host: host.says("nft", host.said("nft").replace("jump out_more", "jump out_more\naccept"))),
    Broken("no list of listeners", "listeners", WARNING, "could not be looked at", remove("/proc/1/net/tcp")),
    Broken("a site on TCP", "listeners", WRONG, "listens on TCP port 8000",
        put("/proc/1/net/tcp", f"sl\n 0: 0100007F:1F40 00000000:0000 0A 0:0 00:0 0 {os.getuid()} 0 1\n")),
    Broken("cores are written", "kernel", WRONG, "leaves its memory on the disk",
        put("/proc/sys/kernel/core_pattern", "core\n")),
    Broken("others see processes", "kernel", WARNING, "kernel.kptr_restrict is 0, shipped as 2",
        put("/proc/sys/kernel/kptr_restrict", "0\n")),
    Broken("a journal that will be kept", "journal", WRONG, "Storage is persistent instead of volatile",
        put("/etc/systemd/journald@nightferry.conf.d/z.conf", "[Journal]\nStorage=persistent\n")),
    Broken("a journal that was kept", "journal", WRONG, "lies a journal of the services",
        put("/var/log/journal/0123.nightferry/system.journal", "x")),
    Broken("nobody sets the clock", "clock", WARNING, "no time server has set it", NO_TIME),
    Broken("a clock of last year", "clock", WRONG, "before this version was made",
        lambda host: days_ago(host, "/usr/lib/nightferry/app/wsgi.py", -300)),
    Broken("no backups wanted", "backups", WARNING, "everything that staff have not fetched is lost",
        put("/etc/nightferry/host.toml", "")),
    Broken("no backup there", "backups", WRONG, "there is none in /var/backups/nightferry",
        lambda host: shutil.rmtree(host.at("/var/backups/nightferry/snapshots"))),
    Broken("an old backup", "backups", WARNING, "is 4 days old",
        lambda host: backed_up(host, 4)),
    Broken("a backup of next year", "backups", WARNING, "is dated 400 days ahead",
        lambda host: backed_up(host, -400)),
    Broken("a very old backup", "backups", WRONG, "is 40 days old",
        lambda host: backed_up(host, 40)),
    Broken("security upgrades wait", "upgrades", WRONG, "1 security upgrades wait: tor",
        says("apt-get", "Inst tor [0.4] (0.5 Debian-Security:12/stable-security [amd64])\n")),
    Broken("nobody asks for upgrades", "upgrades", WARNING, "apt has never asked for upgrades",
        remove("/var/lib/apt/lists/debian_InRelease")),
    Broken("nobody asks any more", "upgrades", WARNING, "apt has for 9 days not asked for upgrades",
        lambda host: days_ago(host, "/var/lib/apt/lists/debian_InRelease", 9)),
    Broken("other upgrades wait", "upgrades", WARNING, "1 upgrades wait: less",
        says("apt-get", "Inst less [1] (2 Debian:12/stable [amd64])\n")),
    Broken("an old library at work", "upgrades", WARNING, "nightferry-tor.service still run what an upgrade has replaced",
        put("/proc/13/maps", "7f0-7f1 r-xp 0 fe:00 9    /usr/lib/libssl.so.3 (deleted)\n")),
    Broken("a reboot waits", "upgrades", WARNING, "needs a new start", put("/run/reboot-required", "")
        ),
)


# fmt: on
