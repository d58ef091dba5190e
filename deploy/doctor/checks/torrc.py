"""Tor's settings: every line that was shipped is in force, and nothing undoes one."""

import re
from collections.abc import Iterator
from pathlib import Path

from deploy.doctor.finding import Finding, warning, wrong
from deploy.doctor.patient import Patient
from deploy.places import TOR_USER, TORRC, TORRC_D, TORRC_TEMPLATE

_SECTION = "HiddenServiceDir"
_VERIFY = ("tor", "--verify-config", "--defaults-torrc", "/nonexistent")
_EVERYWHERE = "the whole of tor"

# Why a line matters; the others are told by their names alone.
_WHY = {
    "HiddenServicePoWDefensesEnabled": "clients do no work, so a flood costs the flooder nothing",
    "HiddenServiceEnableIntroDoSDefense": "introduction points let every flood through",
    "HiddenServiceMaxStreams": "one circuit can open streams without end",
    "SafeLogging": "addresses are logged",
    "SocksPort": "programs of this host can use tor",
    "VanguardsLiteEnabled": "the guard is found in hours instead of weeks",
}
# Numbers that a sysadmin may tune, as long as there is one: 0 would mean that there is no limit.
_TUNABLE = {
    "HiddenServicePoWQueueRate",
    "HiddenServicePoWQueueBurst",
    "HiddenServiceEnableIntroDoSRatePerSec",
    "HiddenServiceEnableIntroDoSBurstPerSec",
    "HiddenServiceNumIntroductionPoints",
    "HiddenServiceMaxStreams",
    "MaxMemInQueues",
}
# What nobody may switch on, wherever it stands.
_FORBIDDEN = (
    (re.compile(r"HiddenService(SingleHop|NonAnonymous)Mode\s+1"), "the server is not anonymous"),
    (re.compile(r"(ORPort|DirPort|ExitRelay|ControlPort)\s+(?!0\b)\S"), "tor listens to others"),
    (re.compile(r"Log\s+(info|debug|notice)", re.IGNORECASE), "what happens is logged"),
    (re.compile(r"SafeLogging\s+0"), "addresses are logged"),
)

_Lines = dict[str, set[str]]


def judge(patient: Patient) -> Iterator[Finding]:
    """Find shipped lines that are gone, lines that undo a protection, and what tor refuses."""
    text = patient.read(TORRC)
    if not text:
        yield wrong(f"{TORRC} is missing: tor does not start", "nightferry init writes it")
        return
    yield from _judge_missing(patient.read(TORRC_TEMPLATE), text)
    yield from _judge_forbidden(patient, text)
    # As tor's user: to another one, tor's folders seem to be somebody else's.
    user = ("setpriv", f"--reuid={TOR_USER}", f"--regid={TOR_USER}", "--init-groups")
    ran = patient.host.run(*user, *_VERIFY, "-f", str(TORRC))
    if ran.code not in {0, 127}:
        said = [line for line in ran.said.splitlines() if "[warn]" in line]
        yield wrong(
            f"tor refuses {TORRC}: {said[-1].partition('] ')[2] if said else 'no reason given'}",
            f"edit {TORRC} and {TORRC_D}, then systemctl restart nightferry-tor",
        )


def _judge_missing(template: str, text: str) -> Iterator[Finding]:
    there = _sections(text)
    for section, lines in _sections(template).items():
        kept = there.get(section, set())
        for line in sorted(lines):
            if any(re.fullmatch(_pattern(line), one) for one in kept):
                continue
            option = line.split()[0]
            why = f": {_WHY[option]}" if option in _WHY else ""
            yield wrong(
                f"'{_shown(line)}' is not set for {section}{why}",
                f"put the line back into {TORRC} ({TORRC_TEMPLATE} has it), then systemctl reload "
                "nightferry-tor",
            )


def _judge_forbidden(patient: Patient, text: str) -> Iterator[Finding]:
    texts = {TORRC: text}
    added = patient.host.path(TORRC_D)
    for path in sorted(added.glob("*.conf")) if added.is_dir() else ():
        texts[TORRC_D / path.name] = patient.read(TORRC_D / path.name)
    shipped = _sections(patient.read(TORRC_TEMPLATE)).get(_EVERYWHERE, set())
    for path, content in texts.items():
        for line in _lines(content):
            reasons = [words for forbidden, words in _FORBIDDEN if forbidden.match(line)]
            for words in reasons:
                yield wrong(
                    f"{path} says '{line}': {words}",
                    "take the line out, then systemctl restart nightferry-tor",
                )
            if path != TORRC and not reasons:
                yield from _judge_added(path, line, shipped)


def _judge_added(path: Path, line: str, shipped: set[str]) -> Iterator[Finding]:
    """Find what the sysadmin's own files add that is better left, or done elsewhere."""
    option = line.split(maxsplit=1)[0]
    undone = [one for one in shipped - {line} if one.split()[0] == option]
    if option == _SECTION:
        yield warning(
            f"{path} adds an onion service to this tor",
            "give it a tor of its own: what happens to one should say nothing of the other",
        )
    elif undone:
        yield warning(
            f"{path} says '{line}', where '{undone[0]}' was shipped",
            "if it is not needed any more, take it out, then systemctl restart nightferry-tor",
        )


def _sections(text: str) -> _Lines:
    """Sort lines by the onion service that they stand under, named by its folder."""
    found: _Lines = {}
    section = _EVERYWHERE
    for line in _lines(text):
        if line.startswith(f"{_SECTION} "):
            section = f"the onion service '{Path(line.split()[1]).name}'"
        found.setdefault(section, set()).add(line)
    return found


def _lines(text: str) -> list[str]:
    bare = (line.partition("#")[0] for line in text.splitlines())
    return [" ".join(line.split()) for line in bare if line.strip()]


def _pattern(line: str) -> str:
    """Give what a line must be like: as it was shipped, but for places and what may be tuned."""
    option = line.split(maxsplit=1)[0]
    if option in _TUNABLE:
        return f"{option} [1-9].*"
    return re.sub(r"@\w+@", "[^ ]+", re.escape(line).replace(r"\@", "@"))


def _shown(line: str) -> str:
    return re.sub(r"@\w+@", "…", line)
