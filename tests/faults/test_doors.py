"""The ways in that other projects had left open."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

import submit.intake.sources
from config.settings import Settings
from crypto.codename import CHEAPEST, Codename, Cost, Derived, derive
from submit.app import World, create_source_app, make_database
from tests.conftest import CloseLater
from tests.crypto.keys.making import Ngo, export, generate, gpg, make_ngo, new_home
from tests.live import Live, running

_JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def ngo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ngo]:
    """Give an NGO that everything is sealed to."""
    with new_home() as home:
        yield make_ngo(home, tmp_path_factory.mktemp("keys"), "ed25519", "cv25519")


@pytest.fixture
def app(ngo: Ngo, tmp_path: Path, close_later: CloseLater) -> Flask:
    """Give the site in this process, with a codename that costs little."""
    settings = Settings(
        data=tmp_path / "site",
        database=f"sqlite:///{tmp_path}/site/nightferry.db",
        recipients=(ngo.certificate,),
        hosts=("localhost",),
        listen="127.0.0.1:8080",
    )
    make_database(settings)
    return close_later(create_source_app(settings, World(cost=CHEAPEST)))


def codename_of_new_source(app: Flask) -> str:
    """Make a source."""
    answer = app.test_client().post("/source", headers=_JSON)
    return str(answer.get_json()["codename"])


def enter(client: FlaskClient, codename: str) -> tuple[int, bytes]:
    """Type a codename; give status and body."""
    answer = client.post("/session", json={"codename": codename}, headers=_JSON)
    return answer.status_code, answer.data


# --- codenames ---------------------------------------------------------------------------


def test_every_codename_that_could_exist_costs_one_derivation(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GL#857, timing: known or not, the same work is done; only a typing error is spared it."""
    known = codename_of_new_source(app)
    words = known.split()
    derivations: list[Codename] = []

    def counted(codename: Codename, salt: bytes, cost: Cost) -> Derived:
        derivations.append(codename)
        return derive(codename, salt, cost)

    monkeypatch.setattr(submit.intake.sources, "derive", counted)
    for typed, status, count in (
        (known, 200, 1),
        (" ".join([*words[1:], words[0]]), 403, 1),
        (" ".join([*words[:7], "xyzzyx"]), 403, 0),
        (" ".join(words[:7]), 403, 0),
    ):
        derivations.clear()
        assert enter(app.test_client(), typed)[0] == status
        assert len(derivations) == count


def test_a_thousand_wrong_codenames_lock_nobody_out(app: Flask) -> None:
    """SD#3563: a counter of failures lets one attacker silence every source."""
    known = codename_of_new_source(app)
    words = known.split()
    attacker = app.test_client()
    wrong = [" ".join(words[turn:] + words[:turn]) for turn in range(1, 8)]
    answers = {enter(attacker, wrong[number % 7]) for number in range(1000)}
    assert len(answers) == 1, "the answers differ from one another"
    assert answers.pop()[0] == 403
    assert enter(app.test_client(), known)[0] == 200


def test_a_session_given_by_somebody_else_is_never_taken_over(app: Flask) -> None:
    """Session fixation: whoever plants a cookie is not inside when its victim logs in."""
    attacker, victim = app.test_client(), app.test_client()
    attacker.post("/source", headers=_JSON)
    planted = attacker.get_cookie("nightferry")
    assert planted is not None
    codename = codename_of_new_source(app)
    victim.set_cookie("nightferry", planted.value)
    assert enter(victim, codename)[0] == 200
    given = victim.get_cookie("nightferry")
    assert given is not None
    assert given.value != planted.value
    assert attacker.get("/drop", headers=_JSON).status_code == 403


# --- sealing -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A running server."""
    with running(tmp_path_factory.mktemp("live")) as live:
        yield live


def test_no_word_of_the_clients_switches_sealing_off(server: Live, tmp_path: Path) -> None:
    """HL PR#376: the client says that it has encrypted already. All the same it is sealed."""
    sealed_before = set(server.uploads.iterdir())
    armored = gpg(server.ngo.home, "-a", "-r", server.ngo.fingerprint, "-e", given=b"inner").stdout
    assert b"BEGIN PGP MESSAGE" in armored
    words = {"filename": "a.asc", "encrypted": "true", "client_side_encrypted": "true"}
    metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in words.items())
    source = server.new_source()
    url = server.create(source, len(armored), metadata)
    assert server.append(source, url, 0, armored).status_code == 204
    assert server.sealed(url) in set(server.uploads.iterdir()) - sealed_before
    sealed = server.sealed(url)
    assert b"PGP MESSAGE" not in sealed.read_bytes()
    assert server.open(sealed, tmp_path).content == armored


# --- the start ---------------------------------------------------------------------------


def expired(home: Path, folder: Path) -> Path:
    """Make a certificate whose time is over."""
    made = generate(home, today="20200101T000000", expires="30d", subkeys_expire="30d")
    return export(home, folder / "expired.asc", made)


def revoked(home: Path, folder: Path) -> Path:
    """Make a certificate that its owner has revoked."""
    made = generate(home)
    text = (home / "openpgp-revocs.d" / f"{made}.rev").read_text().replace(":-----", "-----")
    assert gpg(home, "--import", given=text.encode()).returncode == 0
    return export(home, folder / "revoked.asc", made)


def secret(home: Path, folder: Path) -> Path:
    """Export what must never be on the server."""
    made = generate(home)
    exported = gpg(home, "--pinentry-mode", "loopback", "--export-secret-keys", made)
    assert exported.returncode == 0
    (folder / "secret.gpg").write_bytes(exported.stdout)
    return folder / "secret.gpg"


@pytest.mark.parametrize("make", [expired, revoked, secret])
def test_without_a_usable_key_nothing_starts(
    tmp_path: Path, ngo: Ngo, make: Callable[[Path, Path], Path]
) -> None:
    """GL#824: there is no plaintext mode. The start fails in words, and nothing keeps running."""
    live = Live(tmp_path, ngo)
    with new_home() as home:
        certificate = make(home, tmp_path)
        text = live.config.read_text().replace(str(ngo.certificate), str(certificate))
        live.config.write_text(text)
        command = [sys.executable, "-m", "submit.cli", "serve", "source", "--config"]
        process = subprocess.Popen(
            [*command, str(live.config)],
            env=live._environment(),
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        _, said = process.communicate(timeout=60)
    assert process.returncode not in {0, None}
    assert certificate.name in said
    assert "Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, signal.SIGCONT)
    assert not live.answers()
