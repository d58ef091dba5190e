"""From a bare Debian to a package that waits for `nightferry init`."""

from tests.host.deployment import Deployment
from tests.host.promise import expect


def installs_without_a_network(host: Deployment) -> None:
    """apt brings the package in; nothing of it runs, and nothing of it would after a restart."""
    said = host.install(host.package)
    expect("nightferry init" in said, "the package says how to go on", said)
    started = host.machine.run("systemctl", "list-units", "--plain", "--no-legend", "nightferry*")
    expect(not started.text.strip(), "nothing runs before init", started.text)
    enabled = host.machine.run("systemctl", "is-enabled", "nightferry.target").text.strip()
    expect(enabled == "disabled", "nothing is started by a restart before init", enabled)


def is_what_was_built(host: Deployment) -> None:
    """`dpkg --verify` finds every file as the package has it."""
    said = host.machine.run("dpkg", "--verify", "nightferry")
    expect(said.code == 0 and not said.text, "dpkg --verify is silent", said.text)
