"""A source and the staff, each at their site, on one lossy disk with a clock moved by hand."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crypto.codename import CHEAPEST
from crypto.totp import TotpSecret, one_time_code
from submit.app import World, build_accounts, create_desk_app
from submit.intake.desk.accounts import Accounts, Credentials
from tests.conftest import CloseLater
from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.intake.conftest import Scene, Source
from tests.intake.world import IntakeWorld
from tests.web.site import Page

STEP = 30  # seconds


@dataclass
class House:
    """Both sides of one deployment."""

    scene: Scene
    desk: Flask
    accounts: Accounts

    @property
    def world(self) -> IntakeWorld:
        return self.scene.world

    def new_source(self) -> Source:
        return self.scene.new_source()

    def waits(self, seconds: float) -> None:
        self.world.now += seconds

    def sealed(self) -> set[str]:
        """Name what lies on the disk."""
        return set(self.world.disk.names())

    def tidies(self) -> None:
        """Do the daily work."""
        self.world.do_daily_work()


@dataclass
class Member:
    """Somebody with an account, in front of a browser without scripts."""

    house: House
    made: Credentials
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.house.desk.test_client()

    def code(self, early: int = 0) -> str:
        """Read the phone, or one whose clock is `early` steps ahead."""
        return one_time_code(TotpSecret(self.made.totp), int(self.house.world.now) // STEP + early)

    def types(self, passphrase: str, code: str, name: str = "") -> TestResponse:
        """Fill in the login."""
        fields = {"name": name or self.made.name, "passphrase": passphrase, "code": code}
        return self.post("/session", self.token("/login"), **fields)

    def enters(self) -> "Member":
        """Log in with the next code that was not used."""
        self.house.waits(STEP)
        answer = self.types(self.made.passphrase, self.code())
        assert answer.status_code == 303, answer.text
        return self

    def get(self, address: str, **headers: str) -> TestResponse:
        return self.client.get(address, headers=headers)

    def page(self, address: str) -> str:
        """Read a page's words."""
        answer = self.get(address)
        assert answer.status_code == 200, answer.text
        return Page(answer.text).text

    def asks(self, address: str) -> dict[str, object]:
        """Ask as a program."""
        facts = self.get(address, Accept="application/json").json
        assert isinstance(facts, dict)
        return facts

    def token(self, page: str = "/") -> str:
        found = re.findall(r'name="token" value="([^"]+)"', self.get(page).text)
        return str(found[-1])

    def post(self, address: str, token: str | None = None, **fields: str) -> TestResponse:
        """Send a form of the desk's."""
        sent: Mapping[str, str] = {"token": token or self.token(), **fields}
        return self.client.post(address, data=sent, headers={"Origin": "null"})

    def address_of(self, source: Source) -> str:
        """Find a source's page by its two words."""
        page = self.get("/").text
        found = re.search(
            rf'href="(/sources/[a-z2-7]+)">{self.house.scene.designation(source)}<', page
        )
        assert found, "not in the list"
        return found[1]


@pytest.fixture(scope="session")
def ngo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ngo]:
    with new_home() as home:
        yield make_ngo(home, tmp_path_factory.mktemp("ngo"), "ed25519", "cv25519")


@pytest.fixture
def retention_days() -> int:
    """How long sources are kept; a test that cares says otherwise."""
    return 0


@pytest.fixture
def house(
    ngo: Ngo, tmp_path: Path, retention_days: int, close_later: CloseLater
) -> Iterator[House]:
    world = IntakeWorld(tmp_path / "site", ngo.certificate)
    world.settings = replace(
        world.settings, desk_hosts=("localhost",), retention_days=retention_days
    )
    world.start(clean=True)
    around = World(lambda: world.now, CHEAPEST, lambda _path: world.disk)
    desk = close_later(create_desk_app(world.settings, around))
    yield House(Scene(world, ngo), desk, build_accounts(around, world.database))
    world.close()


@pytest.fixture
def new_member(house: House) -> Callable[[str], Member]:
    """Make accounts."""
    return lambda name: Member(house, house.accounts.add(name))


@pytest.fixture
def ana(new_member: Callable[[str], Member]) -> Member:
    """Somebody with an account, who is not logged in."""
    return new_member("ana")


@pytest.fixture
def staff(ana: Member) -> Member:
    """Somebody who is logged in."""
    return ana.enters()
