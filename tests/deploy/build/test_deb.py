"""The package's own form: what dpkg makes of it, and that nothing of the builder shows."""

import io
import subprocess
import tarfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from deploy.build.control import control
from deploy.build.deb import contents, package
from deploy.build.members import PROGRAM, Member, Members
from tests.deploy.build.opened import HOUSE, opened

DATE = 1_700_000_001
DEEP = f"usr/lib/{'a-long-folder/' * 12}file.py"
DATA: Members = {
    "usr/bin/program": Member(b"#!/bin/sh\n", PROGRAM),
    "usr/lib/x/link": Member(target="/usr/bin/python3"),
    "etc/apparmor.d/profile": Member(b"profile x {}\n"),
    DEEP: Member(b"deep\n"),
    "usr/share/x/\u00e9t\u00e9.txt": Member("\u00e9t\u00e9\n".encode()),
}


def made(data: Members) -> bytes:
    return package(control(HOUSE, "1.2.3+4", "amd64", data), data, DATE)


def test_dpkg_reads_what_was_written(tmp_path: Path) -> None:
    """Contents, links and long names come out as they went in; everything is root's."""
    deb = opened(made(DATA), tmp_path)
    root = deb.unpack(tmp_path / "root")
    assert {path: (root / path).read_bytes() for path in DATA if not DATA[path].target} == {
        path: member.octets for path, member in DATA.items() if not member.target
    }
    assert (root / "usr/lib/x/link").readlink() == Path("/usr/bin/python3")
    listing = deb.listing()
    assert {line.split()[1] for line in listing.values()} == {"root/root"}
    assert listing["usr/bin/program"].startswith("-rwxr-xr-x")
    assert listing["etc/apparmor.d/profile"].startswith("-rw-r--r--")
    assert listing["usr/lib/x/"].startswith("drwxr-xr-x")


def test_everything_bears_the_date_that_was_given(tmp_path: Path) -> None:
    """Not the builder's clock, and not the time of a checkout."""
    deb = opened(made(DATA), tmp_path)
    tar = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", deb.file], check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        assert {member.mtime for member in archive.getmembers()} == {DATE}


def test_dpkg_reads_what_the_package_says_of_itself(tmp_path: Path) -> None:
    """The facts are filled in; a settings file is one that dpkg does not overwrite."""
    deb = opened(made(DATA), tmp_path)
    assert deb.field("Version") == "1.2.3+4"
    assert deb.field("Architecture") == "amd64"
    assert int(deb.field("Installed-Size")) >= len(DATA)
    assert "@" not in deb.control("control").replace("nightferry@localhost", "")
    assert deb.control("conffiles") == "/etc/apparmor.d/profile\n"


def test_the_sums_are_those_of_the_files(tmp_path: Path) -> None:
    """`dpkg -V` finds a file that was changed, because the sums are right."""
    deb = opened(made(DATA), tmp_path)
    root = deb.unpack(tmp_path / "root")
    check = ["md5sum", "--check", "--quiet"]
    sums = deb.control("md5sums")
    assert subprocess.run(check, cwd=root, input=sums, text=True, check=False).returncode == 0
    assert len(sums.splitlines()) == len(DATA) - 2  # neither the link nor the settings file
    (root / "usr/bin/program").write_text("#!/bin/sh\nexit 1\n")
    assert subprocess.run(check, cwd=root, input=sums, text=True, check=False).returncode == 1


@given(st.permutations(sorted(DATA)))
def test_the_order_of_finding_does_not_show(order: list[str]) -> None:
    """A disk gives its files in any order."""
    assert package({}, {path: DATA[path] for path in order}, DATE) == package({}, DATA, DATE)


def test_what_was_packed_can_be_compared() -> None:
    """When two builds differ, the file that differs can be named."""
    one = dict(contents(made(DATA)))
    assert one[f"./{DEEP}"] == b"deep\n"
    assert one["./usr/lib/x/link"] == b"/usr/bin/python3"
    assert b"Package: nightferry" in one["./control"]
    other = dict(contents(made({**DATA, DEEP: Member(b"Deep\n")})))
    assert {path for path in one if one[path] != other[path]} == {f"./{DEEP}", "./md5sums"}


def test_another_octet_shows() -> None:
    """The test above could pass with an empty package."""
    other = {**DATA, DEEP: Member(b"Deep\n")}
    assert package({}, other, DATE) != package({}, DATA, DATE)
