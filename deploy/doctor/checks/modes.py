"""Owners and modes: who may read or change what, besides those who must."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy import places
from deploy.doctor.finding import Finding, some, wrong
from deploy.doctor.patient import Patient

_OTHERS = 0o007
_GROUP_AND_OTHERS = 0o077
_WRITE = 0o022


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a place must be like. `most` are the permissions that it may have at most."""

    path: Path
    most: int
    user: str
    group: str
    needed: bool = True


_SOURCE, _GROUP = places.SOURCE_USER, places.GROUP
_RULES = (
    *(_Rule(each.path, each.mode, each.user, each.group) for each in places.FOLDERS),
    _Rule(places.SETTINGS, 0o640, "root", _GROUP, needed=False),
    _Rule(places.HOST_SETTINGS, 0o644, "root", "root", needed=False),
    _Rule(places.TORRC, 0o644, "root", "root", needed=False),
    _Rule(places.SOCKETS, 0o750, "root", places.TOR_USER),
    _Rule(places.SOURCE_SOCKET, 0o660, places.SOURCE_USER, places.TOR_USER, needed=False),
    _Rule(places.DESK_SOCKET, 0o660, places.DESK_USER, places.TOR_USER, needed=False),
    _Rule(places.REPORTS, 0o750, "root", _GROUP, needed=False),
    _Rule(places.BACKUPS, 0o700, "root", "root", needed=False),
    _Rule(places.DATA / "codename.salt", 0o600, _SOURCE, _GROUP),
    _Rule(places.DATA / "nightferry.db", 0o660, _SOURCE, _GROUP, needed=False),
)


def judge(patient: Patient) -> Iterator[Finding]:
    """Find places that are missing, belong to somebody else, or are open to more than must be."""
    yield from _judge_missing(patient)
    for rule in _RULES:
        yield from _judge_rule(patient, rule)
    yield from _judge_sealed(patient)
    yield from _judge_onion_keys(patient)
    yield from _judge_code(patient)


def _judge_missing(patient: Patient) -> Iterator[Finding]:
    needed = [rule.path for rule in _RULES if rule.needed]
    missing = [str(path) for path in needed if not os.path.lexists(patient.host.path(path))]
    if missing:
        yield wrong(f"{some(missing)} missing", "nightferry init makes what is missing")


def _judge_rule(patient: Patient, rule: _Rule) -> Iterator[Finding]:
    try:
        found = patient.host.path(rule.path).lstat()
    except FileNotFoundError:
        return
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        yield wrong(f"{rule.path} is a link", "put what it points to in its place")
    elif mode & ~rule.most or _lacks(found.st_mode, rule.most):
        yield wrong(
            f"{rule.path} has the mode {mode:04o} instead of {rule.most:04o}",
            f"chmod {rule.most:04o} {rule.path}",
        )
    elif (found.st_uid, found.st_gid) != _numbers(patient, rule.user, rule.group):
        yield wrong(
            f"{rule.path} does not belong to {rule.user}:{rule.group}",
            f"chown {rule.user}:{rule.group} {rule.path}",
        )


def _lacks(mode: int, needed: int) -> bool:
    """Tell whether a folder shuts out somebody who must get in."""
    return stat.S_ISDIR(mode) and stat.S_IMODE(mode) != needed


def _numbers(patient: Patient, user: str, group: str) -> tuple[int | None, int | None]:
    return patient.host.user_id(user), patient.host.group_id(group)


def _judge_sealed(patient: Patient) -> Iterator[Finding]:
    """Find sealed files that others may touch. Either site makes them; both need the group."""
    users = {patient.host.user_id(user) for user in (places.SOURCE_USER, places.DESK_USER)}
    group = patient.host.group_id(places.GROUP)
    uploads = patient.host.path(places.DATA / "uploads")
    strange = []
    for path in uploads.iterdir() if uploads.is_dir() else ():
        found = path.lstat()
        if found.st_mode & _OTHERS or found.st_uid not in users or found.st_gid != group:
            strange.append(path.name)
    if strange:
        yield wrong(
            f"in {places.DATA / 'uploads'} {len(strange)} files belong to others or are open to "
            f"them: {some(sorted(strange))}",
            f"chown -R {_SOURCE}:{_GROUP} {places.DATA / 'uploads'} && "
            f"chmod -R o= {places.DATA / 'uploads'}",
        )


def _judge_onion_keys(patient: Patient) -> Iterator[Finding]:
    """Find keys that others may read: whoever does can stand in for the site."""
    owner = patient.host.user_id(places.TOR_USER)
    for folder in (places.SOURCE_ONION, places.DESK_ONION):
        inside = patient.host.path(folder)
        for path in sorted(inside.iterdir()) if inside.is_dir() else ():
            found = path.lstat()
            if found.st_mode & _GROUP_AND_OTHERS or found.st_uid != owner:
                yield wrong(
                    f"{folder / path.name} can be read by others than {places.TOR_USER}, and with "
                    "the key in it they can pretend to be this site",
                    f"chown -R {places.TOR_USER}: {folder} && chmod -R go= {folder}",
                )


def _judge_code(patient: Patient) -> Iterator[Finding]:
    """Find what runs and is not root's alone to change."""
    root = patient.host.user_id("root")
    strange = []
    for place in (places.LIBRARY, places.SHARE):
        for path in (patient.host.path(place), *patient.host.path(place).rglob("*")):
            if path.is_symlink() or not path.exists():
                continue
            found = path.stat()
            if found.st_mode & _WRITE or found.st_uid != root:
                strange.append(str(place / path.relative_to(patient.host.path(place))))
    if strange:
        yield wrong(
            f"others than root can change the program: {some(sorted(strange))}",
            "find out who did that; then apt-get install --reinstall nightferry",
        )
