"""A stick is small, slow, pulled out, used twice at once, or somebody else's."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from submit.fetch.errors import StickError
from submit.fetch.stick import append, publish, read_back, stick_errors
from tests.fetch.circuit import Circuit
from tests.fetch.errand import Errand, finish, send
from tests.live import Live


def test_two_at_once_are_refused(live: Live, errand: Errand) -> None:
    """The second says so and changes nothing; the lock goes with its holder, even by kill -9."""
    send(live, 50_000)
    with Circuit(live.desk_port) as circuit:
        circuit.stall_after = 0
        errand.base = circuit.base
        first = errand.begin()
        assert circuit.stalled.wait(60)
        before = sorted(errand.home.rglob("*"))
        second = errand.run(stdin="")
        assert (second.code, "another fetch" in second.complained) == (1, True)
        assert sorted(errand.home.rglob("*")) == before
        first.send_signal(signal.SIGKILL)
        finish(first)
    errand.base = ""
    assert errand.run().code == 0


def test_a_folder_that_is_not_there_is_said(errand: Errand) -> None:
    """A stick that is not mounted is no folder; none is made in its place."""
    ended = errand.run("--to", str(errand.stick / "gone"), stdin="")
    assert (ended.code, "mounted" in ended.complained) == (1, True)
    assert list(errand.stick.iterdir()) == []


@pytest.mark.parametrize("name", ["nightferry", "nightferry/sources"])
def test_a_link_on_the_stick_leads_nowhere(errand: Errand, name: str) -> None:
    """Who had the stick in hand does not choose where the files go."""
    send(errand.live, 50_000)
    elsewhere = errand.stick.with_name("elsewhere")
    elsewhere.mkdir()
    link = errand.stick / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    ended = errand.run()
    assert (ended.code, "link" in ended.complained) == (1, True)
    assert list(elsewhere.iterdir()) == []


def test_a_stick_without_room_is_said_before_it_fills(live: Live, errand: Errand) -> None:
    """What fits comes, the rest is named, and another stick takes it."""
    small = send(live, 50_000)
    large = send(live, 1)
    sparse = live.uploads / f"{large}.tar.gpg"
    os.truncate(sparse, 1 << 42)  # larger than any disk here, and takes none
    ended = errand.run()
    assert (ended.code, "another stick" in ended.complained) == (3, True)
    assert (small in errand.index(), large in errand.index()) == (True, False)
    assert errand.parts() == []


def test_troubles_of_the_stick_come_in_words(tmp_path: Path) -> None:
    """Full, read-only, pulled out: a person can do something about each of them."""
    with pytest.raises(StickError, match="full"):
        append(Path("/dev/full"), iter([b"x"]), lambda _: None)
    with pytest.raises(StickError, match="gone"):
        publish(tmp_path / "not there.part", tmp_path / "x")
    for number, word in (
        (5, "pulled out"),
        (19, "pulled out"),
        (30, "only be read"),
        (27, "exFAT"),
    ):
        with pytest.raises(StickError, match=word), stick_errors():
            raise OSError(number, "strerror")


def test_what_came_before_a_break_is_durable(tmp_path: Path) -> None:
    """A block that was counted is in the file, whatever ends the blocks."""
    counted: list[int] = []

    def blocks() -> Iterator[bytes]:
        yield b"one"
        yield b"two"
        raise ConnectionResetError

    path = tmp_path / "folder" / "x.part"
    with pytest.raises(ConnectionResetError):
        append(path, blocks(), counted.append)
    assert (path.read_bytes(), sum(counted)) == (b"onetwo", 6)
    append(path, iter([b"three"]), counted.append)
    assert read_back(path, threading.Event()).length == 11
