"""Uploads in the making, and what became of them in a backup."""

from random import Random

import requests

from tests.deploy.backup.sysadmin import Sysadmin
from tests.faults.records import ask, upload_id
from tests.live import Live

COMPLETE = Random(1).randbytes(300_000)
CONTENT = Random(3).randbytes(500_000)


class Begun:
    """An upload of which a part has arrived."""

    def __init__(self, live: Live, offset: int = len(CONTENT)) -> None:
        self.live, self.source = live, live.new_source()
        self.url = live.create(self.source, len(CONTENT), "filename dmlkZW8ubXA0")
        self.id = upload_id(self.url)
        self.offset = 0
        self.goes_on(offset)

    def goes_on(self, to: int = len(CONTENT)) -> None:
        answer = self.live.append(self.source, self.url, self.offset, CONTENT[self.offset : to])
        assert answer.status_code == requests.codes.no_content
        self.offset = to


def assert_whole(sysadmin: Sysadmin) -> None:
    """Every complete upload is in the newest backup, octet for octet."""
    lines = sysadmin.newest().uploads
    for (upload,) in ask(sysadmin.live, "select id from uploads where state = 'complete'"):
        assert isinstance(upload, str)
        name = f"{upload}.tar.gpg"
        assert lines[upload].place == f"uploads/{name}"
        copy = sysadmin.place.folder / "uploads" / name
        assert copy.read_bytes() == (sysadmin.live.uploads / name).read_bytes()


def put(live: Live, content: bytes = COMPLETE) -> str:
    """Let a new source send something; give the upload."""
    source = live.new_source()
    url = live.create(source, len(content))
    assert live.append(source, url, 0, content).status_code == 204
    return upload_id(url)
