"""What was sent before, asked by a script: only its source is told, and only if it wanted that."""

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from submit.intake.sent import QUESTIONS_AT_ONCE, SentFile
from submit.web.errors import MalformedFormError
from submit.web.sent import MAX_FILES, parse_files
from tests.web.site import Machine, Site, Slow

CLIP = {"path": "камера/1.mp4", "length": 5, "modified": 1_700_000_000_123}


def asks(machine: Machine, *files: object) -> TestResponse:
    """Ask which of these files were sent."""
    return machine.post("/drop/sent", {"files": files})


def sends(machine: Machine, path: str, modified: int) -> None:
    """Send five octets as an upload."""
    facts = {"filename": path.rpartition("/")[2], "relativePath": path, "lastModified": modified}
    metadata = ",".join(
        f"{key} {base64.b64encode(str(value).encode()).decode()}" for key, value in facts.items()
    )
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": "5",
        "Upload-Metadata": metadata,
        "Content-Type": "application/offset+octet-stream",
    }
    assert machine.client.post("/uploads", data=b"hello", headers=headers).status_code == 201


@pytest.fixture
def remembered(machine: Machine) -> Machine:
    """A source that asked to be remembered, and then sent one clip."""
    machine.post("/source", {})
    assert machine.post("/drop/sent/remember", {}).status_code == 200
    sends(machine, str(CLIP["path"]), int(str(CLIP["modified"])))
    return machine


def test_only_what_is_the_same_in_all_three_was_sent(remembered: Machine) -> None:
    """Path, length and time; in the order in which it was asked."""
    others = [{**CLIP, "path": "2.mp4"}, {**CLIP, "length": 6}, {**CLIP, "modified": 1}]
    answer = asks(remembered, others[0], CLIP, *others[1:])
    assert answer.json == {"sent": [False, True, False, False]}


def test_who_did_not_ask_for_it_is_told_nothing(machine: Machine) -> None:
    """Request 17: without the source's wish nothing about a file is kept that could be found."""
    machine.post("/source", {})
    sends(machine, str(CLIP["path"]), int(str(CLIP["modified"])))
    assert asks(machine, CLIP).json == {"sent": [False]}


def test_forgetting_forgets(remembered: Machine) -> None:
    """And what is sent after that is not remembered either."""
    assert remembered.post("/drop/sent/forget", {}).status_code == 200
    assert asks(remembered, CLIP).json == {"sent": [False]}


def test_another_source_cannot_ask(remembered: Machine, site: Site) -> None:
    """Values are under the source's own key: the same file of another source is unknown."""
    other = Machine(site)
    assert asks(other, CLIP).status_code == 403
    other.post("/source", {})
    other.post("/drop/sent/remember", {})
    assert asks(other, CLIP).json == {"sent": [False]}


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_foreign_page_cannot_ask(remembered: Machine, headers: dict[str, str]) -> None:
    """It could otherwise find out whether a visitor has sent a certain file."""
    assert remembered.post("/drop/sent", {"files": [CLIP]}, **headers).status_code == 403


def test_a_form_is_no_question(remembered: Machine) -> None:
    """Only JSON: a foreign page can send a form without asking first."""
    accept = {"Accept": "application/json"}
    assert (
        remembered.client.post("/drop/sent", data={"files": "x"}, headers=accept).status_code == 415
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"files": {}}',
        b'{"files": [1]}',
        b'{"files": [{"path": 1, "length": 1}]}',
        b'{"files": [{"path": "a", "length": -1}]}',
        b'{"files": [{"path": "a", "length": true}]}',
        b'{"files": [{"path": "a", "length": 1.5}]}',
        b'{"files": [{"path": "a", "length": 10000000000000000}]}',
        json.dumps({"files": [{"path": "a" * 4097, "length": 1}]}).encode(),
        json.dumps({"files": [CLIP] * (MAX_FILES + 1)}).encode(),
        b"[" * 100_000,
    ],
)
def test_what_is_no_question_is_refused(remembered: Machine, body: bytes) -> None:
    """In words, whatever it is."""
    kind = {"Accept": "application/json", "Content-Type": "application/json"}
    answer = remembered.client.post("/drop/sent", data=body, headers=kind)
    assert (answer.status_code, "error" in (answer.json or {})) == (400, True)


def test_five_hundred_files_can_be_asked_for(remembered: Machine) -> None:
    """A whole batch of the page's script."""
    assert asks(remembered, *[CLIP] * MAX_FILES).json == {"sent": [True] * MAX_FILES}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["files", "path", "length", "modified"]), inner)
        ),
    )
)
def test_any_json_is_read_or_refused(question: object) -> None:
    """Never anything else."""
    with suppress(MalformedFormError):
        files = parse_files(json.dumps(question).encode())
        assert all(isinstance(file, SentFile) for file in files)


@pytest.mark.parametrize("modified", [None, "1", -1, True, 253_402_300_800_000])
def test_a_time_that_is_none_is_none(modified: object) -> None:
    """As with an upload's own time: a broken clock must not hide the file."""
    body = json.dumps({"files": [{**CLIP, "modified": modified}]}).encode()
    assert parse_files(body) == [SentFile("камера/1.mp4", 5, None)]


def test_questions_held_open_take_no_more_than_their_places(site: Site) -> None:
    """Each is read into memory: one more is told to wait, and pages go on."""
    refused = []

    def hold_another(held: int) -> bytes:
        machine = Machine(site)
        machine.post("/source", {})
        if held == QUESTIONS_AT_ONCE:
            refused.append(asks(machine, CLIP))
            assert machine.client.get("/").status_code == 200
        else:
            steps = [lambda: hold_another(held + 1), lambda: b'{"files": []}']
            asked = machine.client.post(
                "/drop/sent",
                data=b"replaced below",
                content_type="application/json",
                environ_overrides={"wsgi.input": Slow(steps), "wsgi.input_terminated": True},
            )
            assert asked.json == {"sent": []}
        return b""

    hold_another(0)
    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in refused] == [
        (503, "30")
    ]
