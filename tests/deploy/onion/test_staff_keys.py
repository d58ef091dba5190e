"""Who is let in at the desk, and what is shown of it."""

import re

import pytest

from deploy.errors import DeployError
from deploy.init.asking import Words
from deploy.onion.clients import client_names, let_in, secret_line, shut_out
from deploy.onion.command import make_staff_key, remove_key, show
from deploy.onion.keys import make_keys
from deploy.onion.store import addresses, save_keys
from deploy.places import DESK_CLIENTS, DESK_ONION, SOURCE_ONION
from tests.deploy.init.machine import Machine


def test_a_staff_key_is_let_in_and_its_secret_kept_nowhere(ready: Machine) -> None:
    """The public half lies where tor looks; the secret half is printed in both forms that are used."""
    words = make_staff_key(ready.host, "anna", replace=False)

    secret = next(iter(re.findall(r"\b[A-Z2-7]{52}\b", words)))
    desk = addresses(ready.host).desk
    assert secret_line(desk, secret) in words
    assert f"http://{desk}" in words
    line = ready.host.path(DESK_CLIENTS / "anna.auth").read_text()
    assert re.fullmatch(r"descriptor:x25519:[A-Z2-7]{52}\n", line)
    assert secret not in line
    assert ready.called == ["systemctl reload-or-restart nightferry-tor.service"]


@pytest.mark.parametrize("replace", [False, True])
def test_if_tor_cannot_be_told_nothing_has_changed(ready: Machine, replace: bool) -> None:
    """A key whose secret half was never shown would stand there for ever, and block its name."""
    if replace:
        make_staff_key(ready.host, "anna", replace=False)
    refused = ready.refuse("nightferry-tor.service")
    before = _clients(ready)

    with pytest.raises(DeployError, match="journalctl"):
        make_staff_key(ready.host, "anna", replace=replace)
    assert _clients(ready) == before
    refused.unlink()
    make_staff_key(ready.host, "anna", replace=replace)


def _clients(machine: Machine) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in machine.host.path(DESK_CLIENTS).iterdir()}


def test_a_name_that_is_taken_is_not_replaced_unasked(ready: Machine) -> None:
    """Its holder would stand before a closed door without knowing why."""
    make_staff_key(ready.host, "anna", replace=False)
    before = ready.host.path(DESK_CLIENTS / "anna.auth").read_text()

    with pytest.raises(DeployError, match="--replace"):
        make_staff_key(ready.host, "anna", replace=False)
    assert ready.host.path(DESK_CLIENTS / "anna.auth").read_text() == before
    make_staff_key(ready.host, "anna", replace=True)
    assert ready.host.path(DESK_CLIENTS / "anna.auth").read_text() != before


def test_a_key_that_is_taken_away_opens_nothing_at_once(ready: Machine) -> None:
    """After a reload, who had the desk open would still come in; so tor starts anew."""
    make_staff_key(ready.host, "anna", replace=False)
    make_staff_key(ready.host, "anna", replace=True)
    said = remove_key(ready.host, "anna")

    assert client_names(ready.host) == ["staff"]
    assert "uploads that ran go on" in said
    unit = "nightferry-tor.service"
    wanted = [f"systemctl {verb} {unit}" for verb in ("reload-or-restart", "restart", "restart")]
    assert ready.called == wanted


def test_a_key_that_tor_still_takes_is_not_said_to_be_gone(ready: Machine) -> None:
    """If tor cannot be told, the key stays where it was, and the words say that."""
    make_staff_key(ready.host, "anna", replace=False)
    ready.refuse("nightferry-tor.service")

    with pytest.raises(DeployError, match="could not restart"):
        remove_key(ready.host, "anna")
    assert client_names(ready.host) == ["anna", "staff"]


def test_the_last_key_cannot_be_taken_away(ready: Machine) -> None:
    """Without any key tor lets everybody in who learns the address."""
    with pytest.raises(DeployError, match="lets everybody in"):
        shut_out(ready.host, "staff")

    let_in(ready.host, "anna")
    shut_out(ready.host, "staff")
    assert client_names(ready.host) == ["anna"]


@pytest.mark.parametrize("name", ["../x", "", "a/b", "Anna", ".auth", "a" * 33, "a\nb", "ä"])
def test_a_name_is_never_a_path(ready: Machine, name: str) -> None:
    """What becomes a file's name is judged first."""
    before = ready.snapshot()
    with pytest.raises(DeployError, match="is no name for a key"):
        make_staff_key(ready.host, name, replace=False)
    assert ready.snapshot() == before


def test_a_key_that_is_not_there_cannot_be_taken_away(ready: Machine) -> None:
    """The names that there are, are said."""
    with pytest.raises(DeployError, match="there are: staff"):
        shut_out(ready.host, "ana")


def test_both_addresses_and_the_names_are_shown(ready: Machine) -> None:
    """What the sysadmin forgot is on one screen, and nothing secret is."""
    found = addresses(ready.host)
    assert show(ready.host).splitlines() == [
        f"source  http://{found.source}",
        f"desk    http://{found.desk}",
        "keys to the desk: staff",
    ]


def test_before_init_there_is_nothing_to_show(bare: Machine) -> None:
    """The words name the command that comes first."""
    with pytest.raises(DeployError, match="nightferry init"):
        show(bare.host)


def test_a_half_written_pair_is_made_whole(ready: Machine) -> None:
    """If power went between two files, the secret was not there yet: nothing was promised."""
    keys = make_keys()
    save_keys(ready.host, SOURCE_ONION, keys)
    ready.host.path(DESK_ONION / "hostname").unlink()

    ready.init(Words())

    assert addresses(ready.host).source == keys.address
    assert ready.host.path(DESK_ONION / "hostname").exists()
