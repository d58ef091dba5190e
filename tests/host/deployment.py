"""One host with the package on it, and everybody who has to do with it."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.crypto.keys.making import Ngo
from tests.host.machine import Machine, Said
from tests.host.promise import expect
from tests.host.source import Sending, Site

SERVICES = ("nightferry-source.service", "nightferry-desk.service", "nightferry-tor.service")
_SOCKETS = {"source": "/run/nightferry/http.sock", "desk": "/run/nightferry/desk.sock"}


@dataclass
class Deployment:
    """What the steps of the story share."""

    release: str
    machine: Machine
    package: Path
    ngo: Ngo
    folder: Path  # of this machine: packages, backups, what staff opened
    addresses: dict[str, str] = field(default_factory=dict)  # of the sites, by name
    codename: str = ""
    staff: tuple[str, str, str] = ("", "", "")  # name, passphrase, secret of the codes
    begun: str = ""  # what init said
    kept: Sending | None = None  # an upload that was under way when the backup was made

    def run(self, *command: str, promise: str, user: str = "root", given: str = "") -> str:
        """Run a command inside that has to end well; give what it said."""
        said = self.machine.run(*command, user=user, given=given, patience=600)
        expect(said.code == 0, promise, f"$ {' '.join(command)}\n{said.text}(exit {said.code})")
        return said.text

    def nightferry(self, *words: str, given: str = "") -> Said:
        """Run the sysadmin's command, as root, and give what came of it."""
        return self.machine.run("nightferry", *words, given=given, patience=600)

    def install(self, package: Path) -> str:
        """Install a package as the documents say; its dependencies are there, so no network is needed."""
        self.machine.copy_in(package, f"/var/cache/{package.name}")
        install = ["apt-get", "install", "--yes", "--quiet", "--quiet"]
        return self.run(*install, f"/var/cache/{package.name}", promise="the package installs")

    def socket(self, site: str) -> Path:
        """Where a site's socket lies, as this machine sees it."""
        return self.machine.path(_SOCKETS[site])

    def site(self, name: str = "source") -> Site:
        """Somebody new at one of the two sites."""
        return Site(lambda: self.socket(name), self.addresses[name])

    def is_active(self, *units: str) -> bool:
        """Tell whether all of some units run."""
        return self.machine.run("systemctl", "--quiet", "is-active", *units).code == 0
