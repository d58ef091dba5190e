"""What the doctor prints: for a person at 80 columns, and for a program."""

import datetime as dt
import json
import os
import re
from pathlib import Path

import pytest

from deploy.__main__ import main
from deploy.doctor.command import look
from deploy.doctor.examine import Result, examine, worst
from deploy.doctor.finding import Grade
from deploy.doctor.patient import Patient
from deploy.doctor.table import CHECKS
from deploy.doctor.words import speak, to_json
from deploy.host import Host
from tests.deploy.doctor.healthy import HealthyHost, write

TODAY = dt.date(2026, 1, 2)
PAGE = (Path(__file__).parents[3] / "docs/doctor.md").read_text()
UPLOADS = "/var/lib/nightferry/uploads"


@pytest.fixture
def sick(healthy: HealthyHost) -> list[Result]:
    """Give what is found on a host with a warning and a fault."""
    healthy.says("timedatectl", "no\n")
    write(healthy.root, f"{UPLOADS}/\x1b[31m\u202eevil\nname", os.urandom(64), 0o600)
    return examine(healthy.patient())


def test_a_fine_host_is_silent_in_cron(healthy: HealthyHost) -> None:
    """Quiet means no mail at all when there is nothing to say."""
    results = examine(healthy.patient())
    assert speak(results, TODAY, quiet=True) == ""
    assert speak(results, TODAY, quiet=False).endswith(f"All {len(CHECKS)} checks are fine.\n")
    assert worst(results) is Grade.FINE


def test_a_terminal_of_80_columns_is_enough(sick: list[Result]) -> None:
    """Nothing is broken by the terminal itself, so commands can be copied."""
    lines = speak(sick, TODAY, quiet=False).splitlines()
    assert max(map(len, lines)) < 80
    assert len([line for line in lines if line.startswith("fine ")]) == len(CHECKS) - 2


def test_quiet_leaves_out_only_what_is_fine(sick: list[Result]) -> None:
    """A person reads what is wrong and how to mend it, and no more."""
    said = speak(sick, TODAY, quiet=True)
    assert re.findall(r"^(WRONG|warning|fine) +(\w+)", said, re.MULTILINE) == [
        ("WRONG", "plaintext"),
        ("warning", "clock"),
    ]
    assert said.count("To mend: ") == 2


def test_hostile_names_do_not_reach_the_terminal(sick: list[Result]) -> None:
    """A file's name may hold escapes, a line's end, a change of direction: none is printed."""
    for said in (speak(sick, TODAY, quiet=False), to_json(sick, TODAY)):
        assert "evil" in said
        assert all(letter.isprintable() or letter == "\n" for letter in said)
    assert json.loads(to_json(sick, TODAY))


def test_a_program_reads_the_same(sick: list[Result]) -> None:
    """Every check is in the JSON, with its state, and each finding with both its sentences."""
    answer = json.loads(to_json(sick, TODAY))
    assert (answer["day"], answer["state"]) == ("2026-01-02", "wrong")
    assert [check["name"] for check in answer["checks"]] == [check.name for check in CHECKS]
    states = {check["name"]: check["state"] for check in answer["checks"]}
    assert (states["plaintext"], states["clock"], states["keys"]) == ("wrong", "warning", "fine")
    findings = [each for check in answer["checks"] for each in check["findings"]]
    assert all(set(each) == {"state", "what", "mend"} for each in findings)


def test_what_cannot_be_looked_at_is_never_fine(tmp_path: Path) -> None:
    """On a machine without settings or systemd no check that needs them says that all is well."""
    patient = Patient(Host(tmp_path, tmp_path), dt.datetime.now(dt.UTC), lambda: None)
    found = {one.check.name: one.findings for one in examine(patient)}
    assert "not looked at" in found["keys"][0].what
    assert "systemctl is not on this host" in found["units"][0].what


def test_somebody_who_is_not_root_is_told_so(healthy: HealthyHost) -> None:
    """A folder that may not be looked into is a finding with the way out."""
    if os.geteuid() == 0:
        pytest.skip("root may look into everything")
    healthy.at("/var/lib/nightferry/gnupg").chmod(0)
    found = {one.check.name: one.findings for one in examine(healthy.patient())}
    assert "only root may see" in found["plaintext"][0].what


def test_the_exit_status_is_the_grade(healthy: HealthyHost) -> None:
    """0, 1 and 2, as monitors have them."""
    assert look(healthy.patient(), as_json=False, quiet=True) == ("", 0)
    healthy.says("timedatectl", "no\n")
    said, status = look(healthy.patient(), as_json=True, quiet=False)
    assert (status, json.loads(said)["state"]) == (1, "warning")
    healthy.at("/etc/nightferry/torrc").unlink()
    assert look(healthy.patient(), as_json=False, quiet=True)[1] == 2


def test_the_help_says_what_the_exit_status_means(capsys: pytest.CaptureFixture[str]) -> None:
    """Who writes a line for cron finds it there."""
    with pytest.raises(SystemExit):
        main(["doctor", "--help"])
    assert "0: fine, 1: warnings, 2: wrong" in " ".join(capsys.readouterr().out.split())


def test_the_page_names_every_check() -> None:
    """A check of which the sysadmin cannot read is missing from the page, or the page is old."""
    for check in CHECKS:
        assert f"| `{check.name}` | {check.looks_at}" in PAGE
