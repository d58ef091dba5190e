"""Uploads through everything that happens to a host: no octet that was acknowledged is lost."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.host.deployment import Deployment
from tests.host.promise import expect, tell
from tests.host.source import Sending

_UPLOADS = "/var/lib/nightferry/uploads"
_LONG = 40 << 20  # octets: at its pace, a minute and a half
_MARK = b"what nobody but the recipient may read, in clear nowhere "


def arrives_sealed(host: Deployment) -> None:
    """A file that was sent lies there sealed, readable by its two users alone, and opens with gpg."""
    site = host.site()
    host.codename = site.enter()
    content = _MARK * 50_000
    route = site.create("видео.mp4", len(content))
    answer = site.append(route, 0, content)
    expect(answer.status == 204, "a file arrives", str(answer))
    sealed = f"{_UPLOADS}/{route.rpartition('/')[2]}.tar.gpg"
    said = host.run("stat", "--format=%a %U %G", sealed, promise="it lies there")
    expect(said.split() == ["640", "nightferry", "nightferry"], "two users may read it", said)
    expect(opened(host, route) == content, "stock gpg and tar give back what was sent", route)
    places = ["/var", "/tmp", "/run", "/dev/shm", "/etc"]
    found = host.machine.run("grep", "-rlaF", _MARK.decode(), *places)
    expect(not found.text.strip(), "no plaintext is anywhere", found.text)


def survives_restarts(host: Deployment) -> None:
    """During an upload the service is restarted, reloaded, killed; its socket too."""
    sending = begin(host)
    for words in (
        ["systemctl", "restart", "nightferry-source.service"],
        ["systemctl", "kill", "--signal=KILL", "nightferry-source.service"],
        ["systemctl", "restart", "nightferry-source.socket"],
        ["systemctl", "restart", "nightferry.target"],
    ):
        sending.moves()
        host.run(*words, promise="systemd does as it is told")
        sending.moves()
    end(host, sending)


def survives_a_power_cut(host: Deployment) -> None:
    """The plug is pulled during an upload; everything comes up again by itself, and it goes on."""
    sending = begin(host)
    sending.moves()
    host.machine.pull_plug()
    state = host.machine.start()
    failed = host.machine.run("systemctl", "--failed", "--plain", "--no-legend").text
    expect(not failed.strip(), "everything comes up again", f"{state}\n{failed}")
    sending.moves()
    end(host, sending)


def begin(host: Deployment) -> Sending:
    """Begin an upload that goes on until `end`."""
    site = host.site()
    site.enter(host.codename)
    content = os.urandom(_LONG)
    return Sending(site, site.create("long.mp4", _LONG), content).start()


def end(host: Deployment, sending: Sending) -> None:
    """Let an upload arrive, and compare what stock gpg gives with what was sent."""
    sending.finish()
    expect(opened(host, sending.route) == sending.content, "every octet arrived", sending.route)
    tell(
        f"  {len(sending.content) >> 20} MiB arrived; {sending.breaks} breaks, "
        f"{sending.repeated} octets sent again, away for {sending.longest_absence:.1f} s at most"
    )


def opened(host: Deployment, route: str) -> bytes:
    """Open one sealed file with stock gpg and tar, as the staff do."""
    sealed = host.machine.path(f"{_UPLOADS}/{route.rpartition('/')[2]}.tar.gpg")
    return open_sealed(host, sealed)


def open_sealed(host: Deployment, sealed: Path) -> bytes:
    """Open a sealed file wherever it lies."""
    folder = host.folder / "opened"
    folder.mkdir()
    command = ["gpg", "--quiet", "--homedir", str(host.ngo.home), "-d", str(sealed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as gpg:
        subprocess.run(["tar", "x", "-C", str(folder)], stdin=gpg.stdout, check=True)
    expect(gpg.returncode == 0, "gpg opens it without a fault", str(gpg.returncode))
    [file] = [path for path in folder.rglob("*") if path.is_file()]
    content = file.read_bytes()
    shutil.rmtree(folder)
    return content
