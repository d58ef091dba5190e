"""The AppArmor profiles: they compile, and let the services do what they need and no more.

Enforced: only on a kernel with AppArmor, which `nightferry doctor` asks for.
"""

import re
from pathlib import Path

import pytest

from tests.deploy.units.shipped import DEPLOY, UNITS, ran

PROFILES = sorted((DEPLOY / "apparmor").iterdir())
MAY_RUN = {
    "nightferry-source": {"/usr/bin/python3{,.[0-9]*}", "/usr/bin/gpg"},
    "nightferry-desk": {"/usr/bin/python3{,.[0-9]*}"},
    "nightferry-tor": {"/{,usr/}bin/kill"},
}


def rules(profile: Path) -> dict[str, str]:
    """Give each path of a profile and what may be done with it."""
    found = re.findall(
        r"^  (?:owner )?(/\S+|@\{PROC\}\S+) (\w+),$", profile.read_text(), re.MULTILINE
    )
    return dict(found)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
def test_a_profile_compiles(profile: Path) -> None:
    """apparmor_parser reads and compiles it, without the kernel."""
    done = ran("apparmor_parser", "--skip-kernel-load", "--skip-cache", str(profile))
    assert done.returncode == 0, done.stdout


def test_a_wrong_profile_is_noticed(tmp_path: Path) -> None:
    """The gate itself can fail."""
    wrong = tmp_path / "wrong"
    wrong.write_text(PROFILES[0].read_text().replace(" mrix,", " mrixq,"))
    assert ran("apparmor_parser", "-QK", str(wrong)).returncode != 0


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
def test_what_can_be_written_cannot_be_run(profile: Path) -> None:
    """No path is both: what an attacker puts down stays data."""
    both = {
        path: may for path, may in rules(profile).items() if "w" in may and set(may) & set("xm")
    }
    assert both == {}


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
def test_a_service_can_run_only_what_it_needs(profile: Path) -> None:
    """With NoNewPrivileges every program runs in the same profile (ix), or not at all."""
    run = {path: may for path, may in rules(profile).items() if "x" in may}
    assert set(run) == MAY_RUN[profile.name]
    assert {may.replace("m", "").replace("r", "") for may in run.values()} == {"ix"}


@pytest.mark.parametrize("name", ["nightferry-source", "nightferry-desk"])
def test_a_site_has_no_network_in_its_profile(name: str) -> None:
    """A second wall behind PrivateNetwork=."""
    text = (DEPLOY / "apparmor" / name).read_text()
    assert {"deny network inet,", "deny network inet6,"} <= {
        line.strip() for line in text.splitlines()
    }


def test_the_desk_reads_no_secret_of_the_source_site() -> None:
    """Neither the salt of the codenames nor gpg's folder nor a certificate is among its paths."""
    paths = " ".join(rules(DEPLOY / "apparmor" / "nightferry-desk"))
    assert not re.search("salt|gnupg|gpg|recipients", paths)


def test_every_profile_is_used_by_a_unit() -> None:
    """A profile without a path protects only whoever asks for it by name."""
    units = "".join(path.read_text() for path in UNITS.glob("*.service"))
    assert {f"AppArmorProfile=-{path.name}" in units for path in PROFILES} == {True}
