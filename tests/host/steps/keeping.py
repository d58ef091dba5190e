"""Backups, and the day on which one is needed: another host goes on where the first one was."""

import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

from crypto.totp import read_base32
from tests.desk.staff import Phone
from tests.host.archive import unpack
from tests.host.deployment import Deployment
from tests.host.machine import booted
from tests.host.onions import Onions
from tests.host.promise import expect, tell
from tests.host.source import Sending
from tests.host.steps import beginning, doors, sending

_BACKUPS = "/var/backups/nightferry"


def backs_up_while_it_runs(host: Deployment) -> None:
    """A backup is made during an upload, verified, and the next one copies only what is new."""
    upload = sending.begin(host)
    upload.moves()
    first = host.run("nightferry", "backup", "--to", _BACKUPS, promise="a backup is made")
    upload.moves()
    second = host.run("nightferry", "backup", "--to", _BACKUPS, promise="another one is made")
    said = host.run("nightferry", "backup", "--to", _BACKUPS, "--verify", promise="both are whole")
    for words in (first, second, said):
        tell(f"  {words.splitlines()[0]}")
    host.kept = upload
    _copies_nothing_without_the_disk(host)


def _copies_nothing_without_the_disk(host: Deployment) -> None:
    """Backups that are to go to a disk which is not mounted do not go beside what they protect."""
    settings = host.machine.path("/etc/nightferry/host.toml")
    before = settings.read_text()
    settings.write_text(re.sub("(?m)^backup_to = .*$", 'backup_to = "/mnt/away/kept"', before))
    said = host.nightferry("backup")
    settings.write_text(before)
    refused = said.code == 1 and "Is the disk mounted?" in said.text
    expect(refused, "a backup without its disk is refused", said.text)
    expect(not host.machine.path("/mnt/away").exists(), "and leaves nothing", "/mnt/away is there")


def restores_on_another_host(host: Deployment, archive: Path) -> None:
    """A new host with nothing but the package and the backup has both addresses, and goes on.

    The source comes back with the same codename; the upload of which the backup has a part goes on
    from there.
    """
    root = host.folder / "second"
    unpack(archive, root)
    with booted(root) as machine:
        second = Deployment(host.release, machine, host.package, host.ngo, host.folder)
        second.install(host.package)
        machine.path(_BACKUPS).mkdir(parents=True, exist_ok=True)
        shutil.copytree(
            host.machine.path(_BACKUPS), machine.path(_BACKUPS), dirs_exist_ok=True, symlinks=True
        )
        said = second.nightferry("restore", _BACKUPS, given=_session_key(host, machine.path("/")))
        expect(said.code == 0, "the backup is restored", said.text)
        second.addresses, second.codename = host.addresses, host.codename
        begun = second.run("nightferry", "init", promise="init makes the rest")
        same = all(address in begun for address in host.addresses.values())
        expect(same, "the addresses are the same", begun)
        doors.both_sites_answer(second)
        beginning.changes_nothing_again(second)
        _go_on(host, second)
        machine.stop()
    shutil.rmtree(root)


def _session_key(host: Deployment, root: Path) -> str:
    """Do what the words say on the machine with the secret key: learn what opens this one file."""
    [*_, state] = sorted((root / _BACKUPS.lstrip("/")).rglob("state.tar.gpg"))
    shown = host.ngo.gpg("--show-session-key", "--decrypt", str(state)).stderr.decode()
    found = re.search(r"'([0-9.]+:[0-9A-F]+)'", shown)
    expect(found is not None, "gpg shows the session key", shown)
    return f"{found[1]}\n" if found else ""


def _go_on(host: Deployment, second: Deployment) -> None:
    """Let the source, whose upload was under way, go on at the second host."""
    upload = host.kept
    if upload is None:
        return
    site = second.site()
    site.enter(second.codename)
    offset = site.offset(upload.route)
    expect(0 < offset <= upload.acknowledged, "the upload is there as far as it was", str(offset))
    tell(f"  the upload goes on from {offset} of {len(upload.content)} octets")
    rest = Sending(site, upload.route, upload.content, acknowledged=offset).start()
    sending.end(second, rest)
    sending.end(host, upload)  # The first host has not noticed anything.
    host.kept = None


def staff_fetch_it(host: Deployment) -> None:
    """With the programs that are in the package, staff bring everything onto a stick and open it."""
    stick = host.folder / "stick"
    stick.mkdir()
    ways = {host.addresses[site]: partial(host.socket, site) for site in host.addresses}
    with Onions(ways) as onions:
        said = _fetch(host, stick, onions.port)
    expect(said.returncode == 0, "fetch brings everything", said.stdout)
    unseal = host.machine.path("/usr/share/nightferry/unseal")
    into = host.folder / "unsealed"
    opened = subprocess.run(
        ["python3", str(unseal), str(stick), "--into", str(into)],
        env={"PATH": "/usr/bin:/bin", "GNUPGHOME": str(host.ngo.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    expect(opened.returncode == 0, "unseal opens everything", opened.stdout + opened.stderr)
    files = [path for path in into.rglob("*") if path.suffix == ".mp4"]
    expect(len(files) > 1, "all that was sent is there", opened.stdout)
    tell(f"  {len(files)} films fetched and opened")


def _fetch(host: Deployment, stick: Path, port: int) -> subprocess.CompletedProcess[str]:
    """Run the shipped `fetch` as a member of staff does, whose phone shows a code."""
    name, passphrase, secret = host.staff
    credentials = host.folder / "credentials.toml"
    credentials.write_text(f'name = "{name}"\npassphrase = "{passphrase}"\n')
    credentials.chmod(0o600)
    fetch = ["python3", str(host.machine.path("/usr/share/nightferry/fetch"))]
    ways = ["--desk", f"http://{host.addresses['desk']}", "--socks", f"127.0.0.1:{port}"]
    return subprocess.run(
        [*fetch, *ways, "--to", str(stick), "--credentials", str(credentials)],
        input=f"{Phone(read_base32(secret)).code()}\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
