"""All that `init` makes true of a host, in the order in which it is made."""

from typing import Final

from deploy.errors import DeployError
from deploy.host import Host
from deploy.init.plan import Plan
from deploy.init.running import TARGET, running_steps
from deploy.init.step import Step
from deploy.init.written import written_steps
from deploy.onion.clients import client_names, describe_key, let_in
from deploy.onion.keys import make_keys
from deploy.onion.store import SITES, are_whole, has_keys, load_keys, save_keys
from deploy.places import (
    DESK_ONION,
    DESK_USER,
    FOLDERS,
    GROUP,
    SETTINGS,
    SOCKETS,
    SOURCE_USER,
    TOR_USER,
    Folder,
)

USERS: Final = (SOURCE_USER, DESK_USER, TOR_USER)
GROUPS: Final = (GROUP, TOR_USER)
_SYSUSERS: Final = "/usr/lib/sysusers.d/nightferry.conf"
_TMPFILES: Final = "/usr/lib/tmpfiles.d/nightferry.conf"


def all_steps(host: Host, plan: Plan) -> tuple[Step, ...]:
    """Give the table. Later steps rely on earlier ones."""
    return (
        Step(
            "users",
            "the source's site, the desk and tor are three users: none has the others' rights",
            lambda: _has_users(host),
            lambda: _run(host, "systemd-sysusers", _SYSUSERS),
        ),
        Step(
            "folders",
            "each folder belongs to the one user who needs it",
            lambda: _has_folders(host),
            lambda: _make_folders(host),
        ),
        Step(
            "addresses",
            "each site has an onion address of its own",
            lambda: all(are_whole(host, folder) for folder in SITES.values()),
            lambda: _make_addresses(host),
        ),
        Step(
            "desk key",
            "only who has a key can find the desk; the first one is made before tor runs",
            lambda: bool(client_names(host)),
            lambda: _make_client(host, plan.first_client),
        ),
        *written_steps(host, plan),
        Step(
            "database",
            "there is a database of this version's form",
            lambda: _has_database(host),
            lambda: _make_database(host),
        ),
        *running_steps(host, plan.settings),
        *_account_steps(host, plan),
    )


def _account_steps(host: Host, plan: Plan) -> tuple[Step, ...]:
    if plan.staff is None:
        return ()
    name = plan.staff
    return (
        Step(
            "staff",
            f"{name} can log in at the desk",
            lambda: name in _staff(host),
            lambda: _add_staff(host, name),
        ),
    )


def _has_users(host: Host) -> bool:
    users = all(host.user_id(user) is not None for user in USERS)
    return users and all(host.group_id(group) is not None for group in GROUPS)


def _has_folders(host: Host) -> bool:
    return host.path(SOCKETS).is_dir() and all(_is_right(host, folder) for folder in FOLDERS)


def _is_right(host: Host, folder: Folder) -> bool:
    there = host.path(folder.path).is_dir()
    return there and host.is_owned(folder.path, folder.user, folder.group, folder.mode)


def _make_folders(host: Host) -> str:
    for folder in FOLDERS:
        path = host.path(folder.path)
        if not path.is_dir():
            path.mkdir(mode=0o700)
        host.give(folder.path, folder.user, folder.group, folder.mode)
    # What lives until the next start, and is made then by the same program.
    return _run(host, "systemd-tmpfiles", "--create", _TMPFILES)


def _make_addresses(host: Host) -> str:
    for folder in SITES.values():
        save_keys(host, folder, load_keys(host, folder) if has_keys(host, folder) else make_keys())
    return ""


def _make_client(host: Host, name: str) -> str:
    address = load_keys(host, DESK_ONION).address
    return describe_key(name, address, let_in(host, name))


def _has_database(host: Host) -> bool:
    """Ask the service: it says no to a database of another form."""
    return host.run("nightferry", "staff", "list", "--config", str(SETTINGS)).code == 0


def _make_database(host: Host) -> str:
    """On a host that was once finished a database is missing only if its disk is not mounted."""
    if host.run("systemctl", "is-enabled", "--quiet", TARGET).code == 0:
        return _run(host, "nightferry", "upgrade-database")  # which makes none
    return _run(host, "nightferry", "migrate", "--config", str(SETTINGS))


def _staff(host: Host) -> list[str]:
    return host.run("nightferry", "staff", "list", "--config", str(SETTINGS)).said.splitlines()


def _add_staff(host: Host, name: str) -> str:
    ran = host.run("nightferry", "staff", "add", name, "--config", str(SETTINGS))
    if ran.code != 0:
        raise DeployError(ran.complained.strip())
    return ran.said


def _run(host: Host, *command: str) -> str:
    ran = host.run(*command)
    if ran.code != 0:
        said = (ran.complained or ran.said).strip() or f"exit status {ran.code}"
        raise DeployError(f"`{' '.join(command)}` could not: {said}")
    return ""
