"""What `init` refuses, in words, before it changes anything."""

import argparse
import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import SettingsError
from crypto.errors import CryptoError
from deploy.__main__ import main
from deploy.errors import DeployError
from deploy.init.asking import Words
from deploy.init.command import add_command
from deploy.init.plan import read_fingerprint
from deploy.places import HOST_SETTINGS, SETTINGS
from tests.crypto.keys.making import Ngo, export, export_secret, generate, revoke
from tests.deploy.init.machine import Machine

Made = Callable[[Ngo, Path], tuple[Path, str]]


def refusal(machine: Machine, words: Words) -> str:
    """Give what is said; nothing may have been changed."""
    before = machine.snapshot()
    with pytest.raises((DeployError, CryptoError, SettingsError)) as refused:
        machine.init(words)
    assert machine.snapshot() == before
    return str(refused.value)


def _expired(ngo: Ngo, folder: Path) -> tuple[Path, str]:
    fingerprint = generate(ngo.home, "Old <o@o>", expires="1y", today="20200101T000000")
    return export(ngo.home, folder / "old.asc", fingerprint), fingerprint


def _revoked(ngo: Ngo, folder: Path) -> tuple[Path, str]:
    fingerprint = generate(ngo.home, "Revoked <r@r>")
    revoke(ngo.home, fingerprint)
    return export(ngo.home, folder / "revoked.asc", fingerprint), fingerprint


def _signing_only(ngo: Ngo, folder: Path) -> tuple[Path, str]:
    fingerprint = generate(ngo.home, "Signs <s@s>", subkeys=())
    return export(ngo.home, folder / "signs.asc", fingerprint), fingerprint


def _secret(ngo: Ngo, folder: Path) -> tuple[Path, str]:
    return export_secret(ngo.home, folder / "secret.asc", ngo.fingerprint), ngo.fingerprint


def _two(ngo: Ngo, folder: Path) -> tuple[Path, str]:
    other = generate(ngo.home, "Other <t@t>")
    return export(ngo.home, folder / "two.asc", ngo.fingerprint, other), ngo.fingerprint


def _no_key(ngo: Ngo, folder: Path) -> tuple[Path, str]:
    path = folder / "letter.asc"
    path.write_text("Dear sysadmin,\n")
    return path, ngo.fingerprint


def _not_there(ngo: Ngo, folder: Path) -> tuple[Path, str]:
    return folder / "gone.asc", ngo.fingerprint


def _binary(ngo: Ngo, folder: Path) -> tuple[Path, str]:
    return export(ngo.home, folder / "b.pgp", ngo.fingerprint, armor=False), ngo.fingerprint


def _another(ngo: Ngo, folder: Path) -> tuple[Path, str]:
    fingerprint = generate(ngo.home, "Not the NGO <an@ngo.example>")
    return export(ngo.home, folder / "another.asc", fingerprint), ngo.fingerprint


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_expired, "has expired; ask its owner to extend it"),
        (_revoked, "was revoked by its owner; ask for the new one"),
        (_signing_only, "nothing can be encrypted to this certificate"),
        (_secret, "holds a SECRET key. Remove it from this machine"),
        (_two, "holds several certificates"),
        (_no_key, "this is no OpenPGP certificate"),
        (_not_there, "cannot be read"),
        (_binary, "gpg --armor --export"),
        (_another, "holds another key than the one that you were told of"),
    ],
)
def test_a_key_that_will_not_do_is_refused(
    machine: Machine, ngo: Ngo, tmp_path: Path, make: Made, words: str
) -> None:
    """Each is refused in its own words, and the host is as it was."""
    path, fingerprint = make(ngo, tmp_path)

    assert words in refusal(machine, Words(key=path, fingerprint=fingerprint))


def test_both_fingerprints_are_shown_when_they_differ(machine: Machine, ngo: Ngo) -> None:
    """The sysadmin sees at which sign they differ, and is told to ask for both again."""
    other = "0" * 40
    said = refusal(machine, Words(key=ngo.certificate, fingerprint=other))

    assert "0000 0000" in said
    assert ngo.fingerprint in said.replace(" ", "")
    assert "two different ways" in said


@pytest.mark.parametrize("typed", ["", "DEADBEEF", "0123456789ABCDEF", "G" * 40, "0" * 41])
def test_what_is_no_whole_fingerprint_is_refused(typed: str) -> None:
    """A key id of 8 or 16 signs can be made by anyone for a key of their own."""
    with pytest.raises(DeployError, match="is no fingerprint"):
        read_fingerprint(typed)


@pytest.mark.parametrize("typed", ["ab" * 20, "AB" * 20, "0x" + "ab" * 20, "abab " * 10 + "\n"])
def test_a_fingerprint_is_read_as_people_write_it(typed: str) -> None:
    """In groups or not, small or large letters: it is the same number."""
    assert read_fingerprint(typed) == "AB" * 20


def test_without_a_terminal_nothing_is_guessed(machine: Machine) -> None:
    """A run by a program that leaves the key open is told the whole command."""
    assert "nightferry init --key FILE --fingerprint" in refusal(machine, Words())


def test_a_host_without_the_package_is_refused(machine: Machine, given: Words) -> None:
    """Run from a copy of the code alone, init would make half a host."""
    (machine.root / "usr/lib/nightferry").rmdir()

    assert "apt install ./nightferry_*.deb" in refusal(machine, given)


def test_a_host_without_tor_is_refused(machine: Machine, given: Words) -> None:
    """A program that is missing is named with the package that brings it."""
    (machine.root / "programs/tor").unlink()

    assert "apt install tor" in refusal(machine, given)


def test_settings_with_a_slip_are_refused_in_the_services_words(
    machine: Machine, given: Words
) -> None:
    """A misspelt key is named, and nothing of the file is lost."""
    machine.init(given)
    with machine.host.path(SETTINGS).open("a") as file:
        file.write("retention_day = 3\n")

    assert "did you mean retention_days?" in refusal(machine, Words())


def test_host_settings_with_a_slip_are_refused(machine: Machine, given: Words) -> None:
    """The host's own settings are read as strictly."""
    machine.init(given)
    machine.host.path(HOST_SETTINGS).write_text('ssh_port = "22"\n')

    assert "ssh_port: is '22'; expected a whole number" in refusal(machine, Words())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (Words(ssh_port=70_000), "expected 0 to 65535"),
        (Words(backup_to="mnt"), "a path that begins with /"),
        (Words(report_to="all of you"), "expected one address"),
        (Words(staff="../anna"), "is no name for a key"),
        (Words(staff="Anna B"), "is no name for a key"),
    ],
)
def test_absurd_words_are_refused(machine: Machine, given: Words, words: Words, said: str) -> None:
    """What makes no sense is found before the first step, not at the eleventh."""
    both = dataclasses.replace(words, key=given.key, fingerprint=given.fingerprint)

    assert said in refusal(machine, both)


def test_a_file_that_somebody_put_to_the_certificates_is_looked_at(
    machine: Machine, given: Words
) -> None:
    """With it in the settings the sites would not start again."""
    machine.init(given)
    (machine.root / "etc/nightferry/recipients/new.asc").write_text("not a key\n")

    said = refusal(machine, Words())
    assert "new.asc: this is no OpenPGP certificate" in said


def test_an_option_does_not_overrule_the_file_in_silence(machine: Machine, given: Words) -> None:
    """host.toml is the sysadmin's: who wants another port changes it there."""
    machine.init(given)

    said = refusal(machine, Words(ssh_port=2222))
    assert "says ssh_port = 22, not 2222" in said
    assert "Change it in the file" in said


def test_a_damaged_onion_key_is_never_replaced(machine: Machine, given: Words) -> None:
    """A new one would be another address: sources would find nobody at the old one."""
    machine.init(given)
    secret = machine.root / "var/lib/nightferry-tor/source/hs_ed25519_secret_key"
    secret.write_bytes(secret.read_bytes()[:-1])

    with pytest.raises(DeployError) as refused:
        machine.init(Words())

    assert "Bring it back from a backup" in str(refused.value)
    assert len(secret.read_bytes()) == 95


def test_a_symbolic_link_in_the_place_of_a_folder_is_refused(
    machine: Machine, given: Words, tmp_path: Path
) -> None:
    """Modes and owners are not given to whatever a link points to."""
    machine.init(given)
    uploads = machine.root / "var/lib/nightferry/uploads"
    uploads.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    uploads.symlink_to(elsewhere)

    with pytest.raises(DeployError, match="symbolic link"):
        machine.init(Words())
    assert elsewhere.stat().st_mode & 0o777 == 0o755


def test_a_file_that_cannot_be_written_is_said_in_words(machine: Machine, given: Words) -> None:
    """Here a folder stands where the file should be: the step is named, and what was there is kept."""
    in_the_way = machine.root / "etc/nightferry/nftables.d/ssh.nft"
    in_the_way.mkdir(parents=True)
    (in_the_way / "kept").touch()

    with pytest.raises(DeployError) as refused:
        machine.init(given)

    assert "the step 'ssh' failed: /etc/nightferry/nftables.d/ssh.nft: cannot be written" in str(
        refused.value
    )
    assert (in_the_way / "kept").exists()
    assert not (machine.root / "etc/nightferry/nftables.d/ssh.nft.new").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="this is root, who may")
def test_who_is_not_root_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Half of the steps would fail one after the other."""
    assert main(["init"]) == 1
    assert "sudo nightferry init" in capsys.readouterr().err


def test_every_option_is_read(ngo: Ngo) -> None:
    """The command line has what the steps can be told."""
    parser = argparse.ArgumentParser()
    add_command(parser.add_subparsers())
    line = ["init", "--key", str(ngo.certificate), "--fingerprint", "F", "--name-of-staff", "anna"]
    more = ["--ssh-port", "0", "--backup-to", "/b", "--report-to", "a@b", "--dry-run"]

    options = parser.parse_args([*line, *more])

    assert (options.name_of_staff, options.ssh_port, options.dry_run) == ("anna", 0, True)
