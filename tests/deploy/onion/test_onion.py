"""The onion services' keys, who is let in at the desk, and the way to another host."""

import os
import re
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.settings import load
from deploy.errors import DeployError
from deploy.init.asking import Words
from deploy.init.texts import torrc
from deploy.onion.bundle import collect
from deploy.onion.clients import client_names, let_in, secret_line, shut_out
from deploy.onion.command import make_staff_key, show
from deploy.onion.keys import OnionKeyError, OnionKeys, make_keys, read_keys
from deploy.onion.move import export, put_in_place, read_bundle
from deploy.onion.store import addresses, save_keys
from deploy.places import DESK_CLIENTS, DESK_ONION, SETTINGS, SOURCE_ONION, TOR_DATA
from tests.deploy.init.machine import Machine, make_machine

PATIENCE = 20  # seconds
TOR = shutil.which("tor")

needs_tor = pytest.mark.skipif(TOR is None, reason="there is no tor here")


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def tor_of(settings: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the real tor without a network, with these settings, from the time its keys are read."""
    path, log = folder / "torrc", folder / "log"
    path.write_text(f"{settings}\nDisableNetwork 1\nLog notice file {log}\n")
    assert TOR
    command = [TOR, "--defaults-torrc", str(folder / "none"), "-f", str(path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: log.exists() and "DisableNetwork is set" in log.read_text())
            yield process
        finally:
            process.terminate()


def has_reloaded(log: Path, times: int) -> bool:
    """Tell whether tor has read its settings and folders again, and said what it says then."""
    return log.read_text().count("DisableNetwork is set") > times


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    for path in (data, data / "desk"):
        path.mkdir(mode=0o700)
    return data


def _of(data: Path) -> str:
    socket = f"HiddenServicePort 80 unix:{data}/s"
    return f"DataDirectory {data}\nSocksPort 0\nHiddenServiceDir {data}/desk\n{socket}"


@needs_tor
def test_tor_takes_our_keys_for_its_own(folder: Path, tmp_path: Path) -> None:
    """The address that tor computes from the secret half is the one that was told to people."""
    keys = make_keys()
    for name in ("hs_ed25519_secret_key", "hs_ed25519_public_key"):
        (folder / "desk" / name).write_bytes(keys.files()[name])

    hostname = folder / "desk" / "hostname"
    with tor_of(_of(folder), tmp_path):
        wait_until(lambda: hostname.exists() and hostname.read_text().endswith("\n"))

    assert hostname.read_text() == f"{keys.address}\n"
    assert keys.files()["hostname"] == hostname.read_bytes()


@needs_tor
def test_we_read_the_keys_that_tor_makes(folder: Path, tmp_path: Path) -> None:
    """A service that was made by tor itself can be moved here, too."""
    public = folder / "desk" / "hs_ed25519_public_key"
    hostname = folder / "desk" / "hostname"
    with tor_of(_of(folder), tmp_path):
        wait_until(lambda: hostname.exists() and hostname.read_text().endswith("\n"))

    secret = (folder / "desk" / "hs_ed25519_secret_key").read_bytes()
    keys = read_keys(secret, public.read_bytes())
    assert f"{keys.address}\n" == hostname.read_text()
    assert keys.files()["hs_ed25519_secret_key"] == secret


@needs_tor
def test_tor_lives_on_when_a_key_to_the_desk_is_added(bare: Machine, tmp_path: Path) -> None:
    """With the shipped settings, tor reads its folders anew when told to, and keeps running."""
    data = tmp_path / "data"
    for site in ("", "source", "desk", "desk/authorized_clients"):
        (data / site).mkdir(mode=0o700)
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    text = torrc(bare.host)
    for shipped, here in (("/var/lib/nightferry-tor", data), ("/run/nightferry-tor", run)):
        text = text.replace(shipped, str(here))
    text = text.replace("%include", "# %include")
    with tor_of(text, tmp_path) as tor:
        line = "descriptor:x25519:" + "A" * 52 + "\n"
        (data / "desk/authorized_clients/anna.auth").write_text(line)
        log = tmp_path / "log"
        for times in (1, 2):
            tor.send_signal(signal.SIGHUP)
            wait_until(lambda n=times: has_reloaded(log, n) or tor.poll() is not None)  # type: ignore[misc]
            assert tor.poll() is None
        assert "cannot be read" not in log.read_text()


def test_two_keys_are_two_addresses() -> None:
    """Nothing about an address is fixed but its length, its version and its ending."""
    found = {make_keys().address for _ in range(50)}
    assert len(found) == 50
    assert all(re.fullmatch(r"[a-z2-7]{55}d\.onion", address) for address in found)


def test_halves_of_two_pairs_are_no_pair() -> None:
    """Tor would sign for an address that nobody was told."""
    with pytest.raises(OnionKeyError, match="do not belong together"):
        OnionKeys(make_keys().secret, make_keys().public)


@pytest.mark.parametrize("cut", [0, 31, 32, 95])
def test_a_damaged_key_file_is_refused(cut: int) -> None:
    """Whatever is missing at the end, no other address comes of it."""
    files = make_keys().files()
    with pytest.raises(OnionKeyError):
        read_keys(files["hs_ed25519_secret_key"][:cut], files["hs_ed25519_public_key"])


def test_the_secret_is_in_no_text_of_the_keys() -> None:
    """What is printed by mistake gives no address away."""
    keys = make_keys()
    assert repr(keys.secret) not in repr(keys)


# --- who is let in at the desk ----------------------------------------------------------------


@pytest.fixture
def ready(machine: Machine, given: Words) -> Machine:
    """Give a host on which `init` has made everything but what runs."""
    machine.interrupted_before(9, given)
    machine.forget_calls()
    return machine


def test_a_staff_key_is_let_in_and_its_secret_kept_nowhere(ready: Machine) -> None:
    """The public half lies where tor looks; the secret half is printed in both forms that are used."""
    words = make_staff_key(ready.host, "anna", replace=False)

    secret = next(iter(re.findall(r"\b[A-Z2-7]{52}\b", words)))
    desk = addresses(ready.host).desk
    assert secret_line(desk, secret) in words
    assert f"http://{desk}" in words
    line = ready.host.path(DESK_CLIENTS / "anna.auth").read_text()
    assert re.fullmatch(r"descriptor:x25519:[A-Z2-7]{52}\n", line)
    assert secret not in line
    assert ready.called == ["systemctl reload-or-restart nightferry-tor.service"]


@pytest.mark.parametrize("replace", [False, True])
def test_if_tor_cannot_be_told_nothing_has_changed(ready: Machine, replace: bool) -> None:
    """A key whose secret half was never shown would stand there for ever, and block its name."""
    if replace:
        make_staff_key(ready.host, "anna", replace=False)
    refused = ready.refuse("nightferry-tor.service")
    before = _clients(ready)

    with pytest.raises(DeployError, match="journalctl"):
        make_staff_key(ready.host, "anna", replace=replace)
    assert _clients(ready) == before
    refused.unlink()
    make_staff_key(ready.host, "anna", replace=replace)


def _clients(machine: Machine) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in machine.host.path(DESK_CLIENTS).iterdir()}


def test_a_name_that_is_taken_is_not_replaced_unasked(ready: Machine) -> None:
    """Its holder would stand before a closed door without knowing why."""
    make_staff_key(ready.host, "anna", replace=False)
    before = ready.host.path(DESK_CLIENTS / "anna.auth").read_text()

    with pytest.raises(DeployError, match="--replace"):
        make_staff_key(ready.host, "anna", replace=False)
    assert ready.host.path(DESK_CLIENTS / "anna.auth").read_text() == before
    make_staff_key(ready.host, "anna", replace=True)
    assert ready.host.path(DESK_CLIENTS / "anna.auth").read_text() != before


def test_the_last_key_cannot_be_taken_away(ready: Machine) -> None:
    """Without any key tor lets everybody in who learns the address."""
    with pytest.raises(DeployError, match="lets everybody in"):
        shut_out(ready.host, "staff")

    let_in(ready.host, "anna")
    shut_out(ready.host, "staff")
    assert client_names(ready.host) == ["anna"]


@pytest.mark.parametrize("name", ["../x", "", "a/b", "Anna", ".auth", "a" * 33, "a\nb", "ä"])
def test_a_name_is_never_a_path(ready: Machine, name: str) -> None:
    """What becomes a file's name is judged first."""
    before = ready.snapshot()
    with pytest.raises(DeployError, match="is no name for a key"):
        make_staff_key(ready.host, name, replace=False)
    assert ready.snapshot() == before


def test_a_key_that_is_not_there_cannot_be_taken_away(ready: Machine) -> None:
    """The names that there are, are said."""
    with pytest.raises(DeployError, match="there are: staff"):
        shut_out(ready.host, "ana")


def test_both_addresses_and_the_names_are_shown(ready: Machine) -> None:
    """What the sysadmin forgot is on one screen, and nothing secret is."""
    found = addresses(ready.host)
    assert show(ready.host).splitlines() == [
        f"source  http://{found.source}",
        f"desk    http://{found.desk}",
        "keys to the desk: staff",
    ]


def test_before_init_there_is_nothing_to_show(bare: Machine) -> None:
    """The words name the command that comes first."""
    with pytest.raises(DeployError, match="nightferry init"):
        show(bare.host)


# --- to another host --------------------------------------------------------------------------


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


def test_a_half_written_pair_is_made_whole(ready: Machine) -> None:
    """If power went between two files, the secret was not there yet: nothing was promised."""
    keys = make_keys()
    save_keys(ready.host, SOURCE_ONION, keys)
    ready.host.path(DESK_ONION / "hostname").unlink()

    ready.init(Words())

    assert addresses(ready.host).source == keys.address
    assert ready.host.path(DESK_ONION / "hostname").exists()
