"""From an installed package to two onion sites, and what a second run does."""

import dataclasses
import os
import re
import tomllib

import pytest

from config.settings import load
from deploy.init.asking import Asker, Words, make_plan
from deploy.init.command import find_ssh_port
from deploy.init.step import StepFailedError
from deploy.init.steps import all_steps
from deploy.onion.clients import client_names
from deploy.onion.store import addresses
from deploy.places import FOLDERS, RECIPIENTS, SETTINGS, TORRC
from tests.crypto.keys.making import Ngo, export, generate
from tests.deploy.init.machine import TODAY, Machine

ONION = r"[a-z2-7]{56}\.onion"


def test_a_bare_host_becomes_two_sites(machine: Machine, given: Words) -> None:
    """One run makes everything true; both addresses are shown, and they are the sites' own."""
    tally = machine.init(given)

    assert tally.held == 3  # no other tor, no backup is wanted, and both sites answer
    found = addresses(machine.host)
    assert f"source  http://{found.source}" in machine.words
    assert f"desk    http://{found.desk}" in machine.words
    settings = load(machine.host.path(SETTINGS))
    assert (settings.hosts, settings.desk_hosts) == ((found.source,), (found.desk,))
    assert re.fullmatch(ONION, found.source)
    assert found.source != found.desk


def test_a_second_run_changes_nothing_and_says_so(machine: Machine, given: Words) -> None:
    """Not an octet, a mode or a time of anything on the host is another after it."""
    machine.init(given)
    before = machine.snapshot()
    machine.forget_calls()

    assert machine.init(Words()).made == 0
    assert machine.snapshot() == before
    assert "Nothing was changed." in machine.words
    changing = r"systemctl (start|restart|enable|daemon)|migrate|add|sysusers|tmpfiles"
    assert [call for call in machine.called if re.search(changing, call)] == []


def test_a_second_run_with_the_same_key_changes_nothing(machine: Machine, given: Words) -> None:
    """The command that was typed can be taken out of the shell's history and run again."""
    machine.init(given)

    assert machine.init(given).made == 0


def test_a_dry_run_changes_nothing_and_names_every_step(machine: Machine, given: Words) -> None:
    """What would be done is listed, in order, and none of it is done."""
    before = machine.snapshot()

    machine.init(given, dry_run=True)

    assert machine.snapshot() == before
    named = [line.split()[1] for line in machine.said if line.startswith("would")]
    first = ["users", "folders", "addresses", "desk", "recipient", "settings", "host", "tor"]
    assert named == [*first, "ssh", "database", "running", "answer"]
    assert "Nothing was changed. 2 steps hold already, 12 would be made." in machine.words


def test_every_folder_belongs_to_whom_it_should(machine: Machine, given: Words) -> None:
    """The table of folders is what is on the disk: owner, group and mode."""
    machine.init(given)

    wrong = [
        folder
        for folder in FOLDERS
        if not machine.host.is_owned(folder.path, folder.user, folder.group, folder.mode)
    ]
    assert wrong == []


def test_a_folder_that_was_opened_is_closed_again(machine: Machine, given: Words) -> None:
    """What somebody has made readable for all since then is put right, and nothing else."""
    machine.init(given)
    machine.host.path(FOLDERS[-1].path).chmod(0o755)

    assert machine.init(Words()).made == 1
    assert any(line.startswith("made    folders") for line in machine.said)


def test_no_secret_is_readable_by_others(machine: Machine, given: Words) -> None:
    """Of all that was written, others than the owner read only what is public."""
    machine.init(given)

    every = [path for path in machine.root.glob("[ev]*/**/*") if path.is_file()]
    open_to_all = {path.name for path in every if path.stat().st_mode & 0o007}
    certificate = {path.name for path in every if path.suffix == ".asc"}
    small_programs = {"passwd", "group", "nightferry.db"}  # not written by init
    public = {"torrc", "host.toml", "ssh.nft"} | certificate
    assert open_to_all - small_programs == public


def test_the_key_to_the_desk_is_made_before_tor_runs(machine: Machine, given: Words) -> None:
    """Between tor's first start and the first key, everybody would be let in at the desk."""
    tor = machine.refuse("nightferry-tor.service")

    with pytest.raises(StepFailedError):
        machine.init(given)
    assert client_names(machine.host) == ["staff"]
    assert "In Tor Browser" in machine.words
    tor.unlink()
    machine.init(Words())
    assert client_names(machine.host) == ["staff"]
    assert "In Tor Browser" not in machine.words


def test_the_secret_half_of_a_key_is_nowhere_on_the_host(machine: Machine, given: Words) -> None:
    """It is shown once; a seized host does not have it."""
    machine.init(given)

    shown = set(re.findall(r"\b[A-Z2-7]{52}\b", machine.words))
    assert len(shown) == 1
    (secret,) = shown
    every = [path for path in machine.root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path for path in every if secret.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("step", range(1, 14))
def test_a_run_that_breaks_anywhere_is_gone_on_with(
    machine: Machine, given: Words, step: int
) -> None:
    """After a break behind any step, the next run makes the rest and leaves the first part alone."""
    made = machine.interrupted_before(step, given)

    assert machine.init(given).held >= made
    assert machine.init(Words()).made == 0


def test_a_failed_step_is_named_with_what_to_do(machine: Machine, given: Words) -> None:
    """The sysadmin reads which step, why, where to look, and that the same command goes on."""
    unit = machine.refuse("nightferry-desk.service")

    with pytest.raises(StepFailedError) as failed:
        machine.init(given)

    words = str(failed.value)
    assert "the step 'running' failed" in words
    assert "Job for nightferry-desk.service failed." in words
    assert "journalctl --namespace=nightferry --unit=nightferry-desk.service" in words
    assert "run the same command again" in words
    assert "FAILED  running" in machine.words
    unit.unlink()
    assert machine.init(Words()).made == 1


def test_a_site_that_does_not_answer_fails_the_run(bare: Machine, given: Words) -> None:
    """That a unit is active says little: the page is what counts."""
    with pytest.raises(StepFailedError) as failed:
        bare.init(given)

    assert "nightferry-source.service and nightferry-desk.service runs" in str(failed.value)


def test_the_first_account_is_made_if_a_name_is_given(machine: Machine, given: Words) -> None:
    """Its secrets are shown, its key to the desk has its name, and the next run knows both."""
    with_staff = dataclasses.replace(given, staff="anna")
    machine.init(with_staff)

    assert "passphrase  eight words" in machine.words
    assert client_names(machine.host) == ["anna"]
    assert machine.init(with_staff).made == 0


def test_what_the_sysadmin_wrote_into_the_settings_stays(machine: Machine, given: Words) -> None:
    """A new recipient is added to the list; comments and other keys are left as they are."""
    machine.init(given)
    path = machine.host.path(SETTINGS)
    path.write_text(path.read_text() + "# mine\nretention_days = 90\n")
    before = tomllib.loads(path.read_text())

    with_second = _second_key(machine, given)

    after = tomllib.loads(path.read_text())
    assert "# mine\n" in path.read_text()
    assert len(after["recipients"]) == 2
    assert after == before | {"recipients": after["recipients"]}
    assert machine.init(with_second).made == 0


def test_a_certificate_that_was_taken_away_is_sealed_to_no_more(
    machine: Machine, given: Words
) -> None:
    """A new key comes by `init`; the old file is removed, and `init` run again: that is all."""
    machine.init(given)
    _second_key(machine, given)
    (machine.host.path(RECIPIENTS) / f"{given.fingerprint}.asc").unlink()

    machine.init(Words())

    (left,) = load(machine.host.path(SETTINGS)).recipients
    assert left.name != f"{given.fingerprint}.asc"
    assert machine.init(Words()).made == 0


def _second_key(machine: Machine, given: Words) -> Words:
    assert given.key is not None
    folder = machine.root / "keys"
    folder.mkdir(mode=0o700)
    fingerprint = generate(folder, "Another <another@ngo.example>")
    words = Words(key=export(folder, folder / "second.asc", fingerprint), fingerprint=fingerprint)
    machine.init(words)
    return words


def test_what_was_changed_is_read_by_what_runs(machine: Machine, given: Words) -> None:
    """A unit that runs with older files is told; the others go on undisturbed."""
    machine.init(given)
    before = machine.host.path(TORRC).stat().st_mtime - 5
    os.utime(machine.root / "state/active-nightferry-tor.service", (before, before))
    machine.forget_calls()

    machine.init(Words())

    told = [call for call in machine.called if "restart" in call]
    assert told == ["systemctl reload-or-restart nightferry-tor.service"]


def test_a_clock_that_was_put_back_stops_nothing(machine: Machine, given: Words) -> None:
    """Files that were written under a clock that was a day ahead are newer than every start."""
    machine.init(given)
    future = machine.host.path(TORRC).stat().st_mtime + 86_400
    os.utime(machine.host.path(TORRC), (future, future))

    assert machine.init(Words()).made == 1
    assert machine.init(Words()).made == 0


def test_a_torrc_of_another_version_is_replaced_and_kept(machine: Machine, given: Words) -> None:
    """What the sysadmin wrote into it is not lost, and where it belongs is said."""
    machine.init(given)
    machine.host.path(TORRC).write_text("SocksPort 9050\n")

    machine.init(Words())

    assert machine.host.path(TORRC).with_name("torrc.old").read_text() == "SocksPort 9050\n"
    assert "SocksPort 0" in machine.host.path(TORRC).read_text()
    assert "torrc.d" in machine.words


def test_a_place_for_backups_switches_the_timer_on(machine: Machine, given: Words) -> None:
    """With a folder named, a backup is made every day; named no more, none is."""
    machine.init(dataclasses.replace(given, backup_to="/mnt/backup"))
    assert (machine.root / "mnt/backup/snapshots").is_dir()  # the timer makes none by itself
    active = machine.root / "state/active-nightferry-backup.timer"
    assert active.exists()
    path = machine.root / "etc/nightferry/host.toml"
    path.write_text(path.read_text().replace("/mnt/backup", ""))

    machine.init(Words())

    assert not active.exists()


@pytest.mark.parametrize(("port", "rule"), [(22, "{ 22 }"), (2222, "{ 2222 }"), (0, None)])
def test_the_firewall_lets_ssh_in_where_it_was_told_to(
    machine: Machine, given: Words, port: int, rule: str | None
) -> None:
    """The port is in the rule; with 0 there is no rule at all."""
    machine.init(dataclasses.replace(given, ssh_port=port))

    text = (machine.root / "etc/nightferry/nftables.d/ssh.nft").read_text()
    added = [line for line in text.splitlines() if not line.startswith("#")]
    wanted = [f"add element inet nightferry ports_in {rule}"] if rule else []
    assert added == wanted


@pytest.mark.parametrize(
    ("says", "port"),
    [("port 2222\naddressfamily any\n", 2222), ("", 22), ("port 22\nport 443\n", 22)],
)
def test_ssh_stays_open_where_sshd_listens(machine: Machine, says: str, port: int) -> None:
    """Nobody is locked out of the host by the command that they are running on it."""
    machine.add_program("sshd", f"printf '{says}'")

    assert find_ssh_port(machine.host) == port


def test_without_sshd_its_own_port_is_meant(machine: Machine) -> None:
    """It may come later."""
    assert find_ssh_port(machine.host) == 22


def test_debians_idle_tor_is_switched_off(machine: Machine, given: Words) -> None:
    """It came with the package `tor`, listens on loopback, and the firewall lets it nowhere."""
    for state in ("active", "enabled"):
        (machine.root / f"state/{state}-tor.service").touch()
    (machine.root / "etc/tor").mkdir()
    (machine.root / "etc/tor/torrc").write_text("## Configuration file\n#SocksPort 9050\n\n")

    machine.init(given)

    assert "systemctl disable --quiet --now tor.service" in machine.called
    assert machine.init(Words()).made == 0


def test_a_tor_with_work_is_left_alone(machine: Machine, given: Words) -> None:
    """SSH by an onion service of the sysadmin's, for example: it runs on, and gets out."""
    (machine.root / "state/active-tor.service").touch()
    (machine.root / "etc/tor").mkdir()
    (machine.root / "etc/tor/torrc").write_text("HiddenServiceDir /var/lib/tor/ssh\n")
    with (machine.root / "etc/passwd").open("a") as users:
        users.write("debian-tor:x:61009:61009::/:/bin/false\n")

    machine.init(given)

    assert (machine.root / "state/active-tor.service").exists()
    rules = (machine.root / "etc/nightferry/nftables.d/ssh.nft").read_text()
    assert "out_more meta skuid debian-tor" in rules


def test_what_the_command_line_leaves_open_is_asked(machine: Machine, ngo: Ngo) -> None:
    """On a terminal nothing has to be known by heart; the fingerprint may be typed in groups."""
    groups = " ".join(re.findall("....", ngo.fingerprint.lower()))
    machine.answers = [str(ngo.certificate), groups, "anna", "2222"]

    machine.init(Words())

    assert client_names(machine.host) == ["anna"]
    assert "{ 2222 }" in (machine.root / "etc/nightferry/nftables.d/ssh.nft").read_text()
    assert machine.answers == []


def test_the_fingerprint_is_never_shown_before_it_is_typed(machine: Machine, ngo: Ngo) -> None:
    """A person who sees it would type what is there, and the comparison would be worth nothing."""
    machine.answers = [str(ngo.certificate), ngo.fingerprint, "", ""]

    machine.init(Words())

    asked = next(line for line in machine.said if "fingerprint" in line)
    before = machine.said[: machine.said.index(asked) + 1]
    assert ngo.fingerprint not in "".join(before).replace(" ", "")


def test_every_step_says_why(machine: Machine, given: Words) -> None:
    """The table is for reading: each step has a name and a sentence."""
    plan = make_plan(machine.host, given, Asker(None, print, TODAY))
    steps = all_steps(machine.host, plan)
    assert len({step.name for step in steps}) == len(steps)
    assert all(len(step.why) > 20 for step in steps)
