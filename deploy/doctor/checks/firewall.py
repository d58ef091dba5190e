"""The firewall: loaded, shut, and with the rules that were shipped."""

import re
from collections.abc import Iterator

from deploy.doctor.finding import Finding, wrong
from deploy.doctor.patient import Patient, UnseenError
from deploy.places import FIREWALL_D, SHARE, TOR_USER

_RULES = SHARE / "nftables.conf"
_TABLE = "nightferry"
_MEND = "systemctl restart nightferry-firewall; nft list table inet nightferry shows it"
_DIRECTIONS = {"input": "in", "forward": "through this host", "output": "out"}
_OPEN_TO_ALL = "out_more"  # the sysadmin's own


def judge(patient: Patient) -> Iterator[Finding]:
    """Find a firewall that is not loaded, is open, or has other rules than those shipped."""
    ran = patient.host.run("nft", "--stateless", "list", "table", "inet", _TABLE)
    if ran.code != 0 and "No such file" not in ran.complained:
        reason = (ran.complained.strip() or "no reason given").splitlines()[0]
        raise UnseenError(f"nft: {reason}")
    if ran.code != 0:
        yield wrong("it is not loaded: every program can speak to the network", _MEND)
        return
    chains = _chains(ran.said)
    yield from _judge_policies(chains)
    yield from _judge_rules(patient, chains)


def _judge_policies(chains: dict[str, list[str]]) -> Iterator[Finding]:
    heads = [line for lines in chains.values() for line in lines if " hook " in line]
    for hook, words in _DIRECTIONS.items():
        if not any(f" hook {hook} " in head and "policy drop" in head for head in heads):
            yield wrong(f"what no rule names is let {words}: the policy is not drop", _MEND)


def _judge_rules(patient: Patient, chains: dict[str, list[str]]) -> Iterator[Finding]:
    number = patient.host.user_id(TOR_USER)
    mine = re.compile(rf'meta skuid ("?{TOR_USER}"?|{number}) .*accept')
    if not any(mine.search(line) for line in chains.get("out", [])):
        yield wrong("tor itself cannot speak to the network: nobody reaches either site", _MEND)
    for name, shipped in _chains(patient.read(_RULES)).items():
        loaded = len(chains.get(name, []))
        if name != _OPEN_TO_ALL and loaded != len(shipped):
            yield wrong(
                f"the chain '{name}' has {loaded} rules, shipped with {len(shipped)}: something "
                "was added or taken out while it ran",
                f"{_MEND}. Rules of your own belong into {FIREWALL_D}",
            )


def _chains(text: str) -> dict[str, list[str]]:
    """Give each chain's lines: one rule each, as nft prints them and as they were written."""
    found: dict[str, list[str]] = {}
    inside: list[str] | None = None
    for line in (line.partition("#")[0].strip() for line in text.splitlines()):
        if begins := re.fullmatch(r"chain (\w+) \{", line):
            inside = found.setdefault(begins[1], [])
        elif line == "}":
            inside = None
        elif line and inside is not None:
            inside.append(line)
    return found
