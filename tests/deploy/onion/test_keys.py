"""The onion services' keys: tor's own files, proved with the real tor."""

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.init.texts import torrc
from deploy.onion.keys import OnionKeyError, OnionKeys, make_keys, read_keys
from tests.deploy.init.machine import Machine

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
            # Before that it hears no signal, and dies of one.
            wait_until(lambda: log.exists() and "Bootstrapped 0%" in log.read_text())
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
