"""The package's map: which file of this tree lies where on a host.

Rule 1: every file of a shipped room goes along, but what is named here as staying.
Rule 2: what the tree holds only once it has been made is made here (translations), or asked for (the
        pages' script, which npm brings).
"""

from pathlib import Path, PurePosixPath

from deploy.build.errors import BuildError
from deploy.build.members import PROGRAM, Member, Members
from deploy.build.wheels import PYTHONS, Wheel, unpacked
from submit.cli.translations import compiled, po_path
from submit.web.languages import LANGUAGES

_LIBRARY = "usr/lib/nightferry"
_SHARE = "usr/share/nightferry"
_PAPERS = "usr/share/doc/nightferry"

# What others read, and where they look for it: folders of deploy/.
FOR_OTHERS = {
    "systemd": "usr/lib/systemd/system",
    "sysusers.d": "usr/lib/sysusers.d",
    "tmpfiles.d": "usr/lib/tmpfiles.d",
    "sysctl.d": "usr/lib/sysctl.d",
    "journald": "usr/lib/systemd/journald@nightferry.conf.d",
    "apparmor": "etc/apparmor.d",
    "tor": _SHARE,
    "nftables": _SHARE,
}
ROOMS = ("config", "crypto", "submit", "deploy")
# The staff's programs are files of their own, a host builds nothing, and a source's program is no
# business of a server.
STAYING = (
    "crypto/unseal",
    "submit/fetch",
    "submit/cli/sameness.py",
    "submit/cli/send.py",
    "submit/cli/uploader.py",
    "submit/cli/way.py",
    "deploy/build",
    "deploy/debian",
)
_STAYING_FOLDERS = frozenset({"__pycache__"})
_STAYING_ENDS = (".md", ".po", ".mo", ".pyc", ".stamp", ".new")
_SCRIPT = "submit/web/static/vendor/tus.min.js"

_VENV = b"home = /usr/bin\ninclude-system-site-packages = false\n"
_SHARED = "python3"  # the folder of what every Python can read
_TO_SHARED = b"../../python3/site-packages\n"


def application(house: Path) -> Members:
    """Give our own code, as it lies in the tree. Raises `BuildError` if the script is not there."""
    if not (house / _SCRIPT).is_file():
        raise BuildError(f"{_SCRIPT} was not fetched. Run: ./nightferry build")
    paths = [path for room in ROOMS for path in sorted((house / room).rglob("*"))]
    files = [path for path in paths if path.is_file() and _goes_along(path.relative_to(house))]
    members = {
        f"{_LIBRARY}/app/{path.relative_to(house)}": Member(path.read_bytes())
        for path in [*files, house / "wsgi.py"]
    }
    return {**members, **_translations(house)}


def for_others(house: Path) -> Members:
    """Give what systemd, tor, nftables and AppArmor read."""
    deploy = house / "deploy"
    return {
        f"{place}/{path.relative_to(deploy / folder)}": Member(path.read_bytes())
        for folder, place in FOR_OTHERS.items()
        for path in sorted((deploy / folder).rglob("*"))
        if path.is_file()
    }


def environment(wheels: dict[str, list[Wheel]]) -> Members:
    """Give the packages of others, in the shape of a virtual environment for each of `PYTHONS`.

    What every Python can read lies there once, and each Python's own folder points to it (site: .pth).
    """
    venv = f"{_LIBRARY}/venv"
    members: Members = {
        f"{venv}/pyvenv.cfg": Member(_VENV),
        f"{venv}/bin/python": Member(target="/usr/bin/python3"),
    }
    for python in PYTHONS:
        own = f"{venv}/lib/python{python}/site-packages"
        members[f"{own}/nightferry.pth"] = Member(_TO_SHARED)
        for wheel in wheels[python]:
            shared = f"{venv}/lib/{_SHARED}/site-packages"
            place = shared if wheel.is_for_every_python else own
            _merge(members, {f"{place}/{path}": one for path, one in unpacked(wheel).items()})
    return members


def for_staff(programs: dict[str, bytes], bill: bytes) -> Members:
    """Give the files that the sysadmin hands on, and the list of parts."""
    members = {f"{_SHARE}/{name}": Member(octets, PROGRAM) for name, octets in programs.items()}
    return {**members, f"{_SHARE}/sbom.json": Member(bill)}


def papers(house: Path) -> Members:
    """Give what the sysadmin reads on a host without a network."""
    members = {
        f"{_PAPERS}/{path.relative_to(house / 'docs')}": Member(path.read_bytes())
        for path in sorted((house / "docs").rglob("*.md"))
    }
    return {
        **members,
        # Not as .gz: Pythons differ in what they write into its head.
        f"{_PAPERS}/CHANGELOG.md": Member((house / "CHANGELOG.md").read_bytes()),
        f"{_PAPERS}/copyright": Member((house / "deploy/debian/copyright").read_bytes()),
        f"{_PAPERS}/examples/nightferry.toml": Member((house / "config/example.toml").read_bytes()),
    }


def command(house: Path) -> Members:
    """Give /usr/bin/nightferry."""
    script = (house / "deploy/debian/nightferry.sh").read_bytes()
    return {"usr/bin/nightferry": Member(script, PROGRAM)}


def _goes_along(path: Path) -> bool:
    away = (*STAYING, *(f"deploy/{folder}" for folder in FOR_OTHERS))
    return not (
        any(path.is_relative_to(folder) for folder in away)
        or _STAYING_FOLDERS & set(path.parts)
        or path.name.endswith(_STAYING_ENDS)
    )


def _translations(house: Path) -> Members:
    """Compile them: a messages.mo that lies there may be older than its words."""
    folder = house / "submit" / "web" / "translations"
    return {
        f"{_LIBRARY}/app/{path.with_suffix('.mo').relative_to(house)}": Member(
            compiled(language, folder)
        )
        for language in LANGUAGES
        if (path := po_path(language, folder)).exists()
    }


def _merge(members: Members, more: Members) -> None:
    for path, member in more.items():
        if members.setdefault(path, member) != member:
            raise BuildError(f"two packages bring different files as {PurePosixPath(path)}")
