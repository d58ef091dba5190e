"""`./nightferry` on machines that lack something. What it installs for real: tests/fresh."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

HOUSE = Path(__file__).parents[2]


class Answer(NamedTuple):
    """What a person sees in the end."""

    code: int
    out: str
    err: str


COREUTILS = (
    "cat",
    "chmod",
    "cut",
    "dirname",
    "env",
    "mkdir",
    "readlink",
    "rm",
    "sha256sum",
    "sleep",
    "true",
)
NEEDED = ("sh", "flock", *COREUTILS)

# A Python that makes environments whose own python does what `inner` in the tree says.
MAKES_ENVIRONMENTS = """
[ "$1" = -m ] || exit 0
mkdir -p "$3/bin"
cat inner >"$3/bin/python"
chmod +x "$3/bin/python"
"""


class Machine:
    """A copy of the door, and a PATH that holds only what the machine has."""

    def __init__(self, place: Path) -> None:
        self.tree = place / "tree"
        self.programs = place / "bin"
        self.tree.mkdir()
        self.programs.mkdir()
        shutil.copy(HOUSE / "nightferry", self.tree)
        for name in NEEDED:
            (self.programs / name).symlink_to(shutil.which(name) or name)

    def has(self, name: str, script: str = "exit 0") -> None:
        """Give the machine a program that does what the script says."""
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def has_python(self, inner: str) -> None:
        """Give it gpg, and a Python whose environments behave as `inner` says."""
        for name in ("gpg", "gpg-agent", "gpgconf"):
            self.has(name)
        self.has("python3", MAKES_ENVIRONMENTS)
        (self.tree / "inner").write_text(f"#!/bin/sh\n{inner}\n")
        (self.tree / "requirements.lock").write_text("flask==1\n")
        (self.tree / "requirements-dev.lock").write_text("pytest==1\n")

    def begins(self, *words: str) -> subprocess.Popen[str]:
        """Start ./nightferry with these words, as a terminal would: in a group that hears Ctrl-C."""
        return subprocess.Popen(
            ["/usr/bin/env", "--default-signal=INT", self.tree / "nightferry", *words],
            cwd=self.tree,
            env={"PATH": str(self.programs)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def answers(self, *words: str) -> Answer:
        """Run ./nightferry to its end."""
        process = self.begins(*words)
        out, err = process.communicate()
        return Answer(process.returncode, out, err)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def bare_debian(machine: Machine) -> Machine:
    """A Debian with nothing on it, and somebody who is not root."""
    machine.has("id", "echo 1000")
    machine.has("apt-get", "echo E: $1: no network; exit 100")
    return machine


def test_help_needs_nothing(machine: Machine) -> None:
    """The first thing a newcomer types works anywhere."""
    code, out, err = machine.answers("help")
    assert (code, err) == (0, "")
    assert "./nightferry demo" in out


def test_no_words_mean_help(machine: Machine) -> None:
    """Somebody who types nothing more is told what there is."""
    assert machine.answers() == machine.answers("help")


def test_an_unknown_command_installs_nothing(machine: Machine) -> None:
    """A typo ends in words, not in an installation."""
    code, _, err = machine.answers("dmeo")
    assert code == 2
    assert "no command 'dmeo'; ./nightferry help" in err
    assert list(machine.tree.iterdir()) == [machine.tree / "nightferry"]


def test_without_apt_it_names_what_is_missing(bare_debian: Machine) -> None:
    """On another system the person learns what to install, and why."""
    (bare_debian.programs / "apt-get").unlink()
    code, _, err = bare_debian.answers("demo")
    assert code == 1
    assert "gpg gpg-agent            to make keys" in err
    assert "by your own means" in err


def test_without_root_it_gives_one_line_to_run(bare_debian: Machine) -> None:
    """Nobody is asked for a password: the line to run is printed, and nothing happens."""
    code, _, err = bare_debian.answers("demo")
    line = err.splitlines()[-1].strip()
    assert code == 1
    assert line.startswith("su -c 'apt-get update && apt-get install -y --no-install-recommends ")
    assert line.endswith(" gpg gpg-agent'")
    assert "no network" not in err


def test_a_sudo_that_wants_a_password_is_not_waited_for(bare_debian: Machine) -> None:
    """With sudo, the one line to run begins with it."""
    bare_debian.has("sudo", "exit 1")
    code, _, err = bare_debian.answers("demo")
    assert code == 1
    assert err.splitlines()[-1].strip().startswith("sudo sh -c 'apt-get update && ")


@pytest.mark.parametrize("identity", [0, 1000])
def test_what_apt_said_is_shown_when_it_fails(bare_debian: Machine, identity: int) -> None:
    """As root, or by a sudo without password, it installs; a failure is not swallowed."""
    bare_debian.has("id", f"echo {identity}")
    bare_debian.has("sudo", 'shift; exec env "$@"')
    code, _, err = bare_debian.answers("demo")
    assert code == 1
    assert "E: update: no network" in err


def test_the_second_start_is_silent(machine: Machine) -> None:
    """What is there is not installed again, nor spoken of."""
    machine.has_python('[ "$2" = pip ] || echo "runs $*"')
    assert "installing Python packages" in machine.answers("demo").err
    assert machine.answers("demo", "--port", "1") == (0, "runs -m submit.cli demo --port 1\n", "")


def test_a_new_lock_makes_a_new_environment(machine: Machine) -> None:
    """After an update of the tree, the old packages are not used."""
    machine.has_python("exit 0")
    machine.answers("demo")
    (machine.tree / "requirements.lock").write_text("flask==2\n")
    assert "installing Python packages" in machine.answers("demo").err


def test_what_tests_also_runs(machine: Machine) -> None:
    """After check has installed everything, demo needs no environment of its own."""
    machine.has_python("exit 0")
    machine.answers("check")
    assert machine.answers("demo").err == ""


def test_a_failed_installation_is_never_used(machine: Machine) -> None:
    """When pip fails, the command does not run, and the next start tries again."""
    machine.has_python('[ "$2" != pip ] || exit 3')
    for _ in range(2):
        code, _, err = machine.answers("demo")
        assert code == 1
        assert "installing Python packages" in err
        assert "Nothing half-made will be used" in err


def test_an_interrupted_installation_is_never_used(machine: Machine) -> None:
    """Ctrl-C in the middle of it ends everything, and the next start begins anew."""
    machine.has_python('[ "$2" != pip ] || { echo began; sleep 60; }')
    demo = machine.begins("demo")
    assert demo.stdout is not None
    assert demo.stdout.readline() == "began\n"
    os.killpg(demo.pid, signal.SIGINT)
    demo.communicate()
    assert demo.returncode != 0
    machine.has_python("exit 0")
    assert "installing Python packages" in machine.answers("demo").err


def test_code_in_the_callers_folder_is_not_run(machine: Machine) -> None:
    """Started from a folder of downloads, it searches only its own tree for code."""
    machine.has_python('[ "$2" = pip ] || echo "$PYTHONSAFEPATH $PYTHONPATH"')
    machine.answers("demo")
    assert machine.answers("demo").out == f"1 {machine.tree}\n"


SCRIPT = "submit/web/static/vendor/tus.min.js"
FETCHES = """
echo "npm $*" >>asked
mkdir -p node_modules/tus-js-client/dist
echo script >node_modules/tus-js-client/dist/tus.min.js
"""


@pytest.fixture
def installed(machine: Machine) -> Machine:
    """A machine with all that Python needs, and a lock file for npm."""
    machine.has_python('[ "$2" = pip ] || echo runs')
    for name in ("cp", "mkdir"):
        if not (machine.programs / name).exists():
            (machine.programs / name).symlink_to(shutil.which(name) or name)
    (machine.tree / "package-lock.json").write_text("{}")
    return machine


def test_without_node_the_site_runs_and_says_so(installed: Machine) -> None:
    """One line in the terminal; nothing is installed for it, and the command goes on."""
    installed.answers("demo")
    code, out, err = installed.answers("demo")
    assert (code, out) == (0, "runs\n")
    assert [line for line in err.splitlines() if "no Node" in line] == err.splitlines()
    assert not (installed.tree / SCRIPT).exists()


def test_node_brings_the_pages_script_once(installed: Machine) -> None:
    """What runs is fetched, by the lock file, and put where the site serves it from."""
    installed.has("npm", FETCHES)
    installed.answers("demo")
    assert (installed.tree / SCRIPT).read_text() == "script\n"
    assert installed.answers("demo").err == ""
    asked = (installed.tree / "asked").read_text().splitlines()
    assert len(asked) == 1
    assert asked[0].startswith("npm ci ")
    assert "--omit=dev" in asked[0]


def test_a_new_lock_brings_a_new_script(installed: Machine) -> None:
    """After an update of the tree, the old script is not served."""
    installed.has("npm", FETCHES)
    installed.answers("demo")
    (installed.tree / "package-lock.json").write_text('{"new": 1}')
    installed.has("npm", FETCHES.replace("echo script", "echo newer"))
    installed.answers("demo")
    assert (installed.tree / SCRIPT).read_text() == "newer\n"


def test_an_npm_that_fails_stops_nothing(installed: Machine) -> None:
    """Without a network the site runs without the script, and the next start tries again."""
    installed.has("npm", "exit 1")
    code, out, err = installed.answers("demo")
    assert (code, out) == (0, "runs\n")
    assert "they work without it" in err
    installed.has("npm", FETCHES)
    installed.answers("demo")
    assert (installed.tree / SCRIPT).exists()


def test_the_staffs_and_the_operators_commands_need_no_script(installed: Machine) -> None:
    """Only who serves the pages looks for it."""
    installed.answers("expire")
    assert installed.answers("expire").err == ""


def test_translations_are_compiled_when_they_are_missing_or_old(machine: Machine) -> None:
    """Nobody has to think of it; when nothing has changed, no Python is started for it."""
    machine.has_python('[ "$2" != submit.cli.translations ] || echo compiled')
    catalogue = machine.tree / "submit/web/translations/ru/LC_MESSAGES/messages.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text("")
    compiled = catalogue.with_suffix(".mo")
    assert machine.answers("demo").out == "compiled\n"
    compiled.write_text("")
    os.utime(catalogue, (1, 1))
    assert machine.answers("demo").out == ""
    os.utime(compiled, (0, 0))
    assert machine.answers("demo").out == "compiled\n"
