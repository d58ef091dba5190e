"""The years of one host, in order: each step in words, and what it does."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.host.deployment import Deployment
from tests.host.promise import tell
from tests.host.steps import (
    beginning,
    doors,
    installing,
    keeping,
    leaving,
    sandbox,
    sending,
    upgrading,
    watching,
)

Step = tuple[str, Callable[[Deployment], None]]


def story(archive: Path) -> tuple[Step, ...]:
    """Give the steps. Later ones rely on what earlier ones have made."""
    return (
        ("apt installs the package, without a network", installing.installs_without_a_network),
        ("init says first what it would do", beginning.says_first_what_it_would_do),
        ("init refuses a key that is another's", beginning.refuses_another_key),
        ("init makes two sites, on a terminal", beginning.makes_two_sites),
        ("init changes nothing when it is run again", beginning.changes_nothing_again),
        ("dpkg finds every file as it was built", installing.is_what_was_built),
        ("both sites answer, each under its own name", doors.both_sites_answer),
        ("tor's user alone reaches the sockets", doors.tor_alone_gets_in),
        ("the firewall lets out whom it should", doors.firewall_lets_tor_out),
        ("a site that was taken over can do nothing else", sandbox.sites_can_do_nothing_else),
        ("tor runs without rights", sandbox.tor_has_no_rights),
        ("systemd rates the units as low as promised", sandbox.exposure_is_low),
        ("an upload arrives sealed, and opens", sending.arrives_sealed),
        ("the doctor is content", watching.doctor_is_content),
        ("the daily report", watching.report_is_the_same_every_day),
        ("a word for the monitor", watching.health_is_one_word),
        ("the timers' work", watching.daily_work_is_done),
        ("the doctor finds what is broken on purpose", watching.doctor_finds_what_is_broken),
        ("an upload survives restarts and kills", sending.survives_restarts),
        ("an upload survives an upgrade", upgrading.brings_the_next_version),
        ("a broken upgrade is taken back", upgrading.takes_a_broken_version_back),
        ("an upload survives a power cut", sending.survives_a_power_cut),
        ("a backup is made during an upload", keeping.backs_up_while_it_runs),
        (
            "another host goes on from the backup",
            lambda host: keeping.restores_on_another_host(host, archive),
        ),
        ("staff fetch everything and open it", keeping.staff_fetch_it),
        ("removed and installed again", leaving.removes_and_comes_back),
        ("purge keeps what was sent", leaving.purge_keeps_what_was_sent),
        ("purge forgets when it is told to", leaving.forgets_when_told),
    )


def live_through(host: Deployment, steps: tuple[Step, ...]) -> None:
    """Do one step after another, and tell how long each took."""
    for words, step in steps:
        tell(words)
        began = time.monotonic()
        step(host)
        tell(f"  {time.monotonic() - began:.1f} s")
