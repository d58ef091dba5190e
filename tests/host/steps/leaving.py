"""Removed, installed again, purged, and at last forgotten."""

from tests.host.deployment import Deployment
from tests.host.promise import expect
from tests.host.steps import doors

_KEPT = (
    "/var/lib/nightferry/nightferry.db",
    "/var/lib/nightferry/codename.salt",
    "/var/lib/nightferry-tor/source/hs_ed25519_secret_key",
    "/etc/nightferry/nightferry.toml",
)


def removes_and_comes_back(host: Deployment) -> None:
    """Removed, it stops and keeps everything; installed again and begun, it goes on."""
    said = _apt(host, "remove")
    _expect_kept(host, said)
    left = host.machine.run("pgrep", "--list-full", "--uid", "nightferry,nightferry-desk").text
    expect(not left.strip(), "nothing of it runs", left)
    host.install(host.package)
    host.run("nightferry", "init", promise="init begins it again")
    doors.both_sites_answer(host)
    host.site().enter(host.codename)


def purge_keeps_what_was_sent(host: Deployment) -> None:
    """Purged, it keeps what sources sent, the addresses and the settings, and says where."""
    said = _apt(host, "purge")
    _expect_kept(host, said)
    expect("/var/lib/nightferry" in said, "the words say what is kept", said)


def forgets_when_told(host: Deployment) -> None:
    """With the file that asks for it, purge leaves nothing."""
    host.install(host.package)
    host.run("touch", "/etc/nightferry/purge-data", promise="root asks for the end of all data")
    said = _apt(host, "purge")
    places = ["/var/lib", "/etc", "/usr", "/run", "-name", "nightferry*", "-not", "-path"]
    left = host.machine.run("find", *places, "/usr/share/doc/*").text
    expect(not left.strip(), "nothing is left", f"{left}\n{said}")


def _apt(host: Deployment, action: str) -> str:
    return host.run(
        "apt-get", action, "--yes", "--quiet", "--quiet", "nightferry", promise=f"apt can {action}"
    )


def _expect_kept(host: Deployment, said: str) -> None:
    gone = [place for place in _KEPT if not host.machine.path(place).exists()]
    expect(not gone, "all data and settings are kept", f"gone: {gone}\n{said}")
