"""Names that strangers chose: exact in the report, harmless on the disk and in the terminal."""

import unicodedata
from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from crypto.unseal.names import LONGEST_PATH, Names, safe_part, safe_path, same_key
from crypto.unseal.terminal import visible
from tests.unseal.staff import Staff, Stick

NO_DESIGNATIONS = [
    "../up",
    "/etc",
    "a\x1b[2Jb",
    "x" * 100,
    "quiet-harbour",
    "Quiet Harbour",
    "quiet  harbour",
    "quiet harbour\n",
    "x/reply-to-quiet-harbour",
]
HOSTILE = [
    "../../.bashrc",
    "/etc/passwd",
    "a/../../b",
    "...",
    "CON",
    "nul.txt",
    "LPT1.mp4",
    "a\0b",
    "line\nend",
    "carriage\rreturn",
    "\x1b[2J\x1b]0;owned\x07.mp4",
    "\x9b31mred.mp4",
    "gpj.\u202eexe",
    "a\u2028b",
    ".hidden",
    ".directory",
    "ends with a dot.",
    "C:\\Windows\\x.mp4",
    "100%25.mp4",
    "<img src=x onerror=alert(1)>.jpg",
    "-rf",
    "~",
    "x" * 400 + ".mp4",
    "деревня/" * 40 + "видео.mp4",
    "f" * 255,
    "/".join("d" * 200 for _ in range(9)) + "/deep.mp4",
    "",
    "/",
    " begins with a space.mp4",
    "ends with one that shows\u3000",
    "\u00a0",
    "*b.mp4",
    "a  b.mp4",
    "e\u0301.mp4",
    "é.mp4",
    "message.txt",
    "bagit.txt",
]


def test_every_hostile_name_is_opened_harmlessly(stick: Stick, staff: Staff) -> None:
    """LESSONS 9, 30, 36: nothing outside the bag, nothing hidden, no escape; each exact name on record."""
    for number, name in enumerate(HOSTILE):
        stick.receive(b"content %d" % number, name)
    ran = staff.open(stick.folder)
    assert ran.code == 0
    assert "\x1b" not in ran.said + ran.complained
    opened = staff.opened()
    assert sorted(opened.values()) == sorted(b"content %d" % n for n in range(len(HOSTILE)))
    assert {str(entry["path"]) for entry in staff.custody()} == set(HOSTILE)
    for place in opened:
        assert place.startswith("quiet-harbour/data/files/")
        assert_harmless(place.removeprefix("quiet-harbour/data/"))
    assert {path.name for path in staff.into.iterdir()} == {".unseal", "quiet-harbour"}
    text = (staff.into / "quiet-harbour" / "custody.txt").read_text()
    assert all(c == "\n" or unicodedata.category(c)[0] != "C" for c in text)
    assert staff.verify().code == 0


def assert_harmless(path: str) -> None:
    """Check what every name on the disk has to be."""
    for part in PurePosixPath(path).parts:
        assert part not in {"", ".", ".."}
        assert not part.startswith(".")
        assert not part.endswith((".", " "))
        assert len(part.encode()) <= 255
        assert not set(part) & set('\\:*?"<>|%/')
        assert all(unicodedata.category(c)[0] != "C" for c in part)
        assert part.partition(".")[0].strip().lower() not in {"con", "nul", "aux", "prn", "lpt1"}


@given(st.text(max_size=600))
def test_any_name_becomes_harmless(name: str) -> None:
    """Whatever a source's program sends, the path is relative, short and plain."""
    path = safe_path(name)
    assert_harmless(path)
    assert len(path.encode()) <= LONGEST_PATH
    assert safe_path(path) == path


@given(st.text(st.sampled_from("видео abcXYZ 0123-_()é"), min_size=1, max_size=60))
def test_an_ordinary_name_stays(name: str) -> None:
    """A name that harms nobody is kept exactly."""
    plain = f"{name}.mp4"
    assert safe_part(plain) == plain


@given(st.text(max_size=100))
def test_nothing_acts_in_a_terminal(text: str) -> None:
    """What is shown has no control, no mark that turns text, no line end."""
    assert all(unicodedata.category(c)[0] != "C" for c in visible(text))
    assert not set(visible(text)) & {"\n", "\r", "\u2028", "\u2029"}


@given(st.lists(st.sampled_from(["a", "A", "a/b", "a/B", "a/b/c", "é", "e\u0301", "a (2)"])))
def test_no_two_files_share_a_place(paths: list[str]) -> None:
    """Equal names, names that differ in case or in form, a file and a folder: all kept apart."""
    names = Names()
    chosen = [names.choose(path) for path in paths]
    assert len({same_key(path) for path in chosen}) == len(paths)
    folders = {same_key(str(above)) for path in chosen for above in PurePosixPath(path).parents}
    assert not folders & {same_key(path) for path in chosen}


def test_a_folder_stays_one_folder_however_many_equal_names_came() -> None:
    """What stands beside a file of the folder's name goes into one other folder, again and again."""
    names = Names()
    chosen = [names.choose(path) for path in ("a", "a/x", "a", "a", "a/x", "a/y")]
    assert chosen == ["a", "a (2)/x", "a (3)", "a (4)", "a (2)/x (2)", "a (2)/y"]


def test_a_run_that_goes_on_gives_the_names_that_one_run_gives() -> None:
    """The numbers do not depend on where a run was interrupted."""
    paths = ["b.mp4"] * 5 + ["B.mp4", "b (7).mp4", "b.mp4"]
    whole = Names()
    expected = [whole.choose(path) for path in paths]
    for cut in range(len(paths)):
        later = Names()
        for path in expected[:cut]:
            later.take(path)
        assert [later.choose(path) for path in paths[cut:]] == expected[cut:]


def test_equal_names_are_kept_apart(stick: Stick, staff: Staff) -> None:
    """LESSONS 8: count in is count out, also for names that some disk takes for one."""
    for number, name in enumerate(["clip.mp4", "clip.mp4", "CLIP.mp4", "clip.mp4/inside.txt"]):
        stick.receive(b"%d" % number, name)
    assert staff.open(stick.folder).code == 0
    assert staff.files() == {
        "clip.mp4": b"0",
        "clip (2).mp4": b"1",
        "CLIP (3).mp4": b"2",
        "clip (4).mp4/inside.txt": b"3",
    }


def test_a_designation_is_no_path_either(stick: Stick, staff: Staff) -> None:
    """Anybody can seal to the NGO's key: a designation in another form than the service's is refused."""
    forged = {stick.receive(b"x", source=source).upload for source in NO_DESIGNATIONS}
    for source in ["", "reply certificates", "a b c d"]:
        stick.receive(b"x", source=source)
    ran = staff.open(stick.folder)
    assert (ran.code, ran.refused) == (1, forged)
    assert "a designation that is none" in ran.words
    bags = {path.name for path in staff.into.iterdir() if path.name != ".unseal"}
    assert bags == {"unknown-source", "_reply-certificates", "a-b-c-d"}
    assert sorted(p.name for p in staff.into.parent.iterdir()) == ["opened", "stick"]


def test_a_forged_designation_replaces_no_reply_certificate(stick: Stick, staff: Staff) -> None:
    """Of `x/reply-to-quiet-harbour` the certificate would have the name of another source's."""
    stick.receive(b"the source's", "reply-to-quiet-harbour.asc", modified=None)
    forged = "x/reply-to-quiet-harbour"
    stick.receive(b"a stranger's", f"reply-to-{forged}.asc", source=forged, modified=None)
    assert staff.open(stick.folder).code == 1
    aside = staff.into / "reply-certificates"
    assert {path.name: path.read_bytes() for path in aside.iterdir()} == {
        "reply-to-quiet-harbour.asc": b"the source's"
    }
