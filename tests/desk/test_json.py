"""The desk's JSON routes, as `fetch` uses them, against the real server."""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from crypto.totp import one_time_code, read_base32
from tests.desk.staff import StaffMember, new_staff, read_printed
from tests.live import Live, running

Facts = dict[str, Any]


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


def items(live: Live, desk: requests.Session, upload: str) -> tuple[Facts, Facts, Facts]:
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


def test_an_unfinished_upload_comes_with_its_tail(live: Live, desk: requests.Session) -> None:
    """What has arrived so far, chunk by chunk and the rest beside it; and what came after it."""
    content = os.urandom(300_000)
    source, upload = send(live, content, half=200_000)
    line, _, item = items(live, desk, upload)
    assert line["unfinished"] == [{"id": upload, "share": 60, "day": item["day"]}]
    assert (item["state"], item["share"], item["tail"]) == ("open", 60, True)
    for ending in ("tar.gpg", "tail"):
        there = (live.uploads / f"{upload}.{ending}").read_bytes()
        got = desk.get(f"{live.desk}/sealed/{upload}.{ending}", timeout=30)
        assert got.content == there
    before = (live.uploads / f"{upload}.tar.gpg").read_bytes()
    live.append(source, f"{live.base}/uploads/{upload}", 200_000, content[200_000:])
    _, _, item = items(live, desk, upload)
    assert (item["state"], item["share"], item["tail"]) == ("complete", None, False)
    asked = {"Range": f"bytes={len(before)}-"}
    rest = desk.get(f"{live.desk}/sealed/{upload}.tar.gpg", headers=asked, timeout=30)
    assert before + rest.content == (live.uploads / f"{upload}.tar.gpg").read_bytes()
    assert desk.get(f"{live.desk}/sealed/{upload}.tail", timeout=30).status_code == 404


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-2", "bytes=0-1,3-4", "octets=0-1", "bytes=-", "bytes=-0", "bytes=\u0661-", "x" * 999],
)
def test_a_strange_range_is_refused(live: Live, desk: requests.Session, asked: str) -> None:
    """Never answered with other octets than those that were asked for."""
    _, upload = send(live, b"content")
    url = f"{live.desk}/sealed/{upload}.tar.gpg"
    headers = {"Range": asked.encode("utf-8")}
    answer = desk.get(url, headers=headers, timeout=30)
    assert answer.status_code == 416
    length = (live.uploads / f"{upload}.tar.gpg").stat().st_size
    assert answer.headers["Content-Range"] == f"bytes */{length}"


def test_head_tells_the_length_and_reads_nothing(live: Live, desk: requests.Session) -> None:
    """Before a long way, a program may ask how long it is."""
    _, upload = send(live, b"content")
    answer = desk.head(f"{live.desk}/sealed/{upload}.tar.gpg", timeout=30)
    length = (live.uploads / f"{upload}.tar.gpg").stat().st_size
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(length))


def test_marking_and_deleting_by_a_program(live: Live, desk: requests.Session) -> None:
    """Without a token, for a foreign page cannot ask for JSON; only what was fetched goes."""
    _, upload = send(live, b"content")
    url = f"{live.desk}/sealed/{upload}"
    answer = desk.post(f"{url}/delete", timeout=30)
    assert (answer.status_code, list(answer.json())) == (409, ["error"])
    assert desk.post(f"{url}/fetched", timeout=30).json() == {}
    assert items(live, desk, upload)[2]["fetched"]
    assert desk.post(f"{url}/delete", timeout=30).json() == {}
    assert not (live.uploads / f"{upload}.tar.gpg").exists()


def test_a_session_survives_kill_9_of_the_desk(live: Live, desk: requests.Session) -> None:
    """Hours of fetching go on without another code."""
    live.kill_desk()
    live.start_desk()
    assert desk.get(live.desk, timeout=30).status_code == 200


def test_the_desk_needs_no_secret_of_the_source_site(live: Live, ana: StaffMember) -> None:
    """Neither the salt of the codenames nor GnuPG: it starts and works without them."""
    salt, hidden = live.data / "codename.salt", live.data / "codename.salt.hidden"
    live.kill_desk()
    salt.rename(hidden)
    try:
        live.start_desk()
        assert ana.login().get(live.desk, timeout=30).status_code == 200
        assert not salt.exists()
    finally:
        hidden.rename(salt)


def test_the_command_line_makes_and_ends_accounts(live: Live) -> None:
    """Secrets are printed once, and not again by anything else."""
    bela = new_staff(live, "bela")
    session = bela.login()
    config = ("--config", str(live.config))
    assert "bela" in live.command("staff", "list", *config).split()
    printed = live.command("staff", "reset", "bela", *config)
    assert session.get(live.desk, timeout=30).status_code == 401
    again = read_printed(live, "bela", printed)
    assert again.passphrase != bela.passphrase
    secret = live.folder / "secret"
    secret.write_text(printed)
    code = live.command("staff", "code", str(secret)).strip()
    now = int(time.time()) // 30
    assert code in {one_time_code(again.phone.secret, now - late) for late in range(60)}
    live.command("staff", "remove", "bela", *config)
    answer = again.tries(requests.Session(), again.passphrase, again.phone.code())
    assert answer.status_code == 403


def test_a_phone_is_set_up_by_hand_or_by_an_address(live: Live) -> None:
    """What is printed is enough for both, and both are the same secret in the same parameters."""
    printed = live.command("staff", "add", "cleo", "--config", str(live.config))
    cleo = read_printed(live, "cleo", printed)
    [address] = re.findall("^otpauth://.*$", printed, re.MULTILINE)
    parts = urlsplit(address)
    assert (parts.netloc, parts.path) == ("totp", "/Nightferry:cleo")
    query = parse_qs(parts.query)
    assert query["issuer"] == ["Nightferry"]
    assert read_base32(query["secret"][0]) == cleo.phone.secret
    # No more than what every program assumes by itself.
    assert not query.keys() - {"secret", "issuer"}
    for words in ("the 32 letters and digits above", "time-based", "SHA-1, 6 digits, 30 seconds"):
        assert words in printed
    assert cleo.login().cookies


def test_nothing_of_staff_is_in_the_log(live: Live, ana: StaffMember) -> None:
    """Neither who came nor with what."""
    ana.tries(requests.Session(), "abacus abdomen", "123456")
    log = live.log.read_text()
    assert not [text for text in ("ana", ana.passphrase, "123456", "abacus") if text in log]
