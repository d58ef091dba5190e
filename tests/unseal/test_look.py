"""The contact sheet: what it shows, and that no name of a stranger does anything.

What the decoders and their sandbox do: test_decoders.py.
"""

import base64
import csv
import dataclasses
import hashlib
import html.parser
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.unseal.entries import Entry, read_entries
from crypto.unseal.errors import NotABagError
from crypto.unseal.media import Seen
from crypto.unseal.sheet import Sheet
from crypto.unseal.verify import check
from tests.unseal.hand_made import Bag, bag_in, looked
from tests.unseal.staff import Staff

HOSTILE = [
    "<img src=x onerror=alert(1)>.mp4",
    "</script><script>alert(1)</script>.mp4",
    '" onclick="alert(1)" x=".jpg',
    "' onfocus='alert(1)",
    "javascript:alert(1)//.mp4",
    "=HYPERLINK(1).mp4",
    "a\u202egpj.exe",
    "a\u2028b\u0000c\x1b[2J.mp4",
    "<!--.mp4",
    "#?&%41 привет.mp4",
    "&lt;b&gt;.mp4",
]
ALLOWED = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "h1",
    "p",
    "a",
    "main",
    "div",
}
ALLOWED |= {"table", "thead", "tbody", "tr", "th", "td", "bdi", "img", "nav", "span", "b", "script"}
ALLOWED |= {"label", "input", "select", "option", "button", "ul"}


@pytest.fixture
def bag(tmp_path: Path) -> Bag:
    """Give an empty bag."""
    return bag_in(tmp_path / "quiet-harbour")


@pytest.fixture
def bare(staff: Staff, tmp_path: Path) -> Staff:
    """Give staff whose machine has Python and nothing else."""
    (tmp_path / "bin").mkdir()
    staff.surroundings = {"PATH": str(tmp_path / "bin")}
    return staff


def entry(path: str, digest: str = "0" * 64, **facts: object) -> Entry:
    made = Entry(f"data/files/{path}", digest, 1234, path, "file", "2026-03-01", 0, False)
    return dataclasses.replace(made, **facts)  # type: ignore[arg-type]


def pages(entries: list[Entry], seen: dict[str, Seen] | None = None) -> dict[str, str]:
    return dict(Sheet("quiet-harbour", entries, seen or {}, []).pages())


class Reader(html.parser.HTMLParser):
    """Reads a page as a browser does, as far as it matters here."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


# --- names -----------------------------------------------------------------------------------


def assert_harmless(page: str) -> None:
    """No element, attribute or address that we did not write."""
    reader = Reader(page)
    assert {tag for tag, _attributes in reader.tags} <= ALLOWED
    for _tag, attributes in reader.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src"):
            address = attributes.get(name)
            assert address is None or re.fullmatch(r"[A-Za-z0-9._~/%-]+", address), address
    assert not set(page) & {"\u202e", "\u2028", "\0", "\x1b"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text(name: str) -> None:
    """LESSONS 30: in the table, in the data and in the address it stays what it is, and acts nowhere."""
    made = pages([entry(name)], {"0" * 64: Seen("video", thumbnail=True)})
    assert_harmless(made["index.html"])
    assert made["index.html"].count("<script") == 2


@given(st.lists(st.text(max_size=40), min_size=1, max_size=3))
def test_any_name_is_text(names: list[str]) -> None:
    """Whatever a name is: no element of it, and every page is the same in form."""
    made = pages([entry(name) for name in names])
    assert_harmless(made["index.html"])


@pytest.mark.parametrize("name", HOSTILE)
def test_no_cell_of_the_list_is_a_formula(name: str) -> None:
    """A spreadsheet gets text; a quote in front keeps what looks like a formula from being one."""
    made = pages([entry(name)])["index-files/list.csv"]
    head, row = csv.reader(made.splitlines())
    assert head[-1] == "note"
    assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]


def test_only_what_cannot_act_gets_a_link() -> None:
    """A page, a drawing with scripts or a program of a source's is named and not linked."""
    names = [
        "a.mp4",
        "b.JPG",
        "c.html",
        "d.svg",
        "e.pdf",
        "f.xhtml",
        "g.desktop",
        "h",
        "i.mp4.html",
    ]
    linked = [
        a["href"]
        for t, a in Reader(pages([entry(n) for n in names])["index.html"]).tags
        if t == "a"
    ]
    assert [h for h in linked if h and h.startswith("data")] == [
        "data/files/a.mp4",
        "data/files/b.JPG",
    ]


def test_the_policy_lets_one_script_run_and_nothing_be_fetched() -> None:
    """A strict CSP: the hashes are those of what stands in the page; the other pages run nothing."""
    made = pages([entry(f"{n}.mp4") for n in range(150)])
    for name, page in made.items():
        if not name.endswith(".html"):
            continue
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
        assert policy
        assert policy[1].startswith("default-src 'none'; img-src file:; ")
        rules = policy[1].split("; ")
        for tag, rule in (("style", "style-src"), ("script", "script-src")):
            for inside in re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL):
                digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
                assert f"{rule} 'sha256-{digest}'" in rules
        assert ("<script" in page) == (name == "index.html") == ("script-src" in policy[1])
        assert "unsafe" not in policy[1]
        assert not re.search(r"https?:", page)


# --- pages -----------------------------------------------------------------------------------


def test_thousands_of_files_come_in_pages() -> None:
    """5,000: each page has 100 rows, every file is on one, all pages are linked from each."""
    made = pages([entry(f"{n:05}.mp4") for n in range(5000)])
    tables = [page for name, page in made.items() if name.endswith(".html")]
    assert len(tables) == 50
    found = [name for page in tables for name in re.findall(r"<bdi>(.*?)</bdi>", page)]
    assert sorted(found) == [f"{n:05}.mp4" for n in range(5000)]
    for page in tables:
        assert page.count("<tr>") == 101
        links = {a["href"] for tag, a in Reader(page).tags if tag == "a"}
        assert len({link for link in links if link and "page-" in link}) >= 48


def test_an_empty_bag_has_a_page() -> None:
    """Nothing received is said, too."""
    assert "0 files" in pages([])["index.html"]


def test_exact_copies_are_one_group() -> None:
    """Same hash, same group; the others have none."""
    made = pages([entry("a", "1" * 64), entry("b", "2" * 64), entry("c", "1" * 64)])
    groups = re.findall(r"<td>(group \d+)?</td></tr>", made["index.html"])
    assert groups == ["group 1", "", "group 1"]
    assert "1 of them are exact copies" in made["index.html"]


def test_facts_are_shown_as_people_say_them() -> None:
    """Length, size in pixels, codec, the time of recording, partial."""
    seen = Seen("video", 3723.4, "h264, aac", 1280, 720, "2024-05-01 10:22:33 UTC", trouble="odd")
    page = pages([entry("a.mp4", is_partial=True)], {"0" * 64: seen})["index.html"]
    row = page.split("<tbody>")[1].split("</tbody>")[0]
    for words in (
        "1:02:03",
        "1280\N{MULTIPLICATION SIGN}720",
        "h264, aac",
        "2024-05-01 10:22:33 UTC",
        "odd",
        "PARTIAL",
    ):
        assert words in row


@pytest.mark.parametrize("modified", [None, 10**18, -(10**18), 0])
def test_no_time_of_a_file_breaks_the_page(modified: int | None) -> None:
    """A source's program may say any number."""
    assert pages([entry("a", modified=modified)])["index.html"]


# --- the command, on a machine without decoders --------------------------------------------------


def test_without_bubblewrap_nothing_is_run_and_it_is_said(bag: Bag, bare: Staff) -> None:
    """The page is there all the same; even a decoder that is here is not started."""
    bag.put("clip.mp4", b"not really")
    traitor = Path(bare.surroundings["PATH"]) / "ffprobe"
    traitor.write_text(f"#!/bin/sh\ntouch {bag.folder.parent}/started\n")
    traitor.chmod(0o755)
    ran = looked(bag, bare)
    assert ran.code == 3
    assert "bubblewrap (bwrap) is not on this machine" in ran.words
    assert "apt install bubblewrap" in ran.words
    assert "bubblewrap (bwrap) is not on this machine" in bag.index
    assert "clip.mp4" in bag.index
    assert not (bag.folder.parent / "started").exists()


def test_without_ffmpeg_it_is_said(bag: Bag, bare: Staff) -> None:
    """Typed to go without walls, and there is nothing to run."""
    bag.put("clip.mp4", b"not really")
    ran = looked(bag, bare, "--no-sandbox")
    assert ran.code == 3
    assert "WITHOUT A SANDBOX, as you asked" in ran.words
    for words in ("ffprobe is not on this machine", "only exiftool can read"):
        assert words in ran.words
        assert words in bag.index


def test_walls_that_do_not_stand_are_none(bag: Bag, bare: Staff) -> None:
    """Where the system forbids sandboxes nothing runs without one."""
    (Path(bare.surroundings["PATH"]) / "bwrap").symlink_to("/usr/bin/false")
    bag.put("a.mp4", b"x")
    ran = looked(bag, bare)
    assert ran.code == 3
    assert "the sandbox (bwrap) does not start" in ran.words


def test_the_bag_stays_what_it_was(bag: Bag, bare: Staff) -> None:
    """No file in data is touched, none in the manifests; verify holds, before and after."""
    path = bag.put("clip.mp4", b"content")
    before = (path.stat().st_mtime_ns, (bag.folder / "manifest-sha256.txt").read_bytes())
    looked(bag, bare)
    assert (path.stat().st_mtime_ns, (bag.folder / "manifest-sha256.txt").read_bytes()) == before
    assert check(bag.folder, lambda _octets: None).faults == []
    modes = {p.stat().st_mode & 0o077 for p in bag.folder.glob("index*/**/*")}
    assert modes == {0}


def test_a_folder_of_bags_is_all_of_them(bag: Bag, bare: Staff) -> None:
    """The folder after --into; and what is no bag is said."""
    bag.put("a.txt", b"a")
    assert bare.run("look", bag.folder.parent).code == 3
    assert "a.txt" in bag.index
    ran = bare.run("look", bag.folder / "data")
    assert ran.code == 4
    assert "is no bag" in ran.words


def test_files_that_are_links_or_gone_are_not_shown(bag: Bag) -> None:
    """A manifest names what it likes: nothing outside the bag is looked at."""
    bag.put("here.txt", b"x")
    (bag.folder / "data/files/link.txt").symlink_to("/etc/passwd")
    (bag.folder / "data/etc").symlink_to("/etc")
    with (bag.folder / "manifest-sha256.txt").open("a") as manifest:
        for place in ("files/link.txt", "etc/passwd", "../../etc/passwd", "gone.txt", "files"):
            manifest.write(f"{'1' * 64}  data/{place}\n")
    assert [each.place for each in read_entries(bag.folder)] == ["data/files/here.txt"]


def test_a_sheet_folder_that_leads_elsewhere_is_refused(bag: Bag, bare: Staff) -> None:
    """A bag from somebody else could make us write where he likes."""
    bag.put("a.txt", b"a")
    (bag.folder.parent / "elsewhere").mkdir()
    (bag.folder / "index-files").symlink_to(bag.folder.parent / "elsewhere")
    ran = looked(bag, bare)
    assert ran.code == 4
    assert "leads elsewhere" in ran.words
    assert list((bag.folder.parent / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("report", ["", "[]", '{"received": [1]}', '{"received": [{"place": []}]}'])
def test_a_broken_report_leaves_the_manifest(bag: Bag, report: str) -> None:
    """Bags of other programs have none; a broken one is as good as none."""
    bag.put("a.txt", b"a")
    (bag.folder / "custody.json").write_text(report)
    assert [each.path for each in read_entries(bag.folder)] == ["files/a.txt"]


def test_a_folder_without_manifest_is_no_bag(tmp_path: Path) -> None:
    """Said in words."""
    with pytest.raises(NotABagError):
        read_entries(tmp_path)
