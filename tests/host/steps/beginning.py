"""`nightferry init`, as a sysadmin meets it: first what it would do, then the doing, then again."""

import re

from tests.host.deployment import Deployment
from tests.host.promise import expect
from tests.host.terminal import converse

KEY = "/root/ngo.asc"
STAFF = "ann"
_ONION = r"http://([a-z2-7]{56}\.onion)"
_LOOK = (
    "find /etc /usr/lib/nightferry /usr/share/nightferry /usr/lib/systemd /var/lib/nightferry* "
    "-not -name 'nightferry.db*' -not -path '*/run/*' -not -name state -not -name lock "
    "-not -path '/var/lib/nightferry-tor/cached*' "
    "-not -type d -printf '%p %y %m %U %G %s %T@\\n' | sort"
)


def says_first_what_it_would_do(host: Deployment) -> None:
    """`init --dry-run` changes nothing, and refuses nothing that init takes."""
    host.machine.copy_in(host.ngo.certificate, KEY)
    before = _look(host)
    said = host.run(*_init(host), "--dry-run", promise="init --dry-run says what it would do")
    expect("Nothing was changed" in said, "it says that nothing was changed", said)
    expect(_look(host) == before, "it changes nothing", said)


def refuses_another_key(host: Deployment) -> None:
    """A fingerprint that is another's stops it before the first step."""
    before = _look(host)
    wrong = host.ngo.fingerprint[::-1]
    said = host.nightferry("init", "--key", KEY, "--fingerprint", wrong)
    told = said.code == 1 and "holds another key" in said.text
    expect(told, "init refuses a key with another fingerprint", said.text)
    expect(_look(host) == before, "it changes nothing", said.text)


def makes_two_sites(host: Deployment) -> None:
    """On a terminal it asks for what is missing, and prints both addresses, a key and an account."""
    said = converse(
        host.machine.entrance("nightferry", "init"),
        [
            ("File with the NGO's public key", KEY),
            ("fingerprint, as the NGO", host.ngo.fingerprint),
            ("Name of the first staff account", STAFF),
            ("Port by which SSH", ""),
        ],
    )
    expect(said.code == 0, "init makes two sites", said.text)
    for site in ("source", "desk"):
        found = re.findall(rf"(?m)^ *{site} +{_ONION}", said.text)
        expect(bool(found), f"init prints the {site}'s address", said.text)
        host.addresses[site] = found[-1]
    expect("descriptor:x25519:" in said.text, "init prints the key to the desk", said.text)
    passphrase = re.search(r"(?m)^passphrase +(.+)$", said.text)
    secret = re.search(r"(?m)^secret +(.+)$", said.text)
    if passphrase is None or secret is None:
        expect(False, "init prints what the first staff member needs", said.text)
    else:
        host.staff = (STAFF, passphrase[1], secret[1])
    host.begun = said.text


def changes_nothing_again(host: Deployment) -> None:
    """A second run changes no file and restarts nothing, and says so."""
    before, pids = _look(host), _pids(host)
    said = host.run("nightferry", "init", promise="init can be run again")
    expect("Nothing was changed" in said, "the second run says that nothing was changed", said)
    expect(_look(host) == before, "the second run changes no file", _difference(host, before))
    expect(_pids(host) == pids, "the second run restarts nothing", said)


def _init(host: Deployment) -> list[str]:
    return ["nightferry", "init", "--key", KEY, "--fingerprint", host.ngo.fingerprint]


def _look(host: Deployment) -> str:
    return host.machine.run("sh", "-c", _LOOK).text


def _difference(host: Deployment, before: str) -> str:
    changed = sorted(set(_look(host).splitlines()) ^ set(before.splitlines()))
    return "\n".join(changed)


def _pids(host: Deployment) -> list[int]:
    units = ("nightferry-source.service", "nightferry-desk.service", "nightferry-tor.service")
    return [host.machine.main_pid(unit) for unit in units]
