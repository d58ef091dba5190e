"""tor's settings as they are shipped, before the tor of this machine. In a network: tests/onion."""

import subprocess
from pathlib import Path

import pytest

from deploy.host import Host
from deploy.init.texts import torrc
from deploy.places import DESK_SOCKET, SOURCE_SOCKET, TOR_DATA, TOR_RUN, TORRC_D, TORRC_TEMPLATE
from tests.deploy.units.shipped import DEPLOY, program

Rendered = tuple[Path, str]


@pytest.fixture
def rendered(tmp_path: Path) -> Rendered:
    """Give the settings as `init` writes them, with this test's places in the host's stead."""
    template = tmp_path / TORRC_TEMPLATE.relative_to("/")
    template.parent.mkdir(parents=True)
    template.write_bytes((DEPLOY / "tor" / "torrc.in").read_bytes())
    text = torrc(Host(tmp_path))
    for place in (TORRC_D, TOR_RUN, SOURCE_SOCKET, DESK_SOCKET, TOR_DATA):
        text = text.replace(f"{place}", f"{tmp_path}{place}")
    (tmp_path / TOR_DATA.relative_to("/")).mkdir(mode=0o700, parents=True)
    path = tmp_path / "torrc"
    path.write_text(text)
    return path, text


def verify(path: Path, *words: str) -> tuple[int, str]:
    """Ask tor, which reads nothing of this host's."""
    done = subprocess.run(
        [program("tor"), "--defaults-torrc", "/nonexistent", "-f", str(path), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout


def services(text: str) -> dict[str, set[str]]:
    """Give each onion service's own lines."""
    found: dict[str, set[str]] = {}
    own: set[str] = set()
    for line in text.splitlines():
        if line.startswith("HiddenServiceDir "):
            own = found.setdefault(line.rpartition("/")[2], set())
        elif line.startswith("HiddenService"):
            own.add(line)
    return found


def test_tor_takes_the_settings(rendered: Rendered) -> None:
    """Every option is one of this tor's, and nothing is left to be filled in."""
    path, text = rendered
    assert "@" not in text
    status, said = verify(path, "--verify-config")
    assert (status, "Configuration was valid" in said) == (0, True), said


def test_a_misspelt_option_is_noticed(rendered: Rendered) -> None:
    """The gate itself can fail."""
    path, text = rendered
    path.write_text(text.replace("SafeLogging", "SaveLogging"))
    assert verify(path, "--verify-config")[0] != 0


def test_tor_is_no_proxy_and_no_relay(rendered: Rendered) -> None:
    """What tor itself says is in force: no port, nothing of addresses in the log, few writes."""
    status, said = verify(rendered[0], "--dump-config", "full", "--quiet")
    assert status == 0, said
    lines = set(said.splitlines())
    assert {"SafeLogging 1", "AvoidDiskWrites 1", "SocksPort 0", "VanguardsLiteEnabled 1"} <= lines
    assert {line for line in lines if line.startswith(("ORPort", "DirPort", "DNSPort"))} == set()
    assert {line for line in lines if line.startswith("Log ")} == {"Log warn stderr"}


def test_the_source_site_stands_a_flood(rendered: Rendered) -> None:
    """SEC-01-014: proof of work, limits at the introduction points, limits for each circuit."""
    assert {
        "HiddenServicePoWDefensesEnabled 1",
        "HiddenServiceEnableIntroDoSDefense 1",
        "HiddenServiceMaxStreams 40",
        "HiddenServiceMaxStreamsCloseCircuit 0",
    } <= services(rendered[1])["source"]


def test_tor_speaks_to_the_sites_by_sockets_alone(rendered: Rendered) -> None:
    """Nothing listens on TCP, so no other program of the host reaches a site around tor."""
    ports = {
        name: [line for line in own if line.startswith("HiddenServicePort")]
        for name, own in services(rendered[1]).items()
    }
    assert set(ports) == {"source", "desk"}
    assert ports["source"][0].endswith(f"{SOURCE_SOCKET}")
    assert ports["desk"][0].endswith(f"{DESK_SOCKET}")
    assert {line.split()[2].partition("/")[0] for own in ports.values() for line in own} == {
        "unix:"
    }


def test_a_desk_without_keys_is_not_opened_to_everybody() -> None:
    """tor lets everybody in where no key is named; the unit does not start it then."""
    unit = (DEPLOY / "systemd" / "nightferry-tor.service").read_text()
    assert f"AssertPathExistsGlob={TOR_DATA}/desk/authorized_clients/*.auth\n" in unit
