"""The firewall as it is shipped, loaded into a network of its own: who gets out, and who gets in."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.units import two_hosts
from tests.deploy.units.shipped import DEPLOY, UNITS, program, ran

ROOT, APT, TIME, SOMEBODY = 0, 61_850, 61_851, 61_852
SOURCE, DESK, TOR = 61_853, 61_854, 61_855
USERS = {"nightferry": SOURCE, "nightferry-desk": DESK, "nightferry-tor": TOR, "_apt": APT}

# An errno that came back tells that the packet arrived where nobody listens, or was rejected here.
ARRIVED, REJECTED, DROPPED = "ECONNREFUSED", "EHOSTUNREACH", "silence"
REJECTED_AT_ONCE = "EPERM"  # how the kernel says it of UDP

needs_root = pytest.mark.skipif(
    os.geteuid() != 0
    or subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode
    != 0,
    reason="the firewall is loaded into a network namespace, which needs root",
)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Give the rules with numbers for the users that this machine does not have."""
    text = (DEPLOY / "nftables" / "nftables.conf").read_text()
    for name in sorted(USERS, key=len, reverse=True):
        text = re.sub(rf"(?<=[ {{]){name}(?=[ ,])", str(USERS[name]), text)
    text = text.replace("inet nightferry", "inet ferry").replace(f"inet {SOURCE}", "inet ferry")
    (tmp_path / "added").mkdir()
    path = tmp_path / "nftables.conf"
    path.write_text(text.replace("/etc/nightferry/nftables.d", f"{tmp_path}/added"))
    return path


def attempts(rules: Path, *tried: tuple[int, str, str, int]) -> list[str]:
    """Try each in one go; give what came of it."""
    done = subprocess.run(
        [
            program("unshare"),
            "--net",
            sys.executable,
            two_hosts.__file__,
            str(rules),
            json.dumps(tried),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
    )
    return [REJECTED if came == REJECTED_AT_ONCE else came for came in json.loads(done.stdout)]


@needs_root
def test_of_all_users_tor_alone_goes_out(rules: Path) -> None:
    """SEC-01-018: whatever else runs on this host, it cannot call home."""
    (rules.parent / "added" / "time.nft").write_text(
        f"add element inet ferry time_users {{ {TIME} }}\n"
        f"add element inet ferry name_users {{ {TIME} }}\n"
    )
    expected = {
        (TOR, "out", "tcp", 9001): ARRIVED,
        (TOR, "out", "tcp", 443): ARRIVED,
        (TOR, "out", "udp", 53): REJECTED,
        (APT, "out", "tcp", 80): ARRIVED,
        (APT, "out", "udp", 53): ARRIVED,
        (APT, "out", "tcp", 25): REJECTED,
        (TIME, "out", "udp", 123): ARRIVED,
        (TIME, "out", "tcp", 443): REJECTED,
        (ROOT, "out", "tcp", 443): ARRIVED,
        (ROOT, "out", "tcp", 22): REJECTED,
        (SOURCE, "out", "tcp", 443): REJECTED,
        (SOURCE, "out", "udp", 53): REJECTED,
        (DESK, "out", "tcp", 443): REJECTED,
        (SOMEBODY, "out", "tcp", 443): REJECTED,
        (SOMEBODY, "out", "udp", 53): REJECTED,
    }
    assert dict(zip(expected, attempts(rules, *expected), strict=True)) == expected


@needs_root
def test_nobody_comes_in_but_where_a_port_was_opened(rules: Path) -> None:
    """Both sites are reached through tor, which goes out. A port is opened by a file of its own."""
    ssh, web = (ROOT, "in", "tcp", 22), (ROOT, "in", "tcp", 80)
    assert attempts(rules, ssh, web) == [DROPPED, DROPPED]
    (rules.parent / "added" / "ssh.nft").write_text("add element inet ferry ports_in { 22 }\n")
    assert attempts(rules, ssh, web) == [ARRIVED, DROPPED]


@needs_root
def test_a_stranger_who_knocks_does_not_shut_the_sysadmin_out(rules: Path) -> None:
    """No limit on new connections is shared by the whole world: scanners would use it up at night."""
    (rules.parent / "added" / "ssh.nft").write_text("add element inet ferry ports_in { 22 }\n")
    knocks = [(ROOT, "in", "tcp", 22)] * 30
    assert attempts(rules, *knocks) == [ARRIVED] * len(knocks)


@needs_root
def test_loading_it_again_replaces_it(rules: Path) -> None:
    """A reload leaves one firewall, not two, and other tables as they were."""
    script = (
        f"nft add table inet other && nft -f {rules} && nft list ruleset >{rules}.1 && "
        f"nft -f {rules} && nft list ruleset >{rules}.2"
    )
    done = ran("unshare", "--net", "sh", "-ec", f"PATH=$PATH:/usr/sbin:/sbin; {script}")
    assert done.returncode == 0, done.stdout
    once, twice = (Path(f"{rules}.{number}").read_text() for number in (1, 2))
    assert once == twice
    assert "table inet other" in twice


@needs_root
def test_a_wrong_rule_is_noticed_and_changes_nothing(rules: Path) -> None:
    """All of it is loaded or nothing: a slip in a file of the sysadmin's opens no host."""
    (rules.parent / "added" / "slip.nft").write_text("add element inet ferry ports_out { 22 }\n")
    script = f"nft -f {rules} && exit 9; nft list ruleset"
    done = ran("unshare", "--net", "sh", "-c", f"PATH=$PATH:/usr/sbin:/sbin; {script}")
    assert done.returncode == 0
    assert "table inet ferry" not in done.stdout


def test_the_users_that_the_unit_adds_are_in_sets_that_there_are() -> None:
    """The unit adds whoever brings the time on this host; a set's name that is wrong adds nobody."""
    text = (DEPLOY / "nftables" / "nftables.conf").read_text()
    unit = (UNITS / "nightferry-firewall.service").read_text()
    named = set(re.findall(r"add element inet nightferry (\w+)", unit))
    assert named == {"name_users", "time_users"}
    assert named <= set(re.findall(r"set (\w+) \{", text))
