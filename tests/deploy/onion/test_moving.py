"""Both addresses, taken to another host in one sealed file."""

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from config.settings import load
from deploy.errors import DeployError
from deploy.init.asking import Words
from deploy.onion.bundle import collect
from deploy.onion.command import make_staff_key
from deploy.onion.move import export, put_in_place, read_bundle
from deploy.onion.store import addresses
from deploy.places import DESK_CLIENTS, SETTINGS, TOR_DATA
from tests.deploy.init.machine import Machine, make_machine


@pytest.fixture
def other(tmp_path: Path, given: Words) -> Machine:
    """Give another host, on which `init` has run up to its settings."""
    machine = make_machine(tmp_path / "o")
    machine.interrupted_before(9, given)
    machine.forget_calls()
    return machine


def test_both_addresses_move_to_another_host(
    ready: Machine, other: Machine, tmp_path: Path
) -> None:
    """Sources and staff find the new host where the old one was, with the keys they have."""
    make_staff_key(ready.host, "anna", replace=False)
    passphrase = export(ready.host, tmp_path / "onions.gpg")

    moved = put_in_place(other.host, read_bundle(other.host, tmp_path / "onions.gpg", passphrase))

    assert moved == addresses(ready.host) == addresses(other.host)
    assert collect(other.host).clients.items() >= {"anna": _line(ready, "anna")}.items()
    settings = load(other.host.path(SETTINGS))
    assert (settings.hosts, settings.desk_hosts) == ((moved.source,), (moved.desk,))
    assert other.called == [
        "systemctl stop nightferry-tor.service",
        "systemctl restart nightferry-source.service nightferry-desk.service",
        "systemctl reload-or-restart nightferry-tor.service",
    ]


def _line(machine: Machine, name: str) -> bytes:
    return machine.host.path(DESK_CLIENTS / f"{name}.auth").read_bytes()


def test_addresses_that_stood_there_are_kept(
    ready: Machine, other: Machine, tmp_path: Path
) -> None:
    """An import into the wrong host is no loss: the old keys lie in folders beside."""
    before = addresses(other.host)
    passphrase = export(ready.host, tmp_path / "onions.gpg")

    put_in_place(other.host, read_bundle(other.host, tmp_path / "onions.gpg", passphrase))

    kept = [path.read_text().strip() for path in other.host.path(TOR_DATA).glob("*-*/hostname")]
    assert sorted(kept) == sorted([before.source, before.desk])


def test_moving_twice_changes_nothing_more(ready: Machine, other: Machine, tmp_path: Path) -> None:
    """A run that was broken off is simply run again."""
    passphrase = export(ready.host, tmp_path / "onions.gpg")
    bundle = read_bundle(other.host, tmp_path / "onions.gpg", passphrase)
    first = put_in_place(other.host, bundle)

    assert put_in_place(other.host, bundle) == first
    assert len(list(other.host.path(TOR_DATA).glob("*-*"))) == 2


def test_nothing_in_the_file_is_in_clear(ready: Machine, tmp_path: Path) -> None:
    """Without the words the file says nothing: no key, no address, no name of staff."""
    export(ready.host, tmp_path / "onions.gpg")

    sealed = (tmp_path / "onions.gpg").read_bytes()
    bundle = collect(ready.host)
    secrets = [part for keys in bundle.keys.values() for part in (keys.secret, keys.public)]
    told = [keys.address.encode() for keys in bundle.keys.values()]
    assert [part for part in [*secrets, *told, b"staff", b"onion"] if part in sealed] == []
    assert (tmp_path / "onions.gpg").stat().st_mode & 0o777 == 0o600


def test_stock_programs_open_the_file(ready: Machine, tmp_path: Path) -> None:
    """`gpg -d` and tar give tor's own files, should this program be lost."""
    passphrase = export(ready.host, tmp_path / "onions.gpg")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    opening = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback"]
    opened = subprocess.run(
        [*opening, "--passphrase-fd", "0", "-o", str(tmp_path / "tar"), "-d", "onions.gpg"],
        input=f"{passphrase}\n".encode(),
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    assert opened.returncode == 0
    with tarfile.open(tmp_path / "tar") as tar:
        hostname = tar.extractfile("desk/hostname")
        assert hostname
        assert hostname.read().decode().strip() == addresses(ready.host).desk
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)


def test_another_passphrase_changes_nothing(ready: Machine, other: Machine, tmp_path: Path) -> None:
    """A slip in a word is said as what it is."""
    export(ready.host, tmp_path / "onions.gpg")
    before = other.snapshot()

    with pytest.raises(DeployError, match="does not open with this passphrase"):
        read_bundle(other.host, tmp_path / "onions.gpg", "some other words")
    assert other.snapshot() == before


def test_a_damaged_file_changes_nothing(ready: Machine, other: Machine, tmp_path: Path) -> None:
    """A bit that turned on the way is found before the first change."""
    path = tmp_path / "onions.gpg"
    passphrase = export(ready.host, path)
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)

    with pytest.raises(DeployError, match="damaged"):
        read_bundle(other.host, path, passphrase)


def test_a_file_that_is_there_is_not_overwritten(ready: Machine, tmp_path: Path) -> None:
    """It may be the only copy of the address of last year."""
    path = tmp_path / "onions.gpg"
    path.write_text("last year's")

    with pytest.raises(DeployError, match="stays as it is"):
        export(ready.host, path)
    assert path.read_text() == "last year's"


def test_the_passphrase_is_forgiving_about_spaces(ready: Machine, tmp_path: Path) -> None:
    """It is typed from paper."""
    words = export(ready.host, tmp_path / "onions.gpg").split(" ")
    assert len(words) == 8

    typed = "  " + "   ".join(words) + "\n"
    assert read_bundle(ready.host, tmp_path / "onions.gpg", typed) == collect(ready.host)


def test_gpg_leaves_nothing_behind(ready: Machine, tmp_path: Path) -> None:
    """Its home lay in memory and is gone; no agent keeps the passphrase."""
    passphrase = export(ready.host, tmp_path / "onions.gpg")
    read_bundle(ready.host, tmp_path / "onions.gpg", passphrase)

    assert [path.name for path in (ready.root / "run").iterdir()] == ["nightferry"]  # the sockets
    mine = os.fsencode(ready.root)
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [line for line in running if b"gpg-agent" in line and mine in line]
