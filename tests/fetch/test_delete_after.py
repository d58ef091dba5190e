"""`--delete-after`: only what lies verified on this stick at that moment."""

import sqlite3
from contextlib import closing
from pathlib import Path

import requests

from tests.fetch.circuit import Circuit
from tests.fetch.errand import Errand, kept, send
from tests.live import Live


def names(live: Live) -> set[str]:
    """Give the ids of the uploads that the server has."""
    return {path.name.partition(".")[0] for path in live.uploads.glob("*.tar.gpg")}


def rot(path: Path, at: int = 1_000) -> None:
    """Turn one bit of a file over."""
    octets = bytearray(path.read_bytes())
    octets[at] ^= 1
    path.write_bytes(octets)


def expire(live: Live, upload: str) -> None:
    """Let it be two months since an upload moved."""
    with closing(sqlite3.connect(live.data / "nightferry.db")) as database, database:
        database.execute("UPDATE uploads SET day = day - 60 WHERE id = ?", (upload,))
    live.command("expire", "--config", str(live.config))


def test_what_is_verified_here_is_deleted_there(live: Live, errand: Errand) -> None:
    """What came now and what came before; an unfinished upload stays."""
    first = send(live, 50_000)
    errand.run()
    second, half = send(live, 60_000), send(live, 500_000, 100_000)
    octets = {upload: kept(live, upload) for upload in (first, second)}
    ended = errand.run("--delete-after")
    assert ended.code == 0, ended.complained
    assert {first, second, half} & names(live) == {half}
    for upload, content in octets.items():
        assert errand.sealed(upload).read_bytes() == content
        assert upload in errand.index()
    assert errand.run().code == 0
    assert {first, second, half} <= set(errand.index())


def test_what_is_on_another_stick_is_not_deleted(live: Live, errand: Errand) -> None:
    """It was fetched, and this run cannot know whether it still exists."""
    upload = send(live, 50_000)
    errand.run()
    (errand.home / "index.json").unlink()
    errand.sealed(upload).unlink()
    assert errand.run("--delete-after").code == 0
    assert upload in names(live)


def test_a_copy_that_rotted_on_the_stick_is_not_the_last_one(live: Live, errand: Errand) -> None:
    """It is read back before its original is deleted."""
    upload = send(live, 50_000)
    errand.run()
    sealed = errand.sealed(upload)
    octets = sealed.read_bytes()
    rot(sealed)
    ended = errand.run("--delete-after")
    assert ended.code == 3
    assert f"{upload} is damaged on this stick. It stays at the desk" in ended.complained
    assert upload in names(live)
    assert upload not in errand.index()
    ended = errand.run("--delete-after")
    assert (ended.code, sealed.read_bytes()) == (0, octets), ended.complained
    assert upload not in names(live)


def test_what_expired_is_read_back_too(live: Live, errand: Errand) -> None:
    """It was fetched while it was unfinished: the index knows it, and the stick has lost it since."""
    upload = send(live, 500_000, 200_000)
    errand.run()
    rot(errand.sealed(upload))
    expire(live, upload)
    ended = errand.run("--delete-after")
    assert (ended.code, upload in names(live)) == (3, True), ended.complained


def test_a_tail_that_rotted_on_the_stick_is_not_the_last_one(live: Live, errand: Errand) -> None:
    """An expired upload goes on in its tail, which is evidence like the rest."""
    upload = send(live, 500_000, 200_000)
    expire(live, upload)
    errand.run()
    rot(errand.tail(upload), at=5)
    errand.run("--delete-after")
    assert upload in names(live)


def test_what_stays_at_the_desk_is_counted(live: Live, errand: Errand) -> None:
    """Who deletes with an empty stick is told why nothing goes."""
    send(live, 50_000)
    errand.run()
    (errand.home / "index.json").unlink()
    for sealed in errand.home.glob("sources/*/*.tar.gpg"):
        sealed.unlink()
    assert "not on this stick: kept there" in errand.run("--delete-after").said


def test_nothing_is_deleted_that_came_wrong(live: Live, errand: Errand) -> None:
    """A desk or a stick that gives other octets loses nothing."""
    upload = send(live, 50_000)
    with Circuit(live.desk_port, flips=1_000) as circuit:
        errand.base = circuit.base
        assert errand.run("--delete-after").code == 3
    assert upload in names(live)


def test_nothing_is_deleted_unasked(live: Live, errand: Errand, cleaner: requests.Session) -> None:
    """Without the word, everything stays at the desk, marked as fetched."""
    upload = send(live, 50_000)
    errand.run()
    assert upload in names(live)
    pages = [
        cleaner.get(f"{live.desk}/sources/{source['id']}", timeout=30).json()
        for source in cleaner.get(live.desk, timeout=30).json()["sources"]
    ]
    assert all(item["fetched"] for page in pages for item in page["items"])
