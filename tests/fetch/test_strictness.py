"""What the desk says is not trusted: not as a path, not for the terminal, not as JSON."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submit.fetch.credentials import read_credentials
from submit.fetch.errors import FetchError
from submit.fetch.listing import (
    parse_digest,
    parse_entries,
    parse_source,
    parse_sources,
)
from submit.fetch.progress import Progress, amount, duration
from submit.fetch.terminal import plain

ITEM = {
    "id": "a" * 26,
    "kind": "file",
    "state": "complete",
    "day": "2026-11-22",
    "length": 5,
    "tail": False,
    "fetched": False,
}
SOURCE = {"designation": "quiet harbour", "certificate": None, "items": [ITEM], "replies": []}


def test_a_source_is_read() -> None:
    """What the contract says is understood, and what it may add later is ignored."""
    source = parse_source("s", SOURCE | {"more": 1})
    assert (source.folder, source.items[0].length) == ("quiet-harbour", 5)


@pytest.mark.parametrize(
    "change",
    [
        {"designation": "../../etc"},
        {"designation": "quiet"},
        {"designation": "quiet  harbour"},
        {"designation": "quiet harbour\n"},
        {"designation": "Quiet Harbour"},
        {"designation": "quiet \x1b[2J"},
        {"designation": None},
        {"items": {}},
        {"items": [[]]},
        *(
            {"items": [ITEM | change]}
            for change in (
                {"id": "../" + "a" * 23},
                {"id": "a" * 25},
                {"id": "a" * 26 + "\n"},
                {"id": "A" * 26},
                {"kind": "program"},
                {"kind": ["file"]},
                {"state": ""},
                {"day": "yesterday"},
                {"day": "\u0662026-11-22"},
                {"length": -1},
                {"length": True},
                {"length": "5"},
                {"length": 5.0},
                {"length": 1 << 48},
            )
        ),
    ],
)
def test_what_no_desk_says_ends_the_run(change: dict[str, Any]) -> None:
    """A name that climbs, a control character or a strange number is not read at all."""
    with pytest.raises(FetchError, match="does not understand"):
        parse_source("s", SOURCE | change)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["sources", "items", "id", "length", "x"]), inner)
    ),
    max_leaves=8,
)


@given(anything)
def test_any_json_is_read_or_refused(said: object) -> None:
    """No shape of JSON breaks the reader."""
    for parse in (parse_sources, parse_digest, lambda said: parse_source("s", said)):
        try:
            parse(said)
        except FetchError:
            continue
    list(parse_entries(said))


@given(st.text())
def test_nothing_acts_on_the_terminal(words: str) -> None:
    """Escapes, line ends and marks that turn text are written out; nothing floods the screen."""
    shown = plain(words)
    assert shown.isprintable()
    assert len(shown) <= 300 * len("<U+10FFFF>") + 1


def test_harmless_words_stay_as_they_are() -> None:
    """Every script, and the dash in our own words."""
    words = "Не вышло – 再试"  # noqa: RUF001 # it is Russian
    assert plain(words) == words


def credentials(folder: Path, text: str, mode: int = 0o600) -> Path:
    """Write a file as staff would."""
    path = folder / "desk.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


GOOD = 'name = "ana"\npassphrase = "correct horse"\n'


def test_a_private_file_is_read(tmp_path: Path) -> None:
    """Name and passphrase, and nothing else."""
    stick = tmp_path / "stick"
    assert read_credentials(credentials(tmp_path, GOOD), stick) == ("ana", "correct horse")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """It is said, with what to do."""
    with pytest.raises(FetchError, match="chmod 600"):
        read_credentials(credentials(tmp_path, GOOD, mode), tmp_path / "stick")


@pytest.mark.parametrize(
    "text", ["", "name", GOOD + 'code = "1"', 'name = "ana"\npassphrase = 5', 'name = "\xff"']
)
def test_a_file_with_other_lines_is_refused(tmp_path: Path, text: str) -> None:
    """And none of its words are said."""
    with pytest.raises(FetchError, match="two lines") as refused:
        read_credentials(credentials(tmp_path, text), tmp_path / "stick")
    assert "horse" not in str(refused.value)


def test_a_passphrase_does_not_travel(tmp_path: Path) -> None:
    """A file on the stick itself would leave the house with it."""
    with pytest.raises(FetchError, match="travels"):
        read_credentials(credentials(tmp_path, GOOD), tmp_path)


def test_the_line_of_progress() -> None:
    """Speed is that of the last minute; time left follows from it; what was wrong is taken back."""
    now = [0.0]
    progress = Progress(lambda: now[0], 3, 10_000_000_000)
    assert progress.line() == "0 of 3 verified  0 bytes of 10.0 GB  0 bytes/s"
    progress.came(900_000_000)
    now[0] = 100.0
    progress.came(50_000_000)
    now[0] = 150.0
    progress.came(50_000_000)
    progress.verified()
    assert progress.line() == "1 of 3 verified  1.0 GB of 10.0 GB  2.0 MB/s  about 75 minutes left"
    progress.thrown_away(500_000_000)
    assert "500.0 MB of 10.0 GB" in progress.line()


def test_amounts_and_times_as_people_say_them() -> None:
    """From octets to terabytes, from seconds to days."""
    assert [amount(n) for n in (0, 999, 1_000, 1_500_000, 4e10)] == [
        "0 bytes",
        "999 bytes",
        "1 KB",
        "1.5 MB",
        "40.0 GB",
    ]
    assert [duration(n) for n in (5, 600, 40_000, 400_000)] == [
        "5 seconds",
        "10 minutes",
        "11.1 hours",
        "4.6 days",
    ]
