"""The bag (RFC 8493): whole for other people's programs, and `verify` finds every change."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.session_key import NewMessageKeys
from crypto.unseal.errors import NotABagError
from crypto.unseal.verify import check
from tests.crypto.keys.making import Ngo
from tests.unseal.archivist import judge
from tests.unseal.staff import Staff, Stick

counted: list[int] = []


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, program: Path, desk: Ngo, keys: NewMessageKeys
) -> Path:
    """Make a stick with two files and a message, and open it: `stick` and `opened` lie in this folder."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "stick").mkdir()
    stick = Stick(folder / "stick", keys)
    stick.receive(b"one", "папка/clip.mp4")
    stick.receive(b"two", "two.txt")
    stick.receive_message("Hello.")
    assert Staff(program, desk.home, folder / "opened").open(stick.folder).code == 0
    return folder


@pytest.fixture
def bag(made: Path, stick: Stick, staff: Staff) -> Path:
    """Give a copy of that bag, and of its stick, for the test to change."""
    shutil.copytree(made / "stick", stick.folder, dirs_exist_ok=True)
    shutil.copytree(made / "opened", staff.into)
    return staff.into / "quiet-harbour"


def manifest(bag: Path, name: str) -> dict[str, str]:
    """Read a manifest as RFC 8493, 2.1.3 says."""
    lines = (bag / name).read_text(encoding="utf-8").splitlines()
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines)}


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_manifests_name_everything_with_its_hash(bag: Path, algorithm: str) -> None:
    """Each payload file is in both manifests, each other file in both tag manifests."""
    every = {p.relative_to(bag).as_posix(): p for p in bag.rglob("*") if p.is_file()}
    named = manifest(bag, f"manifest-{algorithm}.txt")
    tags = manifest(bag, f"tagmanifest-{algorithm}.txt")
    assert set(named) == {name for name in every if name.startswith("data/")}
    own = {name for name in every if name.startswith("tagmanifest-")}
    assert set(tags) == set(every) - set(named) - own
    for name, digest in {**named, **tags}.items():
        assert hashlib.new(algorithm, every[name].read_bytes()).hexdigest() == digest


def test_the_declaration_is_exact(bag: Path) -> None:
    """RFC 8493, 2.1.1: two lines, no byte order mark."""
    declaration = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    assert (bag / "bagit.txt").read_bytes() == declaration
    assert "Payload-Oxum: 12.3\n" in (bag / "bag-info.txt").read_text()


FAULTS: dict[str, Callable[[Path], object]] = {
    "it was changed (sha256): data/files/two.txt": lambda bag: (
        bag / "data/files/two.txt"
    ).write_bytes(b"TWO"),
    "it is missing: data/files/two.txt": lambda bag: (bag / "data/files/two.txt").unlink(),
    "no manifest names it: data/files/new.txt": lambda bag: (
        bag / "data/files/new.txt"
    ).write_bytes(b""),
    "it was changed (sha512): custody.txt": lambda bag: (bag / "custody.txt").write_bytes(b""),
    "manifest-sha512.txt does not name data/files/two.txt": lambda bag: drop(
        bag / "manifest-sha512.txt", "two.txt"
    ),
    "Payload-Oxum": lambda bag: (bag / "bag-info.txt").write_text("Payload-Oxum: 1.1\n"),
    "fetch.txt": lambda bag: (bag / "fetch.txt").write_text("http://x.example/ 1 data/x\n"),
    "it is a link or no file: data/files/two.txt": lambda bag: link(bag / "data/files/two.txt"),
}


def drop(file: Path, words: str) -> None:
    """Take a line out of a file."""
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if words not in line))


def link(file: Path) -> None:
    """Put a link to the same content in a file's place."""
    elsewhere = file.parents[3] / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)


@pytest.mark.parametrize("fault", FAULTS)
def test_verify_finds_every_change(bag: Path, fault: str) -> None:
    """What was changed, added or taken away is named."""
    assert check(bag, counted.append).faults == []
    FAULTS[fault](bag)
    assert any(fault in found for found in check(bag, counted.append).faults)


def test_archivists_find_nothing_wrong(bag: Path) -> None:
    """The bag is good for a program that is not ours."""
    judged = judge(bag)
    assert judged.is_valid, judged.words


# What python's bagit does not look at: it follows links, and a fetch.txt may be no trouble of its.
NOT_BAGITS = {"fetch.txt", "it is a link or no file: data/files/two.txt"}


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - NOT_BAGITS))
def test_archivists_find_the_same_changes(bag: Path, fault: str) -> None:
    """Both programs mean the same by a bag that is whole."""
    FAULTS[fault](bag)
    assert not judge(bag).is_valid


def test_verify_says_that_something_has_changed(bag: Path, staff: Staff) -> None:
    """The words and the exit codes of both verdicts."""
    ran = staff.verify()
    assert (ran.code, ran.complained) == (0, "")
    assert "nothing has changed" in ran.said
    (bag / "data/files/two.txt").write_bytes(b"TWO")
    ran = staff.verify()
    assert ran.code == 1
    assert "it was changed (sha256): data/files/two.txt" in ran.words
    assert "NOT what it was" in ran.words


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("manifest-sha256.txt", "00  ../../x\n", "outside the bag"),
        ("manifest-sha256.txt", "00  /etc/passwd\n", "outside the bag"),
        ("manifest-sha256.txt", "hello\n", "a line of manifest-sha256.txt"),
        ("manifest-whirlpool.txt", "00  data/x\n", "whirlpool, which unseal does not know"),
        ("bagit.txt", "BagIt-Version: 9.9\n", "another version"),
    ],
)
def test_what_cannot_be_checked_is_never_good(
    bag: Path, file: str, content: str, words: str
) -> None:
    """SDC#3419: an unknown hash, a manifest that climbs or is none: not checked, and that is said."""
    (bag / file).write_text(content)
    with pytest.raises(NotABagError, match=words):
        check(bag, counted.append)


def test_a_folder_that_is_no_bag_is_said(staff: Staff, tmp_path: Path) -> None:
    """A bag whose making was interrupted has no bagit.txt, and is none."""
    (tmp_path / "opened").mkdir()
    ran = staff.verify(".")
    assert ran.code == 4
    assert "no bagit.txt" in ran.words


def test_bags_of_other_people_are_checked(staff: Staff, tmp_path: Path) -> None:
    """What python's bagit writes: version 0.97, MD5, a name with a line end as %0A."""
    bag = tmp_path / "opened" / "theirs"
    (bag / "data").mkdir(parents=True)
    (bag / "data" / "a\nb.txt").write_bytes(b"x")
    digest = hashlib.md5(b"x").hexdigest()
    (bag / "bagit.txt").write_text("BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n")
    (bag / "manifest-md5.txt").write_text(f"{digest} *data/a%0Ab.txt\n")
    ran = staff.verify("theirs")
    assert (ran.code, ran.complained) == (0, "")
    (bag / "data" / "a\nb.txt").write_bytes(b"y")
    ran = staff.verify("theirs")
    assert ran.code == 1
    assert "data/a<U+000A>b.txt" in ran.words


def test_all_bags_are_checked_at_once(bag: Path, staff: Staff) -> None:
    """A folder of bags, and more than one folder; what changed is not hidden by what is good."""
    shutil.copytree(bag, staff.into / "other-source")
    assert "2 folders: 2 as they were, 0 changed" in staff.run("verify", staff.into).said
    (bag / "data/files/two.txt").write_bytes(b"TWO")
    (staff.into / "other-source" / "bagit.txt").unlink()
    for folders in ([staff.into], [bag, staff.into / "other-source"]):
        ran = staff.run("verify", *folders)
        assert ran.code == 1
        assert "0 as they were, 1 changed, 1 could not be checked" in ran.said
        assert "other-source is no bag that can be checked: it has no bagit.txt" in ran.words
    shutil.rmtree(bag)
    assert staff.run("verify", staff.into).code == 4


def test_a_strangers_file_is_not_called_evidence(stick: Stick, staff: Staff, bag: Path) -> None:
    """A file that somebody put into data/ is not touched, and the bag is not closed over it."""
    (bag / "data" / "notes.txt").write_text("mine")
    stick.receive(b"three", "three.txt")
    ran = staff.open(stick.folder)
    assert ran.code == 4
    assert "data/notes.txt" in ran.words
    assert not (bag / "bagit.txt").exists()
    (bag / "data" / "notes.txt").unlink()
    assert staff.open(stick.folder).code == 0
    assert staff.verify().code == 0


def test_the_same_stick_gives_the_same_bag(stick: Stick, staff: Staff, bag: Path) -> None:
    """No time of opening and no name of a machine is in it: two people get the same octets."""
    first = staff.everything()
    staff.into = bag.parents[1] / "again"
    assert staff.open(stick.folder).code == 0
    assert staff.everything() == first


def test_the_report_vouches_for_all_that_stands_beside_it(bag: Path) -> None:
    """A signature of custody.txt covers messages.txt, too: it names the hash of every file that it can."""
    report = (bag / "custody.txt").read_text()
    beside = {path.name for path in bag.glob("*.*") if not path.name.startswith("tagmanifest-")}
    assert "messages.txt" in beside
    for name in beside - {"bagit.txt", "custody.txt"}:
        digest = hashlib.sha256((bag / name).read_bytes()).hexdigest()
        assert f"SHA-256 of {name}:  {digest}\n" in report


def receive_certificate(stick: Stick, octets: bytes, source: str = "quiet harbour") -> None:
    """Put a reply certificate on the stick."""
    name = f"reply-to-{source.replace(' ', '-')}.asc"
    stick.receive(octets, name, modified=None, source=source)


def put_aside(staff: Staff) -> dict[str, bytes]:
    """Read what lies in reply-certificates/."""
    folder = staff.into / "reply-certificates"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_two_certificates_of_one_source_are_kept_apart(stick: Stick, staff: Staff) -> None:
    """Whoever has the public key can seal a second one: the first keeps its name, and none is asked."""
    receive_certificate(stick, b"genuine")
    assert staff.open(stick.folder).code == 0
    receive_certificate(stick, b"forged")
    assert staff.open(stick.folder).code == 0
    expected = {
        "reply-to-quiet-harbour.asc": b"genuine",
        "reply-to-quiet-harbour (2).asc": b"forged",
    }
    assert put_aside(staff) == expected
    stick.receive(b"more", "more.txt")
    assert staff.open(stick.folder).code == 0
    assert put_aside(staff) == expected
    ran = staff.run("answer", "quiet-harbour", "--stick", stick.folder, "--bags", staff.into)
    assert ran.code == 4
    assert "2 different certificates" in ran.words


def test_a_certificate_that_was_put_aside_is_never_replaced(stick: Stick, staff: Staff) -> None:
    """The bag and its notes may be gone, and its certificate is still the one to answer with."""
    receive_certificate(stick, b"genuine")
    assert staff.open(stick.folder).code == 0
    shutil.rmtree(staff.into / "quiet-harbour")
    shutil.rmtree(staff.into / ".unseal")
    shutil.rmtree(stick.folder)
    stick.folder.mkdir()
    receive_certificate(stick, b"forged")
    assert staff.open(stick.folder).code == 0
    assert put_aside(staff) == {
        "reply-to-quiet-harbour.asc": b"genuine",
        "reply-to-quiet-harbour (2).asc": b"forged",
    }
