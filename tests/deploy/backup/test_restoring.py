"""A host is gone. What was backed up while it lived is enough, and what is not is told."""

import io
import os
import shutil
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from random import Random

import pytest
import requests
from alembic.script import ScriptDirectory

from submit.store.database import _config, migrate
from tests.deploy.backup.sysadmin import (
    Sysadmin,
    below,
    come_back,
    flip,
    run,
)
from tests.deploy.backup.uploads import COMPLETE, put
from tests.faults.canary import at_rest
from tests.faults.records import ask, doctor, upload_id
from tests.live import Live, wait_until

LARGE = Random(2).randbytes(8 << 20)
_TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


class Halting(io.BytesIO):
    """A body that comes to a halt at its half until it is let go."""

    def __init__(self, octets: bytes) -> None:
        super().__init__(octets)
        self.go = threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= len(self.getvalue()) // 2:
            self.go.wait(60)
        return super().read(min(size or 65536, 65536))


class Sending(threading.Thread):
    """A source whose circuit is slow: one PATCH, half of which is on its way for ever."""

    def __init__(self, live: Live) -> None:
        super().__init__(daemon=True)
        self.live, self.source = live, live.new_source()
        self.url = live.create(self.source, len(LARGE))
        self.body = Halting(LARGE)

    def run(self) -> None:
        headers = {**_TUS, "Upload-Offset": "0", "Content-Length": str(len(LARGE))}
        with suppress(requests.RequestException):
            self.source.patch(self.url, data=self.body, headers=headers, timeout=60)

    def half_has_come(self) -> bool:
        return self.live.sealed(self.url).stat().st_size >= len(LARGE) // 2 - (2 << 20)


def test_a_backup_during_a_large_upload_is_enough_to_go_on_elsewhere(
    sysadmin: Sysadmin, tmp_path: Path
) -> None:
    """The source comes back with its codename, resumes, and staff open every file with gpg."""
    live, secret = sysadmin.live, sysadmin.makes_onions()
    first = live.new_source()
    done = live.create(first, len(COMPLETE))
    assert live.append(first, done, 0, COMPLETE).status_code == 204
    first.post(f"{live.base}/drop/messages", data={"text": "hello"}, timeout=30)
    sending = Sending(live)
    sending.start()
    wait_until(sending.half_has_come)

    made = sysadmin.backs_up()
    assert made.status == 0, made.said
    assert "unfinished uploads in it, as far as they were: " in made.said
    assert sysadmin.verifies().status == 0

    restored = sysadmin.restores(tmp_path / "new")
    assert restored.status == 0, restored.said
    onion = tmp_path / "new/var/lib/nightferry-tor/source/hs_ed25519_secret_key"
    assert secret in onion.read_bytes()
    assert (tmp_path / "new/etc/nightferry/nightferry.toml").exists()
    assert below(tmp_path / "new", live.ngo.certificate).exists()

    new = sysadmin.moves_in(tmp_path / "new", tmp_path / "elsewhere")
    try:
        new.start()
        again = come_back(new, first.codename)  # type: ignore[attr-defined] # for the test
        arrived = again.get(f"{new.base}/drop", timeout=30).json()["received"]
        assert arrived == {"files": 1, "messages": 1}
        finish(new, sending)
        sent = (upload_id(done), upload_id(sending.url))
        opened = [new.open(path, tmp_path / "opened").content for path in of_sources(new, *sent)]
        assert sorted(opened, key=len) == [b"hello", COMPLETE, LARGE]
    finally:
        new.end()
        sending.body.go.set()


def of_sources(live: Live, *uploads: str) -> list[Path]:
    """Give the sealed files of everything that the sources of some uploads have sent themselves."""
    query = """select id from uploads where kind <> 'reply-to' and state = 'complete'
        and source in (select source from uploads where id in (?, ?))"""
    return [live.sealed(str(upload)) for (upload,) in ask(live, query, *uploads)]


def finish(new: Live, sending: Sending) -> None:
    """Go on from what the backup held, under the codename, to the end."""
    source = come_back(new, sending.source.codename)  # type: ignore[attr-defined] # for the test
    [unfinished] = source.get(f"{new.base}/drop", timeout=30).json()["unfinished"]
    url = new.base + "/uploads/" + unfinished["url"].rpartition("/")[2]
    offset = new.offset(source, url)
    assert len(LARGE) // 2 - (3 << 20) <= offset <= len(LARGE) // 2 + 65536
    assert new.append(source, url, offset, LARGE[offset:]).status_code == 204


def test_a_row_without_a_file_and_a_file_without_a_row_are_told_and_kept(
    sysadmin: Sysadmin, tmp_path: Path
) -> None:
    """SD#5225: a restore leaves no orphan that nobody hears of, and removes none either."""
    live = sysadmin.live
    fileless, rowless = put(live), put(live)
    (live.uploads / f"{fileless}.tar.gpg").unlink()
    doctor(live, "delete from uploads where id = ?", rowless)
    try:
        made = sysadmin.backs_up()
        assert "files that the database does not know (yet): 1" in made.said
        assert "have no file here any more: 1" in made.said
        restored = sysadmin.restores(tmp_path / "new")
        assert restored.status == 2
        assert f"NO FILE   {fileless} (complete, of " in restored.said
        assert f"NO ROW    {rowless}: " in restored.said
        uploads = below(tmp_path / "new", live.uploads)
        assert live.open(uploads / f"{rowless}.tar.gpg", tmp_path / "opened").content == COMPLETE
        with closing(sqlite3.connect(uploads.parent / "nightferry.db")) as database:
            row = "select state from uploads where id = ?"
            assert database.execute(row, (fileless,)).fetchall() == [("complete",)]
    finally:
        doctor(live, "delete from uploads where id = ?", fileless)
        (live.uploads / f"{rowless}.tar.gpg").unlink()


def test_a_host_with_a_service_is_left_alone(sysadmin: Sysadmin, tmp_path: Path) -> None:
    """Restored where sources are, it would throw away what they sent since: refused in words."""
    put(sysadmin.live)
    assert sysadmin.backs_up().status == 0
    assert sysadmin.restores(tmp_path / "new").status == 0
    before = at_rest(tmp_path / "new")
    again = sysadmin.restores(tmp_path / "new")
    assert again.status == 1
    assert "Nothing was changed" in again.said
    assert at_rest(tmp_path / "new") == before


def test_what_init_had_made_is_moved_aside(sysadmin: Sysadmin, tmp_path: Path) -> None:
    """A host without sources may be restored to; its empty database, salt and keys are kept."""
    put(sysadmin.live)
    sysadmin.makes_onions()
    assert sysadmin.backs_up().status == 0
    new = tmp_path / "new"
    data, onion = below(new, sysadmin.live.data), new / "var/lib/nightferry-tor/source"
    for folder in (data, onion, new / "etc/nightferry"):
        folder.mkdir(parents=True)
    migrate(f"sqlite:///{data}/nightferry.db")
    (data / "codename.salt").write_bytes(b"another")
    (onion / "hostname").write_text("another.onion\n")
    restored = sysadmin.restores(new)
    assert restored.status == 0, restored.said
    assert (data / "codename.salt.before-restore").read_bytes() == b"another"
    assert (onion / "hostname.before-restore").read_text() == "another.onion\n"
    assert (data / "nightferry.db.before-restore").exists()
    assert restored.said.count("MOVED") == 3
    live_salt = (sysadmin.live.data / "codename.salt").read_bytes()
    assert (data / "codename.salt").read_bytes() == live_salt


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_everything_belongs_to_the_users_of_the_new_host(
    sysadmin: Sysadmin, tmp_path: Path
) -> None:
    """Their numbers differ from host to host: the names count. Tor's keys are tor's alone."""
    upload = put(sysadmin.live)
    sysadmin.makes_onions()
    assert sysadmin.backs_up().status == 0
    (tmp_path / "new/etc").mkdir(parents=True)
    for name in ("passwd", "group"):
        text = "nightferry:x:4242:4243::/:\nnightferry-tor:x:4343:4343::/:\n"
        (tmp_path / "new/etc" / name).write_text(text)
    assert sysadmin.restores(tmp_path / "new").status == 0
    data, tor = below(tmp_path / "new", sysadmin.live.data), tmp_path / "new/var/lib/nightferry-tor"
    for path, owner, mode in (
        (data / "uploads" / f"{upload}.tar.gpg", 4242, 0o600),
        (data / "nightferry.db", 4242, 0o600),
        (data / "codename.salt", 4242, 0o600),
        (tor / "desk", 4343, 0o700),
        (tor / "desk/hs_ed25519_secret_key", 4343, 0o600),
    ):
        assert (path.stat().st_uid, path.stat().st_mode & 0o7777) == (owner, mode), path


def test_a_host_that_was_taken_is_restored_under_another_address(
    sysadmin: Sysadmin, tmp_path: Path
) -> None:
    """Whoever took it can run the old address: the new host keeps its own, and its settings."""
    put(sysadmin.live)
    sysadmin.makes_onions()
    assert sysadmin.backs_up().status == 0
    settings = tmp_path / "new/etc/nightferry/nightferry.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("of the new host")
    restored = sysadmin.restores(tmp_path / "new", "--without-onions")
    assert (restored.status, f"LEFT      {settings}" in restored.said) == (2, True)
    assert settings.read_text() == "of the new host"
    assert not (tmp_path / "new/var/lib/nightferry-tor").exists()
    assert below(tmp_path / "new", sysadmin.live.data / "nightferry.db").exists()


def test_a_damaged_database_is_replaced_and_what_came_since_stays(
    sysadmin: Sysadmin, tmp_path: Path
) -> None:
    """The same host, its database gone bad: it is moved aside, and a longer file is not cut."""
    live = sysadmin.live
    source = live.new_source()
    url = live.create(source, len(COMPLETE))
    assert live.append(source, url, 0, COMPLETE[:100_000]).status_code == 204
    assert sysadmin.backs_up().status == 0
    assert live.append(source, url, 100_000, COMPLETE[100_000:200_000]).status_code == 204
    new = below(tmp_path / "new", live.data)
    (new / "uploads").mkdir(parents=True)
    (new / "nightferry.db").write_bytes(b"this was a database once")
    longer = Path(shutil.copy(live.sealed(url), new / "uploads"))
    assert sysadmin.restores(tmp_path / "new").status == 0
    assert (new / "nightferry.db.before-restore").read_bytes() == b"this was a database once"
    assert longer.read_bytes() == live.sealed(url).read_bytes()


def test_a_damaged_copy_is_restored_as_it_is_and_told(sysadmin: Sysadmin, tmp_path: Path) -> None:
    """gpg gives all before the damage: better than nothing, and nobody takes it for whole."""
    upload = put(sysadmin.live)
    assert sysadmin.backs_up().status == 0
    flip(sysadmin.place.kept(upload), 100_000)
    restored = sysadmin.restores(tmp_path / "new")
    assert restored.status == 2
    assert f"DAMAGED   {upload}: " in restored.said


def test_a_damaged_unfinished_upload_is_cut_back_to_what_holds(
    sysadmin: Sysadmin, tmp_path: Path
) -> None:
    """The source is told an offset that is true, and sends the rest once more."""
    live, content = sysadmin.live, LARGE[:400_000]
    source = live.new_source()
    url = live.create(source, len(content))
    assert live.append(source, url, 0, content[:300_000]).status_code == 204
    assert sysadmin.backs_up().status == 0
    flip(sysadmin.place.growing(upload_id(url)), 200_000)
    assert sysadmin.restores(tmp_path / "new").status == 2
    new = sysadmin.moves_in(tmp_path / "new", tmp_path / "elsewhere")
    try:
        new.start()
        there, again = url.replace(live.base, new.base), come_back(new, source.codename)  # type: ignore[attr-defined] # for the test
        for _ in range(3):
            if (offset := new.offset(again, there)) < len(content):
                new.append(again, there, offset, content[offset:])
        assert new.offset(again, there) == len(content)
        assert new.open(new.sealed(there), tmp_path / "opened").content == content
    finally:
        new.end()


@pytest.mark.parametrize("key", ["", "9:12", "9:" + "0" * 64, "word"])
def test_a_wrong_session_key_changes_nothing(sysadmin: Sysadmin, tmp_path: Path, key: str) -> None:
    """A slip of the finger is said, before anything is written."""
    put(sysadmin.live)
    assert sysadmin.backs_up().status == 0
    (tmp_path / "typed").write_text(key)
    words = sysadmin.restoring(tmp_path / "new", "--session-key", str(tmp_path / "typed"))
    done = run(*words)
    assert (done.status, "Nothing was changed" in done.said) == (1, True)
    assert at_rest(tmp_path / "new") == {}


def test_a_backup_of_a_newer_version_is_not_served(sysadmin: Sysadmin, tmp_path: Path) -> None:
    """This program would misread its database: the files come, and words, and no service."""
    put(sysadmin.live)
    doctor(sysadmin.live, "update alembic_version set version_num = ?", "9999")
    try:
        assert sysadmin.backs_up().status == 0
    finally:
        put_back = "update alembic_version set version_num = ?"
        doctor(sysadmin.live, put_back, head())
    done = sysadmin.restores(tmp_path / "new")
    assert (done.status, "newer version" in done.said) == (1, True)
    assert not below(tmp_path / "new", sysadmin.live.data / "nightferry.db").exists()


def head() -> str:
    """Give this version's form of the database."""
    found = ScriptDirectory.from_config(_config("")).get_current_head()
    assert found is not None
    return found
