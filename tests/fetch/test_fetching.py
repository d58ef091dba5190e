"""What arrived comes to the stick, once, verified; and what is unfinished as what it is."""

import os
import re
from pathlib import Path

import requests

from tests.fetch.circuit import Circuit
from tests.fetch.errand import Errand, digest, kept, new_errand, send
from tests.live import Live


def test_everything_new_comes_to_the_stick(errand: Errand) -> None:
    """Every sealed file is on the stick as the server has it, and the index says so."""
    uploads = [send(errand.live, length) for length in (1, 70_000, 3_000_000)]
    ended = errand.run()
    assert (ended.code, ended.complained) == (0, "")
    index = errand.index()
    for upload in uploads:
        assert errand.sealed(upload).read_bytes() == kept(errand.live, upload)
        assert index[upload].items() >= digest(kept(errand.live, upload)).items()
        assert index[upload]["state"] == "complete"
        assert errand.sealed(upload).parent.name == index[upload]["designation"].replace(" ", "-")
    assert len(index) == 6  # each source has a certificate, too
    assert errand.parts() == []


def test_many_files_share_three_connections(live: Live, errand: Errand) -> None:
    """Each new one costs seconds over Tor."""
    for _ in range(4):
        send(live, 10)
    with Circuit(live.desk_port) as circuit:
        errand.base = circuit.base
        assert errand.run().code == 0
        assert circuit.connections <= 3
        assert len(circuit.lines(b"GET /sealed/")) >= 8


def test_a_second_run_does_nothing(errand: Errand) -> None:
    """When nothing is new, nothing on the stick changes, and no sealed octet is asked for."""
    send(errand.live, 50_000)
    errand.run()
    before = {path: path.stat().st_mtime_ns for path in errand.home.rglob("*")}
    ended = errand.run()
    assert (ended.code, "nothing is new" in ended.said) == (0, True)
    assert {path: path.stat().st_mtime_ns for path in errand.home.rglob("*")} == before


def test_another_stick_gets_only_what_is_new(errand: Errand, live: Live) -> None:
    """What a colleague has fetched stays out, unless everything is asked for."""
    first = send(live, 50_000)
    errand.run()
    second = send(live, 60_000)
    colleague = new_errand(live, errand.stick.with_name("another stick"))
    colleague.run()
    assert (second in colleague.index(), first in colleague.index()) == (True, False)
    colleague.run("--all")
    assert first in colleague.index()


def test_an_unfinished_upload_comes_as_it_is_and_again_when_it_moved(
    live: Live, errand: Errand
) -> None:
    """With its tail; what came before is used; the complete one takes its place."""
    source, content = live.new_source(), os.urandom(1_000_000)
    url = live.create(source, len(content))
    upload = url.rpartition("/")[2]
    kept_tail = live.uploads / f"{upload}.tail"
    for begin, end in ((0, 400_000), (400_000, 400_100), (400_100, 800_000)):
        live.append(source, url, begin, content[begin:end])
        assert errand.run().code == 0
        entry = errand.index()[upload]
        assert (entry["state"], entry["tail"]) == ("open", True)
        assert errand.sealed(upload).read_bytes() == kept(live, upload)
        assert tail_of(errand, upload).read_bytes() == kept_tail.read_bytes()
    live.append(source, url, 800_000, content[800_000:])
    assert errand.run().code == 0
    entry = errand.index()[upload]
    assert (entry["state"], entry["tail"]) == ("complete", False)
    assert not tail_of(errand, upload).exists()
    assert errand.sealed(upload).read_bytes() == kept(live, upload)


def test_what_is_unfinished_is_called_so(live: Live, errand: Errand) -> None:
    """No “1 file, 0 bytes”: what comes, what is only looked at, and that more may come."""
    send(live, 500_000, 300_000)
    said = errand.run().said
    assert re.search("to bring: [0-9]+ files?, [0-9.]+ [KM]B\n", said)
    assert "still unfinished: 1 file. What has come so far is on the stick" in said
    said = errand.run().said
    assert "to bring" not in said
    assert "on the stick, but unfinished: 1 file. Looking for more" in said
    (errand.home / "index.json").unlink()
    assert "on the stick already, and only checked: " in errand.run("--all").said


def tail_of(errand: Errand, upload: str) -> Path:
    """Name the tail on the stick."""
    return errand.sealed(upload).with_name(f"{upload}.tail")


def test_only_what_never_changes_is_marked_as_fetched(
    live: Live, errand: Errand, cleaner: requests.Session
) -> None:
    """An unfinished upload that was marked would be missed by the next stick when it is complete."""
    whole, half = send(live, 50_000), send(live, 500_000, 100_000)
    errand.run()
    marks: dict[str, bool] = {}
    for source in cleaner.get(live.desk, timeout=30).json()["sources"]:
        page = cleaner.get(f"{live.desk}/sources/{source['id']}", timeout=30).json()
        marks |= {item["id"]: item["fetched"] for item in page["items"]}
    assert (marks[whole], marks[half]) == (True, False)


def test_a_lost_index_costs_a_look_and_no_fetching(errand: Errand) -> None:
    """Its lines are made again from what lies there and what the desk says of it."""
    upload = send(errand.live, 500_000)
    errand.run()
    whole = errand.index()
    number = errand.sealed(upload).stat().st_ino
    for damage in (b"", b'{"nightferry": 1, "sources": [{"id"', b"\xff" * 4096):
        (errand.home / "index.json").write_bytes(damage)
        assert errand.run("--all").code == 0
        assert errand.index() == whole
    assert errand.sealed(upload).stat().st_ino == number


def test_a_copy_that_rotted_is_brought_anew_when_all_is_asked_for(errand: Errand) -> None:
    """Staff whom `unseal` sends back for a damaged file get a good one."""
    upload = send(errand.live, 300_000)
    errand.run()
    sealed = errand.sealed(upload)
    octets = bytearray(sealed.read_bytes())
    octets[70_000] ^= 1
    sealed.write_bytes(octets)
    assert errand.run("--all").code == 0
    assert sealed.read_bytes() == kept(errand.live, upload)


def test_nothing_secret_is_on_the_stick_or_the_screen(errand: Errand) -> None:
    """Neither the passphrase nor a code nor a cookie."""
    send(errand.live, 50_000)
    ended = errand.run()
    octets = b"".join(path.read_bytes() for path in errand.home.rglob("*") if path.is_file())
    octets += (ended.said + ended.complained).encode()
    assert errand.member.passphrase.encode() not in octets
    assert b"nightferry_desk" not in octets
