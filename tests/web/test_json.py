"""The public face for programs: the same routes, JSON both ways."""

import base64
import re
from collections.abc import Mapping

import pytest

from tests.web.site import BOUNDARY, Browser, Machine, Site, write_form


def test_a_program_sends_and_comes_back(machine: Machine, site: Site) -> None:
    """The whole way: codename, files, message, leave, return, counts."""
    created = machine.post("/source", {})
    assert created.status_code == 201
    assert created.json is not None
    assert list(created.json) == ["codename"]
    sent = machine.sends(("a", b"a"), ("a", b"b"))
    assert (sent.status_code, sent.json) == (201, {"received": 2, "refused": []})
    written = machine.post("/drop/messages", {"text": "hello"})
    assert (written.status_code, written.json) == (201, {})
    left = machine.post("/session/end", {})
    assert (left.status_code, left.json) == (200, {})
    returned = Machine(site)
    entered = returned.post("/session", {"codename": created.json["codename"]})
    assert (entered.status_code, entered.json) == (200, {})
    shown = returned.get("/drop").json
    assert shown is not None
    assert re.fullmatch("[0-9a-f]{64}", shown.pop("token"))
    assert shown == {
        "received": {"files": 2, "messages": 1},
        "taken_off": {"files": 0, "messages": 0},
        "unfinished": [],
        "parts": [],
        "replies": [],
        "remembers": False,
    }


def test_a_program_may_send_forms_too(machine: Machine) -> None:
    """`text=…` as the public face writes it, in both of HTML's encodings."""
    machine.post("/source", {})
    accept = {"Accept": "application/json"}
    plain = machine.client.post("/drop/messages", data={"text": "a"}, headers=accept)
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="text"\r\n\r\nя\r\n--{BOUNDARY}--\r\n'
    ).encode()
    parts = machine.client.post(
        "/drop/messages",
        data=body,
        headers=accept,
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
    )
    assert (plain.status_code, parts.status_code) == (201, 201)


def test_unfinished_uploads_are_listed_with_what_is_needed_to_go_on(
    machine: Machine, site: Site
) -> None:
    """Address, exact name and path, length and offset; a hostile name stays exact in JSON."""
    codename = (machine.post("/source", {}).json or {})["codename"]
    name, path = "видео<img>.mp4", "DCIM/видео<img>.mp4"
    metadata = ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}"
        for key, value in (("filename", name), ("relativePath", path))
    )
    made = machine.client.post(
        "/uploads",
        headers={"Tus-Resumable": "1.0.0", "Upload-Length": "1000", "Upload-Metadata": metadata},
    )
    assert made.status_code == 201
    machine.client.patch(
        made.headers["Location"],
        data=b"x" * 10,
        headers={
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": "0",
            "Content-Type": "application/offset+octet-stream",
        },
    )
    shown = machine.get("/drop").json
    assert shown is not None
    assert shown["unfinished"] == [
        {"url": made.headers["Location"], "name": name, "path": path, "length": 1000, "offset": 10}
    ]
    source = Browser(site)
    source.enters(codename)
    page = source.get("/drop").text
    assert "10 bytes of 1 KB arrived (1%)" in page
    assert "<img>" not in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"codename": "able " * 8}, "This codename is not known here."),
        ({"codename": "abel " + "able " * 7}, "Word number 1 is not in our list"),
        ({"codename": "able"}, "A codename has eight words"),
        ({}, "A codename has eight words"),
    ],
)
def test_a_wrong_codename_is_403_in_words(
    machine: Machine, fields: Mapping[str, object], words: str
) -> None:
    """Lessons 21: one status for all that is wrong with a codename."""
    answer = machine.post("/session", fields)
    assert answer.status_code == 403
    assert answer.json is not None
    assert list(answer.json) == ["error"]
    assert answer.json["error"].startswith(words)


def test_files_that_are_refused_are_listed(machine: Machine) -> None:
    """By exact name, with words; the others are counted."""
    machine.post("/source", {})
    answer = machine.sends(("a", b"a"), ("ж\u202e", b"x" * 300_001))
    assert answer.status_code == 201
    assert answer.json is not None
    assert answer.json["received"] == 1
    [refused] = answer.json["refused"]
    assert refused["name"] == "ж\u202e"
    assert refused["error"].startswith("This file is too large")


def test_a_form_cut_short_says_what_is_kept(machine: Machine) -> None:
    """A program learns the number that is durable, and that the rest is not."""
    machine.post("/source", {})
    answer = machine.client.post(
        "/drop/files",
        data=write_form(None, ("a", b"a"), ("b", b"b" * 100))[:-60],
        headers={"Accept": "application/json"},
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["received"] == 1
    assert answer.json["error"].startswith("The connection broke")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"[]", "application/json", 400),
        (b'{"text": 1}', "application/json", 400),
        (b'{"text": "\\ud800"}', "application/json", 400),
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"text=%FF", "application/x-www-form-urlencoded", 400),
        (b"text", "application/x-www-form-urlencoded", 400),
        (b"text=\xd0\xb6", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=b" for _ in range(17)), "application/x-www-form-urlencoded", 400),
        (b"--x\r\n", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n", "multipart/form-data", 400),
        (b"text", "text/plain", 415),
        (b"text", "", 415),
        (b'{"text": "' + b"x" * 10_001 + b'"}', "application/json", 413),
        (b'{"text": "' + b"x" * 80_000 + b'"}', "application/json", 413),
        (b"text=" + b"x" * 2_000_000, "application/x-www-form-urlencoded", 413),
        (b"", "", 400),
        (b"{}", "application/json", 400),
    ],
)
def test_what_cannot_be_read_is_refused(
    machine: Machine, site: Site, body: bytes, kind: str, status: int
) -> None:
    """Wrong types, broken encodings and sizes: an error in words each, and nothing is kept."""
    machine.post("/source", {})
    headers = {"Accept": "application/json"}
    answer = machine.client.post(
        "/drop/messages", data=body, headers=headers, content_type=kind or None
    )
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]
    assert site.sealed() == []


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("application/json, text/html;q=0.5", "application/json"),
        ("text/html, application/json;q=0.9", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("image/png", "text/html; charset=utf-8"),
        ("", "text/html; charset=utf-8"),
        (";;q=banana,/", "text/html; charset=utf-8"),
    ],
)
def test_json_is_for_those_who_prefer_it(machine: Machine, accept: str, kind: str) -> None:
    """A browser, and whoever takes anything, gets a page."""
    assert machine.client.get("/nope", headers={"Accept": accept}).content_type == kind
