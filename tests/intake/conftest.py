"""A source, the NGO that reads what it sends, and the intake between them."""

import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from submit.intake.door import Intake
from submit.intake.repeats import FormPlace
from submit.intake.sessions import Session
from submit.tus.grammar import encode_metadata
from submit.tus.metadata import Facts
from submit.tus.requests import Append, Creation
from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.intake.world import IntakeWorld, ScriptedBody


@dataclass
class Source:
    """Somebody with a codename, logged in."""

    intake: Intake
    codename: str
    cookie: str = field(repr=False)

    @property
    def session(self) -> Session:
        return self.intake.sources.recall(self.cookie)

    def comes_back(self) -> "Source":
        """Log in anew."""
        return Source(self.intake, self.codename, self.intake.sources.enter(self.codename).cookie)

    def begins(self, path: str, content: bytes, modified: int | None = None) -> str:
        """Create an upload by tus, without any of its content; give its id."""
        pairs = [("relativePath", path.encode())]
        if modified is not None:
            pairs.append(("lastModified", str(modified).encode()))
        facts = Facts(filename=path.rpartition("/")[2], path=path, modified=modified)
        creation = Creation(len(content), encode_metadata(tuple(pairs)), facts, None)
        return self.intake.uploads.create(self.session, creation, ScriptedBody(b"")).id

    def goes_on(self, upload: str, content: bytes) -> None:
        """Send all content of an upload."""
        append = Append(0, len(content), None)
        self.intake.uploads.append(self.session, upload, append, ScriptedBody(content))

    def sends(self, path: str, content: bytes, modified: int | None = None) -> None:
        """Send a file by tus."""
        self.goes_on(self.begins(path, content, modified), content)

    def sends_by_form(self, name: str, content: bytes) -> None:
        """Send a file by the plain form."""
        place = FormPlace(os.urandom(16), 0)
        self.intake.forms.receive(self.session, name, [content], place)

    def writes(self, text: str) -> None:
        """Send a message."""
        self.intake.messages.seal(self.session, text)


@dataclass(frozen=True)
class Received:
    """What the NGO finds in one sealed file."""

    name: str
    content: bytes
    facts: dict[str, object]


@dataclass
class Scene:
    """The intake and the NGO."""

    world: IntakeWorld
    ngo: Ngo

    @property
    def intake(self) -> Intake:
        return self.world.intake

    def new_source(self) -> Source:
        entered = self.intake.sources.create()
        assert entered.codename is not None
        return Source(self.intake, entered.codename, entered.cookie)

    def received(self) -> list[Received]:
        """Open all that is complete, as the NGO does."""
        names = [name for name in self.world.disk.names() if name.endswith(".tar.gpg")]
        return sorted((self.opens(name) for name in names), key=lambda each: each.name)

    def opens(self, name: str) -> Received:
        file = self.world.disk.open(name)
        done = self.ngo.gpg("-d", given=file.read(0, file.length()))
        assert done.returncode == 0, done.stderr.decode()
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
            (member,) = tar.getmembers()
            content = tar.extractfile(member)
            assert content is not None
            facts = json.loads(member.pax_headers["comment"])
            return Received(member.name, content.read(), facts)

    def certificate(self, source: Source) -> bytes:
        """Find the certificate of the only source that has sent something."""
        (found,) = (each for each in self.received() if each.name.startswith("reply-to-"))
        return found.content

    def designation(self, source: Source) -> str:
        """Give the words by which staff call a source."""
        row = self.intake.sources._rows.find(source.session.source)
        assert row is not None
        return row.designation

    def at_rest(self) -> bytes:
        """Give every octet of the database and its log."""
        folder = self.world.settings.data
        return b"".join(
            path.read_bytes() for path in sorted(folder.glob("nightferry.db*")) if path.is_file()
        )


@pytest.fixture(scope="session")
def ngo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ngo]:
    with new_home() as home:
        yield make_ngo(home, tmp_path_factory.mktemp("ngo"), "ed25519", "cv25519")


@pytest.fixture
def scene(ngo: Ngo, tmp_path: Path) -> Iterator[Scene]:
    world = IntakeWorld(tmp_path / "site", ngo.certificate)
    yield Scene(world, ngo)
    world.close()
