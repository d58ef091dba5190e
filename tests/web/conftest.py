"""A whole source site in a folder of its own, with a real key and a cheap codename."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from config.settings import Settings
from crypto.codename import CHEAPEST
from submit.app import World, create_source_app, make_database
from tests.conftest import CloseLater
from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.web.site import Browser, Machine, Site
from tests.web.staff import Staff


@pytest.fixture(scope="session")
def ngo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ngo]:
    """Give an NGO that everything is sealed to."""
    with new_home() as home:
        yield make_ngo(home, tmp_path_factory.mktemp("certificates"), "ed25519", "cv25519")


@pytest.fixture
def settings(ngo: Ngo, tmp_path: Path) -> Settings:
    """Give settings with small limits."""
    return Settings(
        data=tmp_path / "data",
        database=f"sqlite:///{tmp_path}/data/records.sqlite3",
        recipients=(ngo.certificate,),
        hosts=("localhost", "abcdefghij.onion"),
        listen="127.0.0.1:8080",
        max_form_file_length=300_000,
        max_message_length=10_000,
        uploads_at_once=1,
    )


@pytest.fixture
def app(settings: Settings, close_later: CloseLater) -> Flask:
    """Give the site as it is served, except that a codename costs nothing."""
    make_database(settings)
    return close_later(create_source_app(settings, World(cost=CHEAPEST)))


@pytest.fixture
def site(app: Flask, settings: Settings) -> Site:
    """Give the site together with what lies in its folder."""
    return Site(app, settings.data)


@pytest.fixture
def browser(site: Site) -> Browser:
    """Give a browser without scripts that has just been opened."""
    return Browser(site)


@pytest.fixture
def machine(site: Site) -> Machine:
    """Give a program that speaks JSON."""
    return Machine(site)


@pytest.fixture
def staff(ngo: Ngo, settings: Settings) -> Staff:
    """Give the people at the other end."""
    return Staff(ngo, settings)
