"""What runs as root when the package comes and goes, and the command in /usr/bin."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.build.control import SCRIPTS
from tests.deploy.build.opened import HOUSE

DEBIAN = HOUSE / "deploy" / "debian"
EVERY = [*SCRIPTS, "nightferry.sh"]

# It says how it was started.
PYTHON = """\
#!/bin/sh
case $1 in
-c) exec {python} "$@" ;;
--version) echo "Python 3.99.0"; exit ;;
esac
printf '%s|' "$@"
echo
env
"""


@pytest.mark.parametrize("name", EVERY)
def test_a_shell_understands_the_script(name: str) -> None:
    """dpkg runs it as root on somebody's host."""
    subprocess.run(["sh", "-n", DEBIAN / name], check=True)
    subprocess.run(["shellcheck", "--shell=sh", DEBIAN / name], check=True)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_knows_every_word_of_dpkg(name: str) -> None:
    """An aborted installation calls scripts with words that nobody tries: none of them may fail."""
    words = {
        "preinst": ["abort-upgrade 1"],
        "postinst": ["abort-upgrade 1", "abort-remove", "abort-deconfigure in-favour x 1"],
        "prerm": [],
        "postrm": [
            "upgrade 1",
            "failed-upgrade 1",
            "disappear x 1",
            "abort-install",
            "abort-upgrade 1",
        ],
    }
    for line in words[name]:
        subprocess.run([DEBIAN / name, *line.split()], check=True)


class Installed:
    """The command, with a Python that tells how it was started."""

    def __init__(self, place: Path, minor: int = sys.version_info.minor) -> None:
        library = place / "library"
        (library / "venv/bin").mkdir(parents=True)
        (library / f"venv/lib/python3.{minor}").mkdir(parents=True)
        python = library / "venv/bin/python"
        python.write_text(PYTHON.format(python=sys.executable))
        python.chmod(0o755)
        # As on a host whose user `nightferry` is this one.
        programs = place / "programs"
        programs.mkdir()
        (programs / "id").write_text("#!/bin/sh\necho 1000\n")
        (programs / "id").chmod(0o755)
        self._path = f"{programs}:{os.environ['PATH']}"
        self._script = place / "nightferry"
        text = (DEBIAN / "nightferry.sh").read_text()
        self._script.write_text(text.replace("library=/usr/lib/nightferry", f"library={library}"))

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", self._script, *words],
            env={
                "PATH": self._path,
                "PYTHONPATH": "/evil",
                "PYTHONSTARTUP": "/evil",
                "HOME": "/evil",
            },
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.mark.parametrize(
    ("words", "started"),
    [
        (["recipients"], "-m|submit.cli|recipients|--config|/etc/nightferry/nightferry.toml|"),
        (["recipients", "--config", "x"], "-m|submit.cli|recipients|--config|x|"),
        (["expire", "--config=x"], "-m|submit.cli|expire|--config=x|"),
        (
            ["staff", "add", "A B"],
            "-m|submit.cli|staff|add|A B|--config|/etc/nightferry/nightferry.toml|",
        ),
        (["staff", "code", "x"], "-m|submit.cli|staff|code|x|"),
        (["migrate", "--help"], "-m|submit.cli|migrate|--help|"),
        (["doctor", "--json"], "-m|deploy|doctor|--json|"),
        (["backup", "--to", "/a b"], "-m|deploy|backup|--to|/a b|"),
        (
            ["upgrade-database"],
            "-m|deploy.backup.upgrading|--config|/etc/nightferry/nightferry.toml|",
        ),
    ],
)
def test_a_command_goes_where_it_belongs(tmp_path: Path, words: list[str], started: str) -> None:
    """The settings are filled in where the command takes them and nobody named others."""
    done = Installed(tmp_path)(*words)
    assert done.stdout.splitlines()[0] == f"-P|-s|-B|{started}"


def test_nothing_of_the_callers_environment_reaches_python(tmp_path: Path) -> None:
    """A variable in somebody's shell must not decide what root loads."""
    assert "evil" not in Installed(tmp_path)("doctor").stdout
    assert "evil" not in Installed(tmp_path / "x")("staff", "list").stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nonsense"], 2, "there is no command 'nonsense'"),
        (["fetch"], 2, "/usr/share/nightferry/fetch"),
        (["unseal"], 2, "/usr/share/nightferry/unseal"),
        (["send"], 2, "there is no command 'send'"),
    ],
)
def test_what_is_no_command_is_said(tmp_path: Path, words: list[str], code: int, said: str) -> None:
    """And where the staff's programs are."""
    done = Installed(tmp_path)(*words)
    assert (done.returncode, said in done.stderr) == (code, True)


def test_a_python_without_parts_is_named(tmp_path: Path) -> None:
    """After an upgrade of Debian to one that this package was not made for."""
    done = Installed(tmp_path, minor=99)("doctor")
    assert (done.returncode, "no parts for Python 3.99.0" in done.stderr) == (1, True)


def test_help_names_every_command_of_a_host(tmp_path: Path) -> None:
    """What deploy and the service offer can be found without the documentation."""
    said = Installed(tmp_path)("help").stdout
    host = subprocess.run(
        [sys.executable, "-m", "deploy", "--help"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    offered = [
        line.split()[0] for line in host.splitlines() if line.startswith("    ") and line[4] != " "
    ]
    assert len(offered) > 4
    assert [name for name in offered if f"nightferry {name}" not in said] == []
