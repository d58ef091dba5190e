"""A newer version comes, in the middle of an upload: one that fits, and one that breaks."""

import re
from collections.abc import Callable
from pathlib import Path

from tests.host.deployment import Deployment
from tests.host.package import field_of, later_version
from tests.host.promise import expect
from tests.host.steps import sending

_VERSIONS = "usr/lib/nightferry/app/submit/store/migrations/versions"
_MIGRATION = '''\
"""A later version's form."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    """Add a table."""
    op.create_table("later_{revision}", sa.Column("id", sa.Integer))
    {then}
'''
_BREAKS = 'raise RuntimeError("this version is broken")'
_SERVICE = "nightferry-source.service"
_REVISION = "SELECT version_num FROM alembic_version"
_READ = (
    "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])"
)
_DATABASE = "/var/lib/nightferry/nightferry.db"


def brings_the_next_version(host: Deployment) -> None:
    """apt brings a version with another form of the database; the upload goes on under it."""
    upload = sending.begin(host)
    upload.moves()
    before, old = _revision(host), host.machine.main_pid(_SERVICE)
    later = later_version(host.package, _version(host, 1), host.folder, _migration(before))
    said = host.install(later)
    expect(_revision(host) > before, "the database has the new form", said)
    new = host.machine.main_pid(_SERVICE)
    expect(new not in {0, old}, "the new service runs", f"{old}, then {new}\n{said}")
    host.package = later
    upload.moves()
    sending.end(host, upload)
    expect(host.is_active("nightferry.target", "nightferry-tor.service"), "all runs again", said)


def takes_a_broken_version_back(host: Deployment) -> None:
    """A version whose migration fails leaves the database as it was, and says what to do.

    The version before is installed again; the upload goes on, and nothing is lost.
    """
    upload = sending.begin(host)
    upload.moves()
    before = _revision(host)
    change = _migration(before, _BREAKS)
    broken = later_version(host.package, _version(host, 2), host.folder, change)
    host.machine.copy_in(broken, f"/var/cache/{broken.name}")
    said = host.machine.run("apt-get", "install", "--yes", f"/var/cache/{broken.name}")
    expect(said.code != 0, "apt says that the broken version is broken", said.text)
    expect("could not be" in said.text, "the words say what happened", said.text)
    expect(_revision(host) == before, "the database is as it was", said.text)
    again = f"/var/cache/{host.package.name}"
    host.run(
        "apt-get", "install", "--yes", "--allow-downgrades", again, promise="the way back is open"
    )
    upload.moves()
    sending.end(host, upload)
    audit = host.machine.run("dpkg", "--audit").text
    expect(not audit.strip(), "dpkg has nothing to complain of", audit)


def _version(host: Deployment, step: int) -> str:
    """Number a later version."""
    first = field_of(host.package, "Version").partition("+")[0]
    return f"{first}+later{step}"


def _migration(before: str, then: str = "") -> Callable[[Path], None]:
    """Give what puts a later migration into a package."""
    revision = f"{int(before) + 1:04}"

    def change(root: Path) -> None:
        text = _MIGRATION.format(revision=revision, before=before, then=then).rstrip() + "\n"
        (root / _VERSIONS / f"r{revision}_later.py").write_text(text)

    return change


def _revision(host: Deployment) -> str:
    said = host.run("python3", "-c", _READ, _DATABASE, _REVISION, promise="the database is there")
    [revision] = re.findall(r"\d{4}", said)
    return str(revision)
