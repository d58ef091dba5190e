"""`./nightferry demo`: everything on one machine, with a throwaway key, to try it."""

import argparse
import shutil
import socket
import subprocess
from pathlib import Path

import gnupg

from config.settings import Settings, load
from submit.app import World, make_database
from submit.cli import demo_desk, demo_staff
from submit.cli.failure import CommandError
from submit.serve.site import Site

_SETTINGS = """\
# Made by ./nightferry demo, for this machine alone.
data = "{data}/site"
database = "sqlite:///{data}/site/nightferry.db"
recipients = ["{data}/ngo.asc"]
hosts = ["127.0.0.1", "localhost"]
listen = "127.0.0.1:{port}"
desk_hosts = ["127.0.0.1", "localhost"]
desk_listen = "127.0.0.1:{desk_port}"
disk_reserve = 268435456
"""

_READY = """\
ready http://127.0.0.1:{port}

To send something: open that page in a browser, or, for large files and bad connections:
  ./nightferry send --to http://127.0.0.1:{port} FILE
(any tus client will do: http://127.0.0.1:{port}/uploads, with the cookie of a session)

The staff's side, the desk: http://127.0.0.1:{desk_port}
  name        {name}
  passphrase  {passphrase}
  code        ./nightferry staff code {data}/staff.secret    (a phone shows it otherwise)
To bring what arrived to a stick (or any folder):
  mkdir -p stick && ./nightferry fetch --desk http://127.0.0.1:{desk_port} --no-tor --to stick \
    --credentials {data}/staff.toml

To open what arrived, as the NGO would on a machine that is never online:
  gpg --homedir {data}/ngo -d FILE | tar x
with one FILE of {data}/site/uploads, or all of them, each in a folder of its own:
  for f in {data}/site/uploads/*.tar.gpg; do d=opened/$(basename "$f" .tar.gpg); \
    mkdir -p "$d"; gpg --homedir {data}/ngo -d "$f" | tar x -C "$d"; done

To answer a source: its certificate, reply-to-….asc, is among what was opened.
  gpg --homedir {data}/ngo --encrypt --recipient-file reply-to-TWO-WORDS.asc --output m.gpg TEXT
and give m.gpg to the desk, on the page of that source.

To stop: Ctrl-C. Started again with the same folder, it goes on with what is there.
"""

_LONGEST_HOME = 80  # octets: gpg-agent's socket must fit 108


def run(options: argparse.Namespace) -> int:
    """Make what is missing in the folder, then serve until Ctrl-C."""
    data = options.data.absolute()
    for port in (options.port, options.port + 1):
        _require_free(port)
    _make_folder(data)
    _make_key(data)
    settings = _settings(data, options.port)
    make_database(settings)
    account = demo_staff.require_account(settings, data)
    words = _READY.format(port=options.port, desk_port=options.port + 1, data=data, **account)
    with demo_desk.running(settings):
        Site(settings, World(), lambda: print(words, flush=True)).run()
    return 0


def _make_folder(data: Path) -> None:
    if any(character in str(data) for character in '"\\%?#\n'):
        raise CommandError(f"{data}: choose a folder without quotes, %, ? and # in its name")
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{data}: cannot make this folder: {error.strerror}") from None


def _make_key(data: Path) -> None:
    """Make the NGO's key; a half-made one is thrown away."""
    home, new = data / "ngo", data / "ngo.new"
    if not home.exists():
        if len(str(new)) > _LONGEST_HOME:
            raise CommandError(f"{data}: choose a folder with a shorter path, for gpg's sake")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        _generate(new)
        new.rename(home)
    _export(home, data / "ngo.asc")


def _generate(home: Path) -> None:
    gpg = gnupg.GPG(gnupghome=str(home))
    parameters = gpg.gen_key_input(
        key_type="EDDSA",
        key_curve="ed25519",
        subkey_type="ECDH",
        subkey_curve="cv25519",
        name_real="Nightferry demo, throwaway key",
        name_email="ngo@demo.invalid",
        expire_date=0,
        no_protection=True,
    )
    made = gpg.gen_key(parameters)
    _end_agent(home)
    if not made.fingerprint:
        raise CommandError(
            "gpg could not make a throwaway key. Nothing was kept. Is gpg-agent there?"
        )


def _export(home: Path, certificate: Path) -> None:
    if certificate.exists():
        return
    new = certificate.with_suffix(".new")
    gpg = gnupg.GPG(gnupghome=str(home))
    fingerprint = gpg.list_keys()[0]["fingerprint"]
    new.write_text(gpg.export_keys(fingerprint), encoding="ascii")
    new.rename(certificate)
    _end_agent(home)


def _end_agent(home: Path) -> None:
    gpgconf = shutil.which("gpgconf")
    if gpgconf:
        subprocess.run([gpgconf, "--homedir", str(home), "--kill", "all"], check=False)  # noqa: S603 # our own arguments


def _settings(data: Path, port: int) -> Settings:
    path = data / "nightferry.toml"
    path.write_text(_SETTINGS.format(data=data, port=port, desk_port=port + 1), encoding="utf-8")
    return load(path)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            raise CommandError(
                f"port {port} is taken. Nothing was changed. Choose another one with --port."
            ) from None
