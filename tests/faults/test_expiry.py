"""What remains when an upload ends without being complete, and what is forgotten in time."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import requests

from tests.crypto.keys.making import gpg
from tests.faults.canary import search
from tests.faults.records import ask, doctor, upload_id
from tests.live import Live, running, wait_until

_TUS = {"Tus-Resumable": "1.0.0"}
_CHUNK = 1 << 16
_MONTH = 31  # days; the setting is 30
CONTENT = Random(5).randbytes(400_000)
QUERY = "select state, wrapped from uploads where id = ?"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server whose database this module's tests let grow old."""
    with running(tmp_path_factory.mktemp("live")) as live:
        yield live


def begin(live: Live, octets: int) -> tuple[requests.Session, str]:
    """Begin an upload and send some octets of it."""
    source = live.new_source()
    url = live.create(source, len(CONTENT))
    assert live.append(source, url, 0, CONTENT[:octets]).status_code == 204
    return source, url


def pass_days(live: Live, url: str, days: int) -> None:
    """Let days go by for one upload, and do the daily work."""
    doctor(live, "update uploads set day = day - ? where id = ?", days, upload_id(url))
    live.command("expire", "--config", str(live.config))


def kept(live: Live) -> dict[str, bytes]:
    """Read the database and its log."""
    return {path.name: path.read_bytes() for path in live.data.glob("nightferry.db*")}


def test_an_expired_uploads_key_is_gone(live: Live) -> None:
    """Neither codename nor cookie opens it any more: the wrapped key is in no row and no log."""
    source, url = begin(live, 250_000)
    [(_, wrapped)] = ask(live, QUERY, upload_id(url))
    assert isinstance(wrapped, bytes)
    piece = {wrapped[100:164]: "wrapped key"}
    assert search(kept(live), piece)
    pass_days(live, url, _MONTH)
    assert ask(live, QUERY, upload_id(url)) == [("expired", None)]
    assert search(kept(live), piece) == []
    assert source.head(url, headers=_TUS, timeout=30).status_code in {404, 410}


def test_an_upload_that_moved_yesterday_does_not_expire(live: Live) -> None:
    """Thirty days of rest are allowed: a source may be travelling."""
    source, url = begin(live, 250_000)
    pass_days(live, url, _MONTH - 2)
    assert live.offset(source, url) == 250_000
    assert live.append(source, url, 250_000, CONTENT[250_000:]).status_code == 204


def test_staff_salvage_what_arrived_of_an_expired_upload(live: Live) -> None:
    """GL#3591: expiry destroys nothing: stock gpg, as docs/format.md says under "Salvage"."""
    _, url = begin(live, 250_000)
    pass_days(live, url, _MONTH)
    sealed = (live.uploads / f"{upload_id(url)}.tar.gpg").read_bytes()
    opened = gpg(live.ngo.home, "-d", given=sealed + bytes(2 * _CHUNK))
    assert opened.returncode != 0
    authentic = opened.stdout[:-_CHUNK]
    salvaged = authentic[authentic.index(CONTENT[:512]) :]
    assert len(salvaged) > 250_000 - _CHUNK - 2_048
    assert salvaged == CONTENT[: len(salvaged)]


def test_an_expired_upload_shows_no_time(live: Live) -> None:
    """Its file and its tail are dated like a complete one's."""
    _, url = begin(live, 250_000)
    pass_days(live, url, _MONTH)
    left = list(live.uploads.glob(f"{upload_id(url)}.*"))
    assert sorted(path.suffix for path in left) == [".gpg", ".tail"]
    assert all(path.stat().st_mtime % 86400 == 0 for path in left)


def test_termination_removes_every_trace(live: Live) -> None:
    """GL#828: what its source takes back is gone: file, tail, row, and the wrapped key."""
    source, url = begin(live, 250_000)
    [(_, wrapped)] = ask(live, QUERY, upload_id(url))
    assert isinstance(wrapped, bytes)
    assert source.delete(url, headers=_TUS, timeout=30).status_code == 204
    assert list(live.uploads.glob(f"{upload_id(url)}*")) == []
    assert ask(live, QUERY, upload_id(url)) == []
    assert search(kept(live), {wrapped[100:164]: "wrapped key"}) == []


def test_what_is_complete_only_staff_remove(live: Live) -> None:
    """A codename that was forced out of its source destroys nothing that arrived."""
    source, url = begin(live, len(CONTENT))
    answer = source.delete(url, headers=_TUS, timeout=30)
    assert 400 <= answer.status_code < 500
    assert (live.uploads / f"{upload_id(url)}.tar.gpg").exists()


def test_a_complete_uploads_length_is_forgotten_after_a_day(live: Live) -> None:
    """It is kept so long only for the client whose last answer was lost."""
    source, url = begin(live, len(CONTENT))
    assert live.offset(source, url) == len(CONTENT)
    [(_, wrapped)] = ask(live, QUERY, upload_id(url))
    assert isinstance(wrapped, bytes)
    pass_days(live, url, 1)
    assert live.offset(source, url) == len(CONTENT)
    pass_days(live, url, 1)
    assert ask(live, QUERY, upload_id(url)) == [("complete", None)]
    head = source.head(url, headers=_TUS, timeout=30)
    assert (head.status_code, head.headers["Upload-Complete"]) == (410, "?1")
    assert search(kept(live), {wrapped[:64]: "wrapped length"}) == []
    assert source.get(f"{live.base}/drop", timeout=30).json()["received"]["files"] == 1


def test_expired_sessions_are_removed(live: Live) -> None:
    """A session row tells that a source was there: it goes with the daily work."""
    source = live.new_source()
    before = ask(live, "select count(*) from sessions")
    doctor(live, "update sessions set expires = 1 where rowid = (select max(rowid) from sessions)")
    live.command("expire", "--config", str(live.config))
    assert ask(live, "select count(*) from sessions") == [(before[0][0] - 1,)]  # type: ignore[operator] # a count
    assert source.get(f"{live.base}/drop", timeout=30).status_code == 403


def test_an_expired_session_is_no_session(live: Live) -> None:
    """Nor is it one before the daily work comes by."""
    source = live.new_source()
    doctor(live, "update sessions set expires = 1")
    assert source.get(f"{live.base}/drop", timeout=30).status_code == 403


def test_what_a_killed_form_left_is_removed_at_the_next_start(live: Live) -> None:
    """GL#828: half a file that nobody can go on with is not kept for ever."""
    part = live.uploads / f"{'a' * 26}.part"
    part.write_bytes(bytes(100))
    new_tail = live.uploads / f"{'a' * 26}.tail.new"
    new_tail.write_bytes(bytes(100))
    live.kill()
    live.start()
    wait_until(live.answers)
    assert not part.exists()
    assert not new_tail.exists()


def test_a_row_without_a_file_is_removed_at_the_next_start(live: Live, tmp_path: Path) -> None:
    """The server was killed between the two; nobody was told of this upload."""
    source, url = begin(live, 1000)
    (live.uploads / f"{upload_id(url)}.tar.gpg").rename(tmp_path / "lost")
    live.kill()
    live.start()
    assert ask(live, QUERY, upload_id(url)) == []
    assert source.get(f"{live.base}/drop", timeout=30).json()["unfinished"] == []
