"""The host's own settings, and changing one list in the service's."""

import tomllib

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from config.errors import SettingsError
from deploy.amend import _quoted, amend_list, write_settings
from deploy.errors import DeployError
from deploy.init.asking import Words
from deploy.init.texts import host_settings
from deploy.places import HOST_SETTINGS, SETTINGS
from deploy.settings import HostSettings, load_host_settings
from tests.deploy.init.machine import Machine


def test_without_a_file_all_defaults_hold(bare: Machine) -> None:
    """Other commands work before init: SSH open, no backup, no mail."""
    assert load_host_settings(bare.host) == HostSettings()
    assert HostSettings().ssh_port == 22


@pytest.mark.parametrize(
    "settings",
    [
        HostSettings(),
        HostSettings(ssh_port=0, backup_to="/mnt/b", report_to="desk+x@ngo.example"),
    ],
)
def test_what_init_writes_is_read_as_it_was_meant(machine: Machine, settings: HostSettings) -> None:
    """The file has every key, and each comes back."""
    path = machine.host.path(HOST_SETTINGS)
    path.parent.mkdir()
    path.write_text(host_settings(settings))

    assert load_host_settings(machine.host) == settings
    assert set(tomllib.loads(path.read_text())) == {"backup_to", "report_to", "ssh_port"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ssh_prot = 2\n", "did you mean ssh_port?"),
        ("ssh_port = true\n", "expected a whole number"),
        ("backup_to = 3\n", "expected a text in quotes"),
        ("ssh_port = \n", "is no TOML file"),
        ('report_to = "a@b c"\n', "expected one address"),
        ('report_to = "-oQ/tmp@x y"\n', "expected one address"),
    ],
)
def test_a_slip_in_the_hosts_settings_is_refused(bare: Machine, text: str, words: str) -> None:
    """Each is named with what is expected."""
    path = bare.host.path(HOST_SETTINGS)
    path.parent.mkdir()
    path.write_text(text)

    with pytest.raises(SettingsError) as refused:
        load_host_settings(bare.host)
    assert words in str(refused.value)


# --- one list in the service's settings -------------------------------------------------------


@pytest.fixture
def ready(machine: Machine, given: Words) -> Machine:
    machine.init(given)
    return machine


@pytest.mark.parametrize(
    "written",
    [
        'hosts = ["x.onion"]',
        'hosts=["x.onion"]  # ours',
        'hosts = [\n  "x.onion", # one\n  "y.onion",\n]',
        "hosts   =   ['x.onion']",
    ],
)
def test_a_list_is_found_however_it_is_written(ready: Machine, written: str) -> None:
    """The sysadmin may have formatted the file; everything else in it stays."""
    path = ready.host.path(SETTINGS)
    lines = path.read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("hosts"))
    path.write_text("\n".join([*lines[:at], written, *lines[at + 1 :], ""]))
    before = tomllib.loads(path.read_text())

    amend_list(ready.host, "hosts", ["a.onion", "b.onion"])

    after = tomllib.loads(path.read_text())
    assert after == before | {"hosts": ["a.onion", "b.onion"]}
    assert ready.host.is_owned(SETTINGS, "root", "nightferry", 0o640)


def test_a_list_that_is_not_there_is_added(ready: Machine) -> None:
    """A key that had its default gets a line of its own."""
    path = ready.host.path(SETTINGS)
    text = path.read_text()
    path.write_text("".join(ln for ln in text.splitlines(True) if not ln.startswith("desk_hosts")))

    amend_list(ready.host, "desk_hosts", ["a.onion"])

    assert tomllib.loads(path.read_text())["desk_hosts"] == ["a.onion"]


def test_a_line_that_cannot_be_told_apart_is_left_to_the_sysadmin(ready: Machine) -> None:
    """A bracket within the list's texts: nothing is changed, and the line to write is said."""
    path = ready.host.path(SETTINGS)
    text = path.read_text()
    at = text.index("recipients = [")
    end = text.index("]", at)
    path.write_text(text[:at] + 'recipients = ["/etc/a[1].asc"' + text[end:])
    before = path.read_text()

    with pytest.raises(DeployError, match="by hand"):
        amend_list(ready.host, "recipients", ["/etc/b.asc"])
    assert path.read_text() == before


def test_settings_that_the_service_would_refuse_are_not_put_in_place(ready: Machine) -> None:
    """It would not start again, in the middle of the night."""
    path = ready.host.path(SETTINGS)
    before = path.read_text()

    with pytest.raises(SettingsError):
        amend_list(ready.host, "hosts", ["http://not a name"])
    with pytest.raises(SettingsError):
        write_settings(ready.host, 'data = "/x"\n')
    assert path.read_text() == before
    assert not path.with_name("nightferry.toml.new").exists()


@examples(st.text(max_size=8))
def test_no_text_breaks_out_of_its_quotes(value: str) -> None:
    """Whatever a value is, the line says that value or the value is refused."""
    try:
        written = _quoted(value)
    except DeployError:
        return
    assert tomllib.loads(f"key = {written}") == {"key": value}
