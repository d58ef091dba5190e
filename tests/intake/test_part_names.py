"""Which names are those of parts, whatever program has split the file."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submit.intake.part_names import HIGHEST, PartName, recognise

STEMS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1)
NUMBERED = ("001", 3), ("001", 4), ("001", 5), ("aa", 2), ("aa", 3), ("aa", 4), ("xaa", 2)


@st.composite
def part_names(draw: st.DrawFn) -> PartName:
    """Any part of any file of any program."""
    style, width = draw(st.sampled_from(NUMBERED))
    stem = "x" if style == "xaa" else draw(STEMS)
    folder = draw(st.sampled_from(["", "камера/1/", "../"]))
    return PartName(folder + stem, style, width, draw(st.integers(1, HIGHEST)))


@given(part_names())
def test_what_a_part_is_called_is_recognised_as_that_part(name: PartName) -> None:
    """Names that we say are missing are those that we recognise when they come."""
    assert name in list(recognise(name.text))


@given(st.text(max_size=30))
def test_every_reading_of_a_name_gives_that_name_again(path: str) -> None:
    """Whatever is recognised is the name that was given, and none is lost on the way."""
    for name in recognise(path):
        if not (path[-4:-3] == "z" and name.width == 2) and len(name.text) == len(path):
            assert name.text == path


@given(part_names(), part_names())
def test_parts_of_two_files_have_nothing_in_common(one: PartName, other: PartName) -> None:
    """Two parts have the same identity only if they are parts of the same file."""
    same = (one.stem, one.style, one.width) == (other.stem, other.style, other.width)
    assert (one.identity == other.identity) == same


@pytest.mark.parametrize(
    ("path", "opens"),
    [
        ("clip.mp4.001", True),
        ("clip.mp4.099", True),
        ("clip.mp4.000", True),
        ("clip.mp4.0001", True),
        ("камера/клип.7z.001", True),
        ("clip.mp4.aa", True),
        ("clip.mp4.aaa", True),
        ("xaa", True),
        ("folder/xaa", True),
        ("clip.mp4.100", False),
        ("report.2024", False),
        ("192.168.1.100", False),
        ("video.ts", False),
        ("clip.mp4.ab", False),
        ("xab", False),
        ("clip.mov", False),
    ],
)
def test_only_an_unmistakable_name_opens_a_set(path: str, opens: bool) -> None:
    """A file that merely looks like a part is a whole file, until a set waits for it."""
    assert any(name.opens for name in recognise(path)) == opens


@pytest.mark.parametrize(
    "path",
    [
        *("", "clip.mp4", "clip.01", "clip.1", ".001", "a/.001", "clip.AA", "clip.001.txt"),
        *("yaa", "x", "x.", "clip.a", "clip.mp4.00a", "clip.99999", "clip.123456"),
        *("clip.\u0660\u0660\u0661", "clip.\n001"),
    ],
)
def test_other_names_are_those_of_whole_files(path: str) -> None:
    """Most names are no parts at all, in no reading."""
    assert list(recognise(path)) == []


def test_a_part_stands_in_its_own_folder() -> None:
    """Two folders may each hold parts of a file with the same name."""
    (one,), (other,) = recognise("a/clip.001"), recognise("b/clip.001")
    assert one.identity != other.identity


@pytest.mark.parametrize(
    ("options", "style", "width"),
    [
        (("-d", "-a", "3", "--numeric-suffixes=1"), "001", 3),
        (("-d", "-a", "3"), "001", 3),
        (("-a", "3"), "aa", 3),
        ((), "aa", 2),
    ],
    ids=["numbers", "numbers from 0", "three letters", "as it comes"],
)
def test_what_split_makes_is_recognised(
    tmp_path: Path, options: Sequence[str], style: str, width: int
) -> None:
    """800 parts made by the split of this machine are all of one file, in order, with no gap."""
    prefix = tmp_path / "clip.mp4."
    octets = b"x" * 800
    subprocess.run(["split", "-b", "1", *options, "-", prefix], input=octets, check=True)
    made = sorted(path.name for path in tmp_path.iterdir())
    read = [
        name
        for path in made
        for name in recognise(path)
        if (name.style, name.width) == (style, width)
    ]
    first = read[0].number
    assert [name.number for name in read] == list(range(first, first + 800))
    assert [name.text for name in read] == made
    assert {name.stem for name in read} == {"clip.mp4"}
    assert read[0].opens
