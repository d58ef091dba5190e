"""Promise 1: nothing at rest can be read, named, measured, recognised or dated."""

import base64
import hashlib
import os
import re
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.errors import AuthenticationError
from crypto.seal import ChunkCipher
from crypto.wrap import PaddedWrapped, WrappingKey, unwrap_padded
from submit.intake.state import unwrap_state
from tests.crypto.keys.making import gpg, new_home
from tests.faults.canary import (
    codename_needles,
    hashes_of,
    newer_temporary_files,
    search,
    search_many,
)
from tests.faults.records import ask, upload_id, values
from tests.faults.story import LENGTH, Story
from tests.live import Live, running, wait_until

_NAME = re.compile(r"[a-z2-7]{26}\.(tar\.gpg|tail)")
_DATA_HEAD = re.compile(rb"\xd4\xff(....)\x01\x09\x02\x0a(.{15})", re.DOTALL)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A server that a source has told its whole story to, with a folder of its own for /tmp."""
    folder = tmp_path_factory.mktemp("story")
    (folder / "tmp").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder / "tmp"))
        with running(folder) as live:
            story = Story(live, time.time() - 1)
            story.tell()
            yield story


def test_the_story_arrived(story: Story, tmp_path: Path) -> None:
    """What is not found below was really sent: staff open all of it, under its exact names."""
    opened = [story.live.open(path, tmp_path) for path in complete_files(story)]
    contents = {one.content: one.name for one in opened}
    assert contents[story.uploaded.content] == f"{story.folder}/{story.uploaded.name}"
    assert contents[story.formed.content] == story.formed.name
    assert {story.message.encode(), story.machine_message.encode()} < set(contents)


def test_the_search_sees_what_is_there(story: Story) -> None:
    """What must be at rest is found by the same search: it does look into these places."""
    [(designation,)] = ask(story.live, "select designation from sources limit 1")
    assert isinstance(designation, str)
    assert search(story.on_disk(), {designation.encode(): "designation"})


def test_plaintext_at_rest_while_it_arrives(story: Story) -> None:
    """GL#821: an upload of marked content is on its way; no mark is anywhere."""
    with story.half_sent():
        assert search(story.where_it_could_be(), story.marks()) == []


def test_what_was_said_both_ways_is_not_at_rest(story: Story) -> None:
    """Neither an open set's names, nor a reply's text, nor the codename that a message held."""
    assert len(ask(story.live, "select * from parts")) == 2
    assert len(ask(story.live, "select * from sent")) >= 2
    assert len(ask(story.live, "select * from replies")) == 1
    assert search(story.where_it_could_be(), story.marks()) == []


def test_gpg_opens_no_reply_with_what_is_on_the_disk(story: Story) -> None:
    """The key that opens a reply is wrapped under the codename's; no octets there are it."""
    query = "select message, wrapped_reply_key, locator from replies join sources on source=locator"
    [(message, wrapped, locator)] = ask(story.live, query)
    assert isinstance(message, bytes)
    assert isinstance(wrapped, bytes)
    assert isinstance(locator, bytes)
    kept = [value for value in values(story.live) if isinstance(value, bytes)]
    for window in {value[at : at + 32] for value in kept for at in range(max(1, len(value) - 31))}:
        with pytest.raises((AuthenticationError, ValueError)):
            unwrap_padded(WrappingKey(window), b"reply key", locator, PaddedWrapped(wrapped))
    with new_home() as home:
        assert gpg(home, "-d", given=message).returncode != 0


def test_the_second_at_which_a_source_was_made_is_not_at_rest(story: Story) -> None:
    """Its certificate holds it, so the certificate is kept under the codename's key alone."""
    with new_home() as home:
        made = gpg(home, "--dearmor", given=story.certificate).stdout
    # A packet of one octet of tag, one of length, and the version: then the time (RFC 9580, 5.5.2).
    moment, point = made[3:7], made[20:53]
    # Sequoia dates keys back by a minute, for clocks that go slow.
    assert story.since - 120 < int.from_bytes(moment) < time.time()
    kept = {k: v for k, v in story.on_disk().items() if not k.endswith((".tar.gpg", ".tail"))}
    assert search(kept, {moment: "time", point: "key"}) == []


def test_an_abandoned_upload_leaves_no_plaintext(story: Story) -> None:
    """GL#828: the source went away in the middle of a chunk; what stays is sealed."""
    with story.half_sent() as path:
        pass
    tail = story.live.uploads / f"{path[-26:]}.tail"
    wait_until(tail.exists)
    assert search(story.where_it_could_be(), story.marks()) == []


def test_kill_9_leaves_no_plaintext(story: Story) -> None:
    """GL#821: nor when the processes end without a chance to tidy up."""
    with story.half_sent():
        story.live.kill()
        assert search(story.on_disk(), story.marks()) == []
    story.live.start()
    assert search(story.where_it_could_be(), story.marks()) == []
    assert search(newer_temporary_files(story.since), story.marks()) == []


def test_no_hash_of_the_plaintext_is_at_rest(story: Story) -> None:
    """GL#822: neither of the whole, nor of a chunk, nor of a PATCH whose checksum was sent."""
    needles: dict[bytes, str] = {}
    needles |= hashes_of("upload", story.uploaded.content, story.pieces())
    needles |= hashes_of("form", story.formed.content, [])
    needles |= hashes_of("message", story.message.encode(), [])
    needles |= hashes_of("name", story.uploaded.name.encode(), [])
    assert search_many(story.on_disk(), needles) == []


@pytest.mark.parametrize("length", [LENGTH, 700_001])
def test_no_exact_length_is_at_rest(story: Story, length: int) -> None:
    """The length of a known file is as good as its name, in whatever form it is written."""
    forms = {
        str(length).encode(): "decimal",
        length.to_bytes(8): "big-endian",
        length.to_bytes(8, "little"): "little-endian",
        _sqlite_varint(length): "SQLite's varint",
        _leb128(length): "LEB128",
    }
    assert length not in values(story.live)
    kept = {k: v for k, v in story.on_disk().items() if not k.endswith((".tar.gpg", ".tail"))}
    assert search(kept, forms) == []


def test_sizes_are_rounded(story: Story) -> None:
    """Two uploads that differ by an octet in length have the same size at rest."""
    live, source = story.live, story.session
    urls = []
    for length in (300_000, 300_001):
        urls.append(live.create(source, length))
        assert live.append(source, urls[-1], 0, bytes(length)).status_code == 204
    first, second = (live.uploads / f"{upload_id(url)}.tar.gpg" for url in urls)
    assert first.stat().st_size == second.stat().st_size
    assert first.stat().st_size not in {300_000, 300_001}


def test_names_at_rest_say_nothing(story: Story) -> None:
    """A file at rest has a random name, and nothing lies beside it (tusd keeps names there)."""
    names = {path.name for path in story.live.uploads.iterdir()}
    assert [name for name in names if not _NAME.fullmatch(name)] == []
    assert {path.name for path in story.live.data.iterdir()} <= {
        *("uploads", "run", "gnupg", "codename.salt"),
        *("nightferry.db", "nightferry.db-wal", "nightferry.db-shm"),
    }
    assert list((story.live.data / "gnupg").iterdir()) == []


def test_complete_files_have_the_time_of_a_midnight(story: Story) -> None:
    """SD#17: a time to the second tells when the source was online."""
    times = [sealed.stat().st_mtime for sealed in complete_files(story)]
    assert len(times) >= 4
    assert [at for at in times if at % 86400] == []


def test_no_row_has_a_time_finer_than_a_quarter_of_an_hour(story: Story) -> None:
    """Days and, for sessions, quarters of an hour: no number that could be seconds."""
    quarter = int(time.time()) // 900
    numbers = [value for value in values(story.live) if isinstance(value, int)]
    assert max(numbers) < 2 * quarter
    sessions = ask(story.live, "select expires from sessions")
    assert all(isinstance(at, int) and quarter - 2 < at < quarter + 200 for (at,) in sessions)


def test_nobody_else_may_read_or_list(story: Story) -> None:
    """SEC-01-006, file modes: 0600 for files, 0700 for folders, whoever made them."""
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in story.live.data.rglob("*")}
    modes[story.live.data] = stat.S_IMODE(story.live.data.stat().st_mode)
    right = {True: 0o700, False: 0o600}
    assert {
        str(path): oct(mode) for path, mode in modes.items() if mode != right[path.is_dir()]
    } == {}


def test_gpg_without_the_secret_key_opens_nothing(story: Story) -> None:
    """Who has the whole disk and stock gpg gets not one octet."""
    with new_home() as home:
        imported = gpg(home, "--import", str(story.live.ngo.certificate))
        assert imported.returncode == 0
        for sealed in story.live.uploads.glob("*.tar.gpg"):
            opened = gpg(home, "-d", str(sealed))
            assert opened.returncode != 0
            assert opened.stdout == b""


def test_no_session_key_is_at_rest(story: Story) -> None:
    """No 32 octets anywhere on the disk open what is complete; the right ones would."""
    sealed = complete_files(story)[0]
    places = story.on_disk()
    kept = b"".join(places[name] for name in places if not name.endswith((".tar.gpg", ".tail")))
    windows = {kept[at : at + 32] for at in range(len(kept) - 31)}
    assert _opens(sealed.read_bytes(), _session_key(story.live, sealed))
    assert not [window for window in windows if _opens(sealed.read_bytes(), window)]


def test_nothing_in_the_rows_unwraps_an_unfinished_upload(story: Story) -> None:
    """The key of an unfinished upload is wrapped under what only codename and cookie give."""
    with story.half_sent() as path:
        [(wrapped,)] = ask(story.live, "select wrapped from uploads where id = ?", path[-26:])
    assert isinstance(wrapped, bytes)
    kept = [value for value in values(story.live) if isinstance(value, bytes)]
    kept.append((story.live.data / "codename.salt").read_bytes())
    windows = {value[at : at + 32] for value in kept for at in range(max(1, len(value) - 31))}
    windows |= {hashlib.sha256(value).digest() for value in kept}
    for window in windows:
        with pytest.raises((AuthenticationError, ValueError)):
            unwrap_state(WrappingKey(window), path[-26:], wrapped)


def test_what_was_wrapped_is_gone_when_the_upload_is_complete(story: Story) -> None:
    """Who learns the codename later opens nothing: not from the database, nor from its log."""
    live, source = story.live, story.session
    url = live.create(source, 200_000)
    assert live.append(source, url, 0, bytes(100_000)).status_code == 204
    query = "select wrapped from uploads where id = ?"
    [(wrapped,)] = ask(live, query, upload_id(url))
    assert isinstance(wrapped, bytes)
    piece = {wrapped[100:164]: "wrapped key"}
    assert search(story.on_disk(), piece)
    assert live.append(source, url, 100_000, bytes(100_000)).status_code == 204
    assert search(story.on_disk(), piece) == []


def test_a_session_that_ended_is_gone(story: Story) -> None:
    """Who finds the cookie in the source's computer later finds no key under it here."""
    source = story.live.new_source()
    cookie = base64.urlsafe_b64decode(source.cookies["nightferry"] + "=")
    hash_of_cookie = hashlib.sha256(cookie).digest()
    query = "select wrapped_key from sessions where cookie_hash = ?"
    [(wrapped,)] = ask(story.live, query, hash_of_cookie)
    assert isinstance(wrapped, bytes)
    assert search(story.on_disk(), {wrapped: "key", hash_of_cookie: "hash"})
    assert source.post(f"{story.live.base}/session/end", timeout=30).status_code == 200
    assert search(story.on_disk(), {wrapped: "key", hash_of_cookie: "hash"}) == []


def test_the_codename_is_readable_in_no_cookie(story: Story) -> None:
    """SD-01-012: decoded in every usual way, a cookie holds nothing of the codename."""
    needles = codename_needles(story.codename)
    for cookie in story.session.cookies:
        value = (cookie.value or "").encode()
        decoded = base64.urlsafe_b64decode(value + b"=")
        assert len(decoded) == 32
        assert search({"cookie": value, "decoded": decoded}, needles) == []
        assert cookie.expires is None
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "Strict"


def test_the_log_holds_nothing_of_any_row(story: Story) -> None:
    """SD logs a value derived from the codename: here no locator, designation or id is logged."""
    log = story.live.log.read_bytes()
    for value in values(story.live):
        text = value.encode() if isinstance(value, str) else value
        if isinstance(text, bytes) and len(text) > 8:
            forms = (text, text.hex().encode(), base64.b64encode(text))
            assert [form for form in forms if form in log] == []


def test_a_crash_dumps_no_memory(story: Story) -> None:
    """Plaintext and keys are in a process's memory: it is never written out."""
    for process in (story.live.pid, *story.live.workers()):
        limits = Path(f"/proc/{process}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)


def complete_files(story: Story) -> list[Path]:
    """Give the sealed files of complete uploads."""
    rows = ask(story.live, "select id from uploads where state = 'complete'")
    return [story.live.uploads / f"{upload!s}.tar.gpg" for (upload,) in rows]


def _session_key(live: Live, sealed: Path) -> bytes:
    told = subprocess.run(
        [
            "gpg",
            "--homedir",
            str(live.ngo.home),
            "--batch",
            "--show-session-key",
            "-d",
            str(sealed),
        ],
        capture_output=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        check=True,
    )
    found = re.search(rb"session key: '9(?:\.2)?:([0-9A-F]{64})'", told.stderr)
    assert found
    return bytes.fromhex(found[1].decode())


def _opens(sealed: bytes, key: bytes) -> bool:
    """Tell whether a key is that of a sealed file, by its final tag alone."""
    head = _DATA_HEAD.search(sealed)
    assert head
    body = int.from_bytes(head[1]) - 19 - 16
    chunks = -(-body // (65536 + 16))
    return ChunkCipher(key, head[2]).holds_end(chunks, body - 16 * chunks, sealed[-16:])


def _sqlite_varint(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


def _leb128(number: int) -> bytes:
    groups = []
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])
