"""A form that a browser sends a second time by itself: nothing arrives twice, nothing is lost."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.live import Live

File = tuple[str, bytes]

CLIPS = [("a.mp4", b"a" * 100_000), ("b.mp4", b"b"), ("b.mp4", b"b"), ("c.mp4", b"")]


def send(
    live: Live,
    source: requests.Session,
    files: Sequence[File],
    boundary: str = "drawn",
    cut: int = 0,
) -> requests.Response:
    """Send a form for files as a program does; leave out its last `cut` octets."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return source.post(f"{live.base}/drop/files", body[: len(body) - cut], headers=kind, timeout=60)


def arrived(live: Live, source: requests.Session) -> int:
    """Count the files that the source's page shows."""
    page = source.get(f"{live.base}/drop", timeout=60).json()
    return int(page["received"]["files"])


def test_a_form_that_is_sent_again_arrives_once(server: Live) -> None:
    """The second answer counts all that is kept; equal files of one form stay as many as they are."""
    source = server.new_source()
    for _ in range(2):
        answer = send(server, source, CLIPS)
        assert (answer.status_code, answer.json()["received"]) == (201, len(CLIPS))
    assert arrived(server, source) == len(CLIPS)


def test_a_form_that_broke_off_and_is_sent_again_arrives_once(server: Live) -> None:
    """The first time it ends in the middle of a file, whichever worker has it."""
    source = server.new_source()
    for cut in (100_200, 300, 0):
        send(server, source, CLIPS, cut=cut)
    assert arrived(server, source) == len(CLIPS)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(([("a.mp4", b"other")], "drawn"), id="content"),
        pytest.param(([("other.mp4", b"a")], "drawn"), id="name"),
        pytest.param(([("x.mp4", b""), ("a.mp4", b"a")], "drawn"), id="place"),
        pytest.param(([("a.mp4", b"a")], "again"), id="form"),
    ],
)
def test_whatever_differs_is_kept(server: Live, other: tuple[list[File], str]) -> None:
    """Promise 2: a program that always uses one boundary, or a person who sends again, loses none."""
    source = server.new_source()
    send(server, source, [("a.mp4", b"a")])
    files, boundary = other
    send(server, source, files, boundary)
    assert arrived(server, source) == 1 + len(files)


def test_sendings_that_end_at_the_same_time_leave_a_form_that_has_ended(server: Live) -> None:
    """Or the page would say for ever that it is on its way; the best of the sendings counts."""
    source = server.new_source()
    source.post(f"{server.base}/codename", {"codename": source.codename}, timeout=60)  # type: ignore[attr-defined]
    for round_number in range(5):
        boundary = f"round-{round_number}"
        cuts = [300, 100_200, 300, 100_200, 300, 300]

        def again(cut: int, boundary: str = boundary) -> None:
            send(server, source, CLIPS, boundary, cut)

        with ThreadPoolExecutor(len(cuts)) as pool:
            list(pool.map(again, cuts))
        page = source.get(f"{server.base}/drop", headers={"Accept": "text/html"}, timeout=60).text
        assert "not all of them arrived" in page
        assert "still on their way" not in page


def test_another_source_is_another_matter(server: Live) -> None:
    """What one source has sent says nothing about another."""
    for source in (server.new_source(), server.new_source()):
        send(server, source, CLIPS)
        assert arrived(server, source) == len(CLIPS)
