"""The desk's JSON routes, as `fetch` uses them, against the real server."""

import hashlib
import os
from collections.abc import Iterator

import pytest
import requests

from tests.desk.staff import StaffMember, new_staff
from tests.live import Live, running


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Give both sites."""
    with running(tmp_path_factory.mktemp("desk")) as live:
        yield live.start_desk()


@pytest.fixture(scope="module")
def ana(live: Live) -> StaffMember:
    """Give somebody with an account."""
    return new_staff(live, "ana")


@pytest.fixture(scope="module")
def desk(ana: StaffMember) -> requests.Session:
    """Give a program that is logged in."""
    return ana.login()


def send(live: Live, content: bytes, half: int | None = None) -> tuple[requests.Session, str]:
    """Be a new source that sends a file, or the first part of one; give it and the file's id."""
    source = live.new_source()
    url = live.create(source, len(content))
    live.append(source, url, 0, content[:half])
    return source, url.rpartition("/")[2]


def items(live: Live, desk: requests.Session, upload: str) -> tuple[dict, dict, dict]:
    """Find the source of an upload: its line in the list, its page, and the upload's item."""
    for line in desk.get(live.desk, timeout=30).json()["sources"]:
        page = desk.get(f"{live.desk}/sources/{line['id']}", timeout=30).json()
        for item in page["items"]:
            if item["id"] == upload:
                return line, page, item
    raise AssertionError("not in the list")


def test_a_source_is_in_the_list(live: Live, desk: requests.Session) -> None:
    """Two words, a day, counts and padded sizes; and the sealed files one by one."""
    _, upload = send(live, os.urandom(100_000))
    line, page, item = items(live, desk, upload)
    sealed = (live.uploads / f"{upload}.tar.gpg").stat().st_size
    assert len(line["designation"].split()) == 2
    assert (line["files"], line["messages"], line["unread"], line["unfinished"]) == (1, 0, 1, [])
    assert page["designation"] == line["designation"]
    assert item | {"day": ""} == {
        "id": upload,
        "kind": "file",
        "state": "complete",
        "day": "",
        "length": sealed,
        "tail": False,
        "fetched": False,
        "share": None,
    }
    assert [each["kind"] for each in page["items"]].count("certificate") == 1


def test_sealed_octets_come_in_ranges(live: Live, desk: requests.Session) -> None:
    """Whole, from the middle, the last few; nothing beyond the end; the digest is of the file."""
    _, upload = send(live, os.urandom(300_000))
    whole = (live.uploads / f"{upload}.tar.gpg").read_bytes()
    url = f"{live.desk}/sealed/{upload}.tar.gpg"
    answer = desk.get(url, timeout=30)
    assert (answer.status_code, answer.content) == (200, whole)
    assert answer.headers["Content-Disposition"] == f"attachment; filename={upload}.tar.gpg"
    for asked, begin, end in (
        ("bytes=100-", 100, len(whole)),
        ("bytes=0-0", 0, 1),
        ("bytes=-7", len(whole) - 7, len(whole)),
        (f"bytes=5-{len(whole) + 9}", 5, len(whole)),
    ):
        answer = desk.get(url, headers={"Range": asked}, timeout=30)
        assert (answer.status_code, answer.content) == (206, whole[begin:end])
        assert answer.headers["Content-Range"] == f"bytes {begin}-{end - 1}/{len(whole)}"
    answer = desk.get(url, headers={"Range": f"bytes={len(whole)}-"}, timeout=30)
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{len(whole)}")
    facts = desk.get(f"{live.desk}/sealed/{upload}/digest", timeout=30).json()
    assert facts == {"length": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}
