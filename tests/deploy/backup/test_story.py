"""A host dies in the middle of everything. What was backed up while it lived is enough."""

import io
import threading
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
import requests

from tests.deploy.backup.sysadmin import Sysadmin, below, come_back
from tests.live import Live, wait_until

COMPLETE = Random(1).randbytes(300_000)
LARGE = Random(2).randbytes(24 << 20)
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


@pytest.fixture
def sysadmin(server: Live, tmp_path: Path) -> Sysadmin:
    return Sysadmin(server, tmp_path)


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
    assert "unfinished uploads in it, as far as they were: 1" in made.said
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
        opened = {each.content for each in new.open_all(tmp_path / "opened")}
        assert {COMPLETE, LARGE, b"hello"} <= {each.rstrip(b"\n") for each in opened} | opened
    finally:
        new.end()
        sending.body.go.set()


def finish(new: Live, sending: Sending) -> None:
    """Go on from what the backup held, under the codename, to the end."""
    source = come_back(new, sending.source.codename)  # type: ignore[attr-defined] # for the test
    [unfinished] = source.get(f"{new.base}/drop", timeout=30).json()["unfinished"]
    url = new.base + "/uploads/" + unfinished["url"].rpartition("/")[2]
    offset = new.offset(source, url)
    assert len(LARGE) // 2 - (3 << 20) <= offset <= len(LARGE) // 2 + 65536
    assert new.append(source, url, offset, LARGE[offset:]).status_code == 204
