"""Steps that put files in place: the certificate, the settings, tor's, the firewall's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from config.errors import SettingsError
from config.settings import Settings, load
from deploy.amend import amend_list, write_settings
from deploy.errors import DeployError
from deploy.host import Host
from deploy.init import texts
from deploy.init.plan import Plan
from deploy.init.step import Step
from deploy.onion.store import Addresses, addresses
from deploy.places import FIREWALL_D, GROUP, HOST_SETTINGS, RECIPIENTS, SETTINGS, TORRC

SSH_RULE: Final = FIREWALL_D / "ssh.nft"


def written_steps(host: Host, plan: Plan) -> tuple[Step, ...]:
    """Give the steps that write what the sysadmin may read and edit."""
    service = ServiceSettings(host)
    return (
        Step(
            "recipient",
            "the certificate that everything is sealed to is on this host",
            lambda: plan.key is None or _is_file(host, plan.key.path, plan.key.content),
            lambda: _write_key(host, plan),
        ),
        Step(
            "settings",
            "the sites know their addresses and whom they seal to",
            service.are_so,
            service.make,
        ),
        Step(
            "host",
            "what you decided about this host is in host.toml",
            lambda: host.path(HOST_SETTINGS).exists(),
            lambda: _write(host, HOST_SETTINGS, texts.host_settings(plan.settings)),
        ),
        Step(
            "tor",
            "a tor of our own serves both sites, and nothing else",
            lambda: _is_file(host, TORRC, texts.torrc(host).encode()),
            lambda: _write_torrc(host),
        ),
        Step(
            "ssh",
            _ssh_words(plan),
            lambda: _is_file(host, SSH_RULE, texts.firewall(host, plan.settings).encode()),
            lambda: _write(host, SSH_RULE, texts.firewall(host, plan.settings)),
        ),
    )


class ServiceSettings:
    """nightferry.toml: made once, from then on only its lists of addresses and recipients."""

    def __init__(self, host: Host) -> None:
        """Look at this host's."""
        self._host = host

    def are_so(self) -> bool:
        """Tell whether the service finds its addresses and every certificate in its settings."""
        try:
            found, settings = addresses(self._host), load(self._host.path(SETTINGS))
        except (DeployError, SettingsError):
            return False
        return not self._lacking(settings, found) and self._host.is_owned(
            SETTINGS, "root", GROUP, 0o640
        )

    def make(self) -> str:
        """Make the file, or put into it what it lacks."""
        found = addresses(self._host)
        path = self._host.path(SETTINGS)
        if not path.exists():
            first, *others = self._certificates()
            write_settings(self._host, texts.service_settings(found, first))
            if others:
                amend_list(self._host, "recipients", [first, *others])
            return ""
        for key, values in self._lacking(load(path), found).items():
            amend_list(self._host, key, values)
        self._host.give(SETTINGS, "root", GROUP, 0o640)
        return ""

    def _lacking(self, settings: Settings, found: Addresses) -> dict[str, list[str]]:
        """For each list that is not as it shall be, what it shall be.

        Names that the sysadmin added stay; of certificates in our folder, those that are there.
        """
        there = self._certificates()
        named = [str(path) for path in settings.recipients]
        kept = [path for path in named if Path(path).parent != RECIPIENTS or path in there]
        shall = {
            "hosts": (settings.hosts, _with(settings.hosts, [found.source])),
            "desk_hosts": (settings.desk_hosts, _with(settings.desk_hosts, [found.desk])),
            "recipients": (named, _with(kept, there)),
        }
        return {key: after for key, (before, after) in shall.items() if list(before) != after}

    def _certificates(self) -> list[str]:
        folder = self._host.path(RECIPIENTS)
        found = sorted(str(RECIPIENTS / path.name) for path in folder.glob("*.asc"))
        if not found:
            raise DeployError(f"{RECIPIENTS}: there is no certificate (*.asc) in it")
        return found


def _with(there: Sequence[str], wanted: Sequence[str]) -> list[str]:
    return [*there, *(value for value in wanted if value not in there)]


def _write_key(host: Host, plan: Plan) -> str:
    if plan.key is not None:
        host.write(plan.key.path, plan.key.content, "root", "root", 0o644)
    return ""


def _write_torrc(host: Host) -> str:
    path, kept = host.path(TORRC), TORRC.with_name("torrc.old")
    said = ""
    if path.exists() and path.read_bytes() != texts.torrc(host).encode():
        host.write(kept, path.read_bytes(), "root", "root", 0o644)
        said = (
            f"{TORRC} was another than this version's; what it was is in {kept}.\n"
            f"Lines of your own belong into /etc/nightferry/torrc.d/NAME.conf.\n"
        )
    return said + _write(host, TORRC, texts.torrc(host))


def _write(host: Host, path: Path, text: str) -> str:
    host.write(path, text.encode(), "root", "root", 0o644)
    return ""


def _is_file(host: Host, path: Path, content: bytes) -> bool:
    whole = host.is_owned(path, "root", "root", 0o644)
    return whole and host.path(path).read_bytes() == content


def _ssh_words(plan: Plan) -> str:
    port = plan.settings.ssh_port
    return f"the firewall lets SSH in on port {port}" if port else "the firewall lets nobody in"
