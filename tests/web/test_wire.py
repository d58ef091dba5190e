"""What really leaves the server: through gunicorn with the production settings, on a socket."""

import http.client
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from submit.web.headers import SECURITY_HEADERS
from tests.live import Live, running
from tests.web.site import BOUNDARY, write_form

PATIENCE = 60  # seconds


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Give a running server with a small limit for files of a form."""
    with running(tmp_path_factory.mktemp("wire"), max_form_file_length=1 << 20) as server:
        yield server


def speak(live: Live, request: bytes, *, shut: bool = False) -> bytes:
    """Send octets as they are, and give all that comes until the server closes."""
    address = ("127.0.0.1", urlsplit(live.base).port or 0)
    with socket.create_connection(address, timeout=PATIENCE) as line:
        line.sendall(request)
        if shut:
            line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65_536), b""))


@pytest.mark.parametrize(
    "request_line",
    [
        "GET / HTTP/1.1",
        "HEAD / HTTP/1.1",
        "GET /static/site.css HTTP/1.1",
        "GET /key.asc HTTP/1.1",
        "GET /nope HTTP/1.1",
        "GET /drop HTTP/1.1",
        "PUT /drop HTTP/1.1",
        "OPTIONS /uploads HTTP/1.1",
        "HEAD /uploads/" + "a" * 26 + " HTTP/1.1",
        "POST /drop/files HTTP/1.1",
    ],
)
def test_no_answer_tells_the_clock_or_the_software(live: Live, request_line: str) -> None:
    """Lessons 31: no Server, no Date, no ETag; and every header that protects is there once."""
    head = speak(
        live, f"{request_line}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    ).split(b"\r\n\r\n")[0]
    lines = [line.split(": ", 1) for line in head.decode("ascii").split("\r\n")[1:]]
    names = [name.lower() for name, _ in lines]
    assert not {"server", "date", "etag", "last-modified", "content-encoding"} & set(names)
    given = dict(lines)
    assert SECURITY_HEADERS.items() <= given.items()
    assert len(names) == len(set(names))


def test_foreign_and_missing_host_get_no_page(live: Live) -> None:
    """Lessons 32: refused on the wire too, whichever layer notices."""
    for host in (b"Host: evil.example\r\n", b""):
        answer = speak(live, b"GET / HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n")
        assert answer.split(b" ", 2)[1] in {b"400", b"421"}
        assert b"Get a codename" not in answer


def post_files(live: Live, body: bytes, length: int, cookie: str) -> bytes:
    """Send a form for files that announces `length`, then stop sending."""
    head = (
        "POST /drop/files HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Accept: application/json\r\nCookie: nightferry={cookie}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )
    return speak(live, head.encode() + body, shut=True)


def test_cut_form_keeps_the_files_that_were_whole(live: Live) -> None:
    """Promise 2: a body cut short is no error to gunicorn, so we notice it ourselves."""
    source = live.new_source()
    body = write_form(None, ("whole", b"w" * 1000), ("cut", b"c" * 500_000))
    post_files(live, body[:300_000], len(body), source.cookies["nightferry"])
    shown = source.get(f"{live.base}/drop", timeout=PATIENCE).json()
    assert shown["received"] == {"files": 1, "messages": 0}


def test_chunked_form_is_read_like_any_other(live: Live) -> None:
    """A program that streams announces no length."""
    source = live.new_source()
    body = write_form(None, ("a", b"a" * 100_000), ("b", b""))
    pieces = (body[at : at + 7777] for at in range(0, len(body), 7777))
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = source.post(f"{live.base}/drop/files", data=pieces, headers=kind, timeout=PATIENCE)
    assert (answer.status_code, answer.json()) == (201, {"received": 2, "refused": []})


def test_program_that_sends_the_usual_way_is_understood(live: Live) -> None:
    """`requests` writes names in its own manner."""
    source = live.new_source()
    files = [
        ("files", (name, name.encode()))
        for name in ("видео.mp4", 'say "hi"', "a\\b", "same", "same")
    ]
    answer = source.post(f"{live.base}/drop/files", files=files, timeout=PATIENCE)
    assert (answer.status_code, answer.json()) == (201, {"received": 5, "refused": []})


def test_connection_goes_on_after_a_refusal_or_ends(live: Live) -> None:
    """An unread body never becomes the next request on the connection."""
    source = live.new_source()
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    line = http.client.HTTPConnection(urlsplit(live.base).netloc, timeout=PATIENCE)
    line.request("POST", "/drop/messages", smuggled, {"Content-Type": "text/plain"})
    first = line.getresponse()
    assert first.status == 403
    first.read()
    headers = {"Cookie": f"nightferry={source.cookies['nightferry']}", "Accept": "application/json"}
    line.request("GET", "/drop", headers=headers)
    second = line.getresponse()
    assert second.status == 200
    assert b"smuggled" not in second.read()
    line.close()


def test_early_refusal_of_a_large_form_is_heard(live: Live) -> None:
    """Lessons, users 7: no silent reset; who still sends gets the answer all the same."""
    body = write_form(None, ("a", b"a" * 900_000))
    answer = post_files(live, body, len(body), "no-session")
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"Enter your codename again" in answer


def test_file_over_the_limit_does_not_stop_the_next(live: Live) -> None:
    """The rest of it is skipped, and the answer names it."""
    source = live.new_source()
    files = [("files", ("large", b"x" * ((1 << 20) + 1))), ("files", ("small", b"y"))]
    answer = source.post(f"{live.base}/drop/files", files=files, timeout=PATIENCE)
    assert answer.status_code == requests.codes.created
    assert answer.json()["received"] == 1
    assert [one["name"] for one in answer.json()["refused"]] == ["large"]


def test_head_and_get_agree(live: Live) -> None:
    """HEAD has GET's headers and no body."""
    for address in ("/", "/key.asc", "/static/site.css"):
        get = requests.get(live.base + address, timeout=PATIENCE)
        head = requests.head(live.base + address, timeout=PATIENCE)
        assert head.content == b""
        assert head.headers["Content-Length"] == get.headers["Content-Length"]
