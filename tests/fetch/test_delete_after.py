"""`--delete-after`: only what lies verified on this stick at that moment."""

import requests

from tests.fetch.circuit import Circuit
from tests.fetch.errand import Errand, kept, send
from tests.live import Live


def names(live: Live) -> set[str]:
    """Give the ids of the uploads that the server has."""
    return {path.name.partition(".")[0] for path in live.uploads.glob("*.tar.gpg")}


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
    octets = bytearray(sealed.read_bytes())
    octets[1_000] ^= 1
    sealed.write_bytes(octets)
    errand.run("--delete-after")
    assert upload in names(live)


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
