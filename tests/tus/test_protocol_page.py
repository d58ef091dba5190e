"""docs/protocol.md and the code say the same."""

import pytest

from submit.errors import Refusal
from submit.tus.grammar import METADATA_LIMIT
from submit.tus.limits import MEBIBYTE, Limits
from submit.tus.metadata import (
    FILENAME_LIMIT,
    FILETYPE_LIMIT,
    LAST_MODIFIED_LIMIT,
    PATH_LIMIT,
)
from submit.tus.refusals import TusRefusal
from submit.tus.state import REFUSALS, TRANSITIONS, Event, State
from tests.tus import refusal_rows
from tests.tus.houses import MemoryHouse
from tests.tus.refusal_rows import refusals, write_row, write_rows
from tests.tus.transcripts import Exchange, Scene, read_exchanges

PAGE = refusal_rows.PAGE.read_text("utf-8")


def cell(state: State, event: Event) -> str:
    """Write what an event does in a state, as the page must have it."""
    if event in TRANSITIONS[state]:
        return TRANSITIONS[state][event]
    refused = REFUSALS[state].get(event)
    return str(int(refused.status)) if refused else ""


def lines(heading: str) -> list[str]:
    """Give the rows of the table under a heading, without its head."""
    chapter = PAGE.partition(f"{heading}\n")[2].partition("\n#")[0]
    return [line for line in chapter.splitlines() if line.startswith("|")][2:]


def test_every_refusal_is_a_row_of_the_page() -> None:
    """All rooms, in order of status; a class or a word that changes must change there too."""
    # It is written anew by: python -m tests.tus.refusal_rows
    assert lines("## Refusals") == write_rows()


def test_refusals_are_written_where_they_are_looked_for() -> None:
    """A room's refusals are in its `errors.py` or `refusals.py`, and so on the page."""
    writers = {
        path.stem
        for path in refusal_rows.ROOMS.rglob("*.py")
        if "    public = " in path.read_text()
    }
    assert {"refusals"} <= writers <= {"errors", "refusals"}


@pytest.mark.parametrize("refusal", refusals(TusRefusal), ids=lambda refusal: refusal.__name__)
def test_every_refusal_of_the_protocol_is_on_the_page_once(refusal: type[Refusal]) -> None:
    """The rows of this room."""
    assert PAGE.count(write_row(refusal)) == 1


def test_life_of_an_upload_is_the_table_of_states() -> None:
    """The page shows what `state.py` decides, cell by cell."""
    rows = [
        f"| **{state}** | {' | '.join(cell(state, event) for event in Event)} |" for state in State
    ]
    assert [line.replace("|  ", "| ") for line in lines("### The life of an upload")] == [
        line.replace("|  ", "| ") for line in rows
    ]
    assert "| | " + " | ".join(Event) + " |" in PAGE


def test_limits_of_the_metadata_are_those_of_the_code() -> None:
    """Each number of the table is the code's."""
    limits = [line.split(" | ")[2] for line in lines("### Metadata")]
    assert limits[:2] == [str(FILENAME_LIMIT), str(PATH_LIMIT)]
    assert limits[2].startswith(f"{LAST_MODIFIED_LIMIT},")
    assert limits[3] == str(FILETYPE_LIMIT)
    assert f"`Upload-Metadata` may have {METADATA_LIMIT} octets" in PAGE
    megabytes = Limits(max_upload_length=1).max_checksummed_body // MEBIBYTE
    assert f"at most {megabytes} MiB" in PAGE


def test_conversations_of_the_page_are_what_the_judge_answers() -> None:
    """Every tus conversation of the page, in its order, played against the judge."""
    house = MemoryHouse(Limits(max_upload_length=1 << 40))
    exchanges = [one for one in read_exchanges(PAGE) if one.path.startswith("/uploads")]
    assert len(exchanges) >= 10
    scene = Scene()
    for exchange in exchanges:
        scene.play(house, exchange)


def test_conversation_that_is_not_true_is_noticed() -> None:
    """The player itself can fail: another status, another header, other words."""
    house = MemoryHouse(Limits(max_upload_length=1 << 40))
    true = Exchange("OPTIONS", "/uploads", (), b"", 204, (("Tus-Version", "1.0.0"),), b"")
    Scene().play(house, true)
    for false in (
        Exchange("OPTIONS", "/uploads", (), b"", 200, (), b""),
        Exchange("OPTIONS", "/uploads", (), b"", 204, (("Tus-Version", "2.0.0"),), b""),
        Exchange("OPTIONS", "/uploads", (), b"", 204, (("Upload-Offset", "0"),), b""),
        Exchange("OPTIONS", "/uploads", (), b"", 204, (), b"words\n"),
    ):
        with pytest.raises(AssertionError):
            Scene().play(house, false)
