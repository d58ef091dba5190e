"""Replies go from the stick to the desk, once each."""

from pathlib import Path

import pytest
import requests

from tests.crypto.keys.making import gpg, new_home
from tests.fetch.circuit import Circuit
from tests.fetch.errand import Errand

WORDS = "We have it. Thank you."


def answered(errand: Errand, tmp_path: Path) -> tuple[requests.Session, Path]:
    """Be a source that wrote something, and staff whose `unseal answer` put a reply on the stick."""
    live = errand.live
    source = live.new_source()
    assert source.post(f"{live.base}/drop/messages", json={"text": "hello"}, timeout=30).ok
    assert errand.run().code == 0
    certificate = _certificate(errand, tmp_path)
    [designation] = {item["designation"] for item in errand.index().values()}
    folder = errand.home / "replies" / designation.replace(" ", "-")
    folder.mkdir(parents=True)
    reply = folder / "2026-11-22.asc"
    with new_home() as home:
        how = ["--armor", "--trust-model", "always", "--recipient-file", str(certificate)]
        sealed = gpg(home, *how, "--encrypt", given=WORDS.encode())
        assert sealed.returncode == 0, sealed.stderr
        reply.write_bytes(sealed.stdout)
    return source, reply


def _certificate(errand: Errand, tmp_path: Path) -> Path:
    """Open the source's certificate, which came to the stick sealed."""
    [upload] = [item["id"] for item in errand.index().values() if item["kind"] == "certificate"]
    path = tmp_path / "certificate.asc"
    path.write_bytes(errand.live.open(errand.sealed(upload), tmp_path / "opened").content)
    return path


def texts(errand: Errand, source: requests.Session) -> list[str]:
    """Give the replies that the source reads."""
    drop = source.get(f"{errand.live.base}/drop", timeout=30).json()
    return [reply["text"].strip() for reply in drop["replies"]]


def test_a_reply_is_carried_once(errand: Errand, tmp_path: Path) -> None:
    """The source reads it; on the stick it is put away; the next run does not send it again."""
    source, reply = answered(errand, tmp_path)
    ended = errand.run()
    assert (ended.code, texts(errand, source)) == (0, [WORDS])
    away = errand.home / "replies" / "sent" / reply.parent.name / reply.name
    assert (reply.exists(), away.exists()) == (False, True)
    assert errand.run().code == 0
    assert texts(errand, source) == [WORDS]


@pytest.mark.parametrize("after", [1, 20])
def test_a_lost_answer_makes_no_second_reply(errand: Errand, tmp_path: Path, after: int) -> None:
    """The connection breaks when the desk has kept the reply and its answer is on the way."""
    source, reply = answered(errand, tmp_path)
    with LosesAnswer(errand.live.desk_port, after) as circuit:
        errand.base = circuit.base
        ended = errand.run()
        assert (ended.code, circuit.broken) == (0, 1), ended.complained
    assert texts(errand, source) == [WORDS]
    assert [path.name for path in reply.parent.iterdir()] == []


class LosesAnswer(Circuit):
    """Breaks after some octets of the answer to the first reply."""

    def __init__(self, port: int, after: int) -> None:
        super().__init__(port)
        self._after = after

    def translated(self, octets: bytes) -> bytes:
        if b"/replies " in octets and self.broken == 0:
            self.lose_next = self._after
        return octets


def test_a_refused_reply_stays_with_its_reason(errand: Errand, tmp_path: Path) -> None:
    """Not encrypted to this source, no source of this name, no text at all: said, and kept."""
    _, reply = answered(errand, tmp_path)
    reply.write_text("-----BEGIN PGP MESSAGE-----\n\nnonsense\n-----END PGP MESSAGE-----\n")
    unknown = errand.home / "replies" / "nobody-known"
    unknown.mkdir()
    (unknown / "a.asc").write_text("x")
    (reply.parent / "b.asc").write_bytes(b"\xff\xfe")
    ended = errand.run()
    assert ended.code == 3
    assert ended.complained.count("stays on the stick") == 3
    assert reply.exists()
    assert sorted(path.name for path in reply.parent.iterdir()) == ["2026-11-22.asc", "b.asc"]


def test_names_on_the_stick_do_not_act(errand: Errand, tmp_path: Path) -> None:
    """A file's name is shown harmless; a link is not read."""
    _, reply = answered(errand, tmp_path)
    reply.rename(reply.with_name("\x1b[2J\n.asc"))
    (tmp_path / "secret").write_text("s")
    (reply.parent / "link.asc").symlink_to(tmp_path / "secret")
    (reply.parent / "bad\x1b.asc").write_text("no message")
    ended = errand.run()
    assert "\x1b" not in ended.said + ended.complained
    assert (reply.parent / "link.asc").is_symlink()
    assert ended.complained.count("stays") == 1
