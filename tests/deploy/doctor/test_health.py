"""One word for a monitor."""

import pytest

from deploy.__main__ import main
from deploy.report.health import Health, health
from tests.deploy.doctor.healthy import HealthyHost

SETTINGS = "/etc/nightferry/nightferry.toml"


def test_a_host_that_works_is_fine(healthy: HealthyHost) -> None:
    """Both sites answer, tor runs, there is room."""
    assert health(healthy.patient()) is Health.FINE


@pytest.mark.parametrize("socket", ["http.sock", "desk.sock"])
def test_a_site_that_does_not_answer_is_down(healthy: HealthyHost, socket: str) -> None:
    """Either site counts."""
    healthy.close(f"/run/nightferry/{socket}")
    assert health(healthy.patient()) is Health.DOWN


def test_without_tor_it_is_down(healthy: HealthyHost) -> None:
    """Sites that answer to nobody are no service."""
    healthy.fails("systemctl", "inactive")
    assert health(healthy.patient()) is Health.DOWN


def test_a_disk_below_the_reserve_is_full(healthy: HealthyHost) -> None:
    """Uploads wait; the monitor hears of it before sources give up."""
    healthy.edit(SETTINGS, "disk_reserve = 16777216", "disk_reserve = 1125899906842624")
    assert health(healthy.patient()) is Health.FULL


def test_without_settings_it_is_unknown(healthy: HealthyHost) -> None:
    """It never guesses that all is well."""
    healthy.at(SETTINGS).unlink()
    assert health(healthy.patient()) is Health.UNKNOWN


def test_the_command_says_one_word(capsys: pytest.CaptureFixture[str]) -> None:
    """Here, where nothing is installed, it says that it cannot know, and ends with 3."""
    assert main(["health"]) == 3
    assert capsys.readouterr().out == "unknown\n"
